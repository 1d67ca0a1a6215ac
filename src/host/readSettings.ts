import * as vscode from 'vscode';
import { settingsSection, validateSettings, type Settings } from './settings';

/** Reads the settings as they hold now, for a resource where there is one. */
export function readSettings(resource?: vscode.Uri): Settings {
  const configuration = vscode.workspace.getConfiguration(settingsSection, resource ?? null);
  return validateSettings((key) => configuration.get(key));
}

/** Whether a setting is written down anywhere: then it is the person's wish, not our default. */
export function isSet(key: keyof Settings, resource: vscode.Uri): boolean {
  const found = vscode.workspace.getConfiguration(settingsSection, resource).inspect(key);
  return found !== undefined && [found.globalValue, found.workspaceValue, found.workspaceFolderValue].some((value) => value !== undefined);
}
