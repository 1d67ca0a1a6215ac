import * as vscode from 'vscode';

const ownId = 'attention-explorer.attention-explorer';

/** The version of this extension. */
export function version(): string {
  const { version: ours } = Object(vscode.extensions.getExtension(ownId)?.packageJSON) as {
    readonly version?: unknown;
  };
  return typeof ours === 'string' ? ours : '';
}

/** Reads one of the files that are built with this extension. */
export async function readBuilt(name: string): Promise<string> {
  const own = vscode.extensions.getExtension(ownId);
  if (own === undefined) throw new Error(`${ownId} is not there`);
  return new TextDecoder().decode(
    await vscode.workspace.fs.readFile(vscode.Uri.joinPath(own.extensionUri, 'dist', name)),
  );
}
