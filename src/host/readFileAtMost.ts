import * as vscode from 'vscode';
import { ExplorerError } from '../base/errors';
import { checkFileLimit, type FileKind } from '../model/fileLimits';

/** Throws `fileUnreadable` for what is neither file nor folder: VS Code would wait for ever for what a pipe without a writer holds. */
export function checkIsNoPipe(type: vscode.FileType, name: string): void {
  if (type === vscode.FileType.Unknown) throw new ExplorerError('fileUnreadable', [name, 'it is a pipe, a socket or a device']);
}

/** All of a file, at most as many bytes as its kind may have; a larger one is not read. `name` is what a person is told of it. Throws `fileNotFound`, `fileUnreadable` and what `checkFileLimit` throws. */
export async function readFileAtMost(uri: vscode.Uri, kind: FileKind, name: string): Promise<Uint8Array> {
  try {
    // Over HTTP there is nothing to ask before: the answer itself is looked at.
    if (!isServedOverHttp(uri)) {
      const { type, size } = await vscode.workspace.fs.stat(uri);
      checkIsNoPipe(type, name);
      checkFileLimit(kind, name, size);
    }
    const bytes = await vscode.workspace.fs.readFile(uri);
    checkFileLimit(kind, name, bytes.length);
    return bytes;
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    const isMissing = error instanceof vscode.FileSystemError && error.code === 'FileNotFound';
    throw isMissing ? new ExplorerError('fileNotFound', [name], { cause: error }) : new ExplorerError('fileUnreadable', [name, error instanceof Error ? error.message : String(error)], { cause: error });
  }
}

/** Whether an address is read over HTTP, as the extension's own files are in a web editor. */
export function isServedOverHttp(uri: vscode.Uri): boolean {
  return uri.scheme === 'http' || uri.scheme === 'https';
}
