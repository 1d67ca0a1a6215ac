import * as vscode from 'vscode';
import { ExplorerError } from '../base/errors';
import { checkFileLimit, type FileKind } from '../model/fileLimits';

/** Throws `fileUnreadable` for what is neither file nor folder: VS Code would wait for ever for what a pipe without a writer holds. */
export function checkIsNoPipe(type: vscode.FileType, name: string): void {
  if (type === vscode.FileType.Unknown)
    throw new ExplorerError('fileUnreadable', [name, 'it is a pipe, a socket or a device']);
}

/** All of a file, at most as many bytes as its kind may have; a larger one is not read. `name` is what a person is told of it. Throws `fileNotFound`, `fileUnreadable` and what `checkFileLimit` throws. */
export async function readFileAtMost(uri: vscode.Uri, kind: FileKind, name: string): Promise<Uint8Array> {
  await checkFile(uri, kind, name);
  try {
    const bytes = await vscode.workspace.fs.readFile(uri);
    checkFileLimit(kind, name, bytes.length);
    return bytes;
  } catch (error) {
    throw fileError(error, name);
  }
}

/** Throws what {@link readFileAtMost} would throw before it reads. Over HTTP there is nothing to ask before: there the answer itself is looked at. */
export async function checkFile(uri: vscode.Uri, kind: FileKind, name: string): Promise<void> {
  if (isServedOverHttp(uri)) return;
  try {
    const { type, size } = await vscode.workspace.fs.stat(uri);
    checkIsNoPipe(type, name);
    checkFileLimit(kind, name, size);
  } catch (error) {
    throw fileError(error, name);
  }
}

function fileError(error: unknown, name: string): ExplorerError {
  if (error instanceof ExplorerError) return error;
  const isMissing = error instanceof vscode.FileSystemError && error.code === 'FileNotFound';
  return isMissing
    ? new ExplorerError('fileNotFound', [name], { cause: error })
    : new ExplorerError('fileUnreadable', [name, error instanceof Error ? error.message : String(error)], {
        cause: error,
      });
}

/** Whether an address is read over HTTP, as the extension's own files are in a web editor. */
export function isServedOverHttp(uri: vscode.Uri): boolean {
  return uri.scheme === 'http' || uri.scheme === 'https';
}
