import * as vscode from 'vscode';
import { settingsSection } from '../settings';
import { settingInText } from './modelPath';

/**
 * The model path that an untrusted workspace sets and VS Code keeps from us (a restricted setting is not even shown by
 * `inspect`): read from the workspace's settings only to say that it is ignored. Undefined in a trusted workspace.
 */
export async function ignoredModelPath(): Promise<string | undefined> {
  if (vscode.workspace.isTrusted) return undefined;
  const { workspaceFile, workspaceFolders = [] } = vscode.workspace;
  const files = [...(workspaceFile?.scheme === 'untitled' || workspaceFile === undefined ? [] : [workspaceFile]), ...workspaceFolders.map((folder) => vscode.Uri.joinPath(folder.uri, '.vscode', 'settings.json'))];
  for (const file of files) {
    try {
      const path = settingInText(new TextDecoder().decode(await vscode.workspace.fs.readFile(file)), `${settingsSection}.modelPath`);
      if (path !== undefined) return path;
    } catch {
      // Most workspaces have no settings file.
    }
  }
  return undefined;
}
