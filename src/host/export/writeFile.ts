import * as vscode from 'vscode';
import { joinBytes } from '../../base/joinBytes';
import { ExplorerError } from '../../base/errors';
import { formatBytes } from '../../model/fileLimits';

/**
 * Writes a file of this machine whole or not at all: in pieces as they come, or by someone who writes them to the path that is named. Throws
 * `fileNotWritten`, and what making them throws.
 */
export type WriteWhole = (
  path: string,
  contents: AsyncIterable<Uint8Array> | ((path: string, flags: 'w' | 'wx') => Promise<void>),
) => Promise<void>;

/** Where nothing is written in pieces, a file is held in memory first, and may be so large. */
const mostHeld = 2 ** 29;

/** Writes a file that the person has named, in pieces where the machine can. Throws `fileNotWritten`, and what making the pieces throws. */
export async function writeFile(
  target: vscode.Uri,
  pieces: AsyncIterable<Uint8Array>,
  writeWhole: WriteWhole | undefined,
): Promise<void> {
  if (writeWhole !== undefined && target.scheme === 'file') return writeWhole(target.fsPath, pieces);
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > mostHeld)
      throw new ExplorerError('fileNotWritten', [
        target.path,
        `it takes more than the ${formatBytes(mostHeld)} that are written here`,
      ]);
    held.push(piece.slice());
  }
  try {
    await vscode.workspace.fs.writeFile(target, joinBytes(held));
  } catch (error) {
    throw new ExplorerError('fileNotWritten', [target.path, String(error)], { cause: error });
  }
}
