import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { restrictedSettings, settingsSection } from '../settings';
import { namesSetting } from './settingsText';

/** Of a larger file no setting is looked for. */
const mostKilobytes = 64;
/** A workspace may have any number of folders: so many of their files are looked at. */
const mostFiles = 16;

const names: ReadonlySet<string> = new Set(restrictedSettings.map((key) => `${settingsSection}.${key}`));

/**
 * What to tell of settings that an untrusted workspace makes and that are ignored: `untrustedWorkspace`, or `untrustedSettings`
 * where its file is too large to be looked at. VS Code keeps restricted settings from us, so the file is read, for this alone.
 */
export async function ignoredSettings(): Promise<ExplorerError | undefined> {
  if (vscode.workspace.isTrusted) return undefined;
  const { workspaceFile, workspaceFolders = [] } = vscode.workspace;
  const ofFolders = workspaceFolders.map((folder) => ({
    file: vscode.Uri.joinPath(folder.uri, '.vscode', 'settings.json'),
    inside: undefined,
  }));
  const files = [
    ...(workspaceFile === undefined || workspaceFile.scheme === 'untitled'
      ? []
      : [{ file: workspaceFile, inside: 'settings' }]),
    ...ofFolders,
  ];
  let unread: ExplorerError | undefined;
  for (const { file, inside } of files.slice(0, mostFiles)) {
    const text = await readSmall(file);
    if (text === 'tooLarge') unread = new ExplorerError('untrustedSettings', [mostKilobytes]);
    else if (text !== undefined && namesSetting(text.text, names, inside))
      return new ExplorerError('untrustedWorkspace');
  }
  return unread;
}

/** The text of a small file; undefined where there is none, or something that is no file, which would be read for ever. */
async function readSmall(file: vscode.Uri): Promise<{ readonly text: string } | 'tooLarge' | undefined> {
  try {
    const { type, size } = await vscode.workspace.fs.stat(file);
    if ((type & vscode.FileType.File) === 0 || size === 0) return undefined;
    if (size > mostKilobytes * 1024) return 'tooLarge';
    const bytes = await vscode.workspace.fs.readFile(file);
    return bytes.length > mostKilobytes * 1024 ? 'tooLarge' : { text: new TextDecoder().decode(bytes) };
  } catch {
    return undefined; // most workspaces have no settings file
  }
}
