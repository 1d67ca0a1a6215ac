import * as vscode from 'vscode';
import type { ProfileFile } from '../../model/profile/headProfile';

/** Files that are to stand in a folder of this name, or of one like it where something stands there already. */
export interface FilesToKeep<Place> {
  readonly place: Place;
  readonly name: string;
  readonly files: readonly ProfileFile[];
}

/** Writes files into a new folder of this machine, into which no other process writes meanwhile; resolves to its path. Throws `folderNotWritten` and `fileNotWritten`. */
export type WriteFolder = (kept: FilesToKeep<string>) => Promise<string>;

/** Keeps files in a folder of their own, which this resolves to. */
export async function keepFiles(
  { place, name, files }: FilesToKeep<vscode.Uri>,
  writeFolder: WriteFolder | undefined,
): Promise<vscode.Uri> {
  if (writeFolder !== undefined && place.scheme === 'file')
    return vscode.Uri.file(await writeFolder({ place: place.fsPath, name, files }));
  // The storage of a page is its own: no other process writes there.
  const folder = vscode.Uri.joinPath(place, name);
  await vscode.workspace.fs.createDirectory(folder);
  for (const each of files) await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(folder, each.name), each.bytes);
  return folder;
}
