import { hexText } from '../../base/hexText';

// Every extension host has it: Node since 19, workers always.
declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };

/** What the panel's page is made of. Its script and style stand in the page itself: each file that a webview loads goes through the whole window first. */
export interface PanelAssets {
  /** Text of the script. */
  readonly script: string;
  /** Text of the style sheet. */
  readonly style: string;
  /** Address of the custom elements' script, which the script loads when there is time for it; empty where whoever made the page brings them. */
  readonly elements: string;
  /** Address of the script of the views that someone opens, likewise. */
  readonly views: string;
  /** Address of the icons' style sheet, as the webview sees it; the script loads it, as nothing has to wait for it. Empty as above. */
  readonly codicons: string;
  /** What the content policy calls the extension's own files; empty where the page loads none. */
  readonly cspSource: string;
}

/** The panel's page: no data in it, and nothing runs or loads but our own. `placeholder` is shown until the script has drawn. */
export function panelHtml(assets: PanelAssets, nonce: string, language: string, placeholder: string): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${assets.cspSource} 'nonce-${nonce}'`,
    `font-src ${assets.cspSource}`,
    `img-src ${assets.cspSource} data:`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<style nonce="${nonce}">${assets.style}</style>
<title>Attention Explorer</title>
</head>
<body data-codicons="${escapeHtml(assets.codicons)}" data-elements="${escapeHtml(assets.elements)}" data-views="${escapeHtml(assets.views)}">
<div id="root"><p>${escapeHtml(placeholder)}</p></div>
<script nonce="${nonce}">${assets.script}</script>
</body>
</html>`;
}

/** A text for one page's content policy that nobody can guess. */
export function makeNonce(): string {
  return hexText(crypto.getRandomValues(new Uint8Array(24)));
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
