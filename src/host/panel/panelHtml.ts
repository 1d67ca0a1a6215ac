// Every extension host has it: Node since 19, workers always.
declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };

/** The addresses that the panel's page loads, as the webview sees them. */
export interface PanelAssets {
  readonly script: string;
  readonly styles: readonly string[];
  readonly codicons: string;
  /** What the content policy calls the extension's own files. */
  readonly cspSource: string;
}

/** The panel's page: no data in it, and nothing runs or loads but our own files. `placeholder` is shown until the script has drawn. */
export function panelHtml(assets: PanelAssets, nonce: string, language: string, placeholder: string): string {
  const policy = ["default-src 'none'", `script-src 'nonce-${nonce}'`, `style-src ${assets.cspSource} 'nonce-${nonce}'`, `font-src ${assets.cspSource}`, `img-src ${assets.cspSource} data:`, "base-uri 'none'", "form-action 'none'"].join('; ');
  const link = (href: string, id = ''): string => `<link rel="stylesheet" nonce="${nonce}" href="${escapeHtml(href)}"${id}>`;
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
${link(assets.codicons, ' id="vscode-codicon-stylesheet"')}
${assets.styles.map((href) => link(href)).join('\n')}
<title>Attention Explorer</title>
</head>
<body>
<div id="root"><p>${escapeHtml(placeholder)}</p></div>
<script nonce="${nonce}" src="${escapeHtml(assets.script)}"></script>
</body>
</html>`;
}

/** A text for one page's content policy that nobody can guess. */
export function makeNonce(): string {
  return [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
