import * as vscode from 'vscode';
import { settingsSection, validateSettings, type Settings } from './settings';

/** Reads the settings as they hold now, for a resource where there is one. */
export function readSettings(resource?: vscode.Uri): Settings {
  const configuration = vscode.workspace.getConfiguration(settingsSection, resource ?? null);
  return validateSettings((key) => configuration.get(key));
}
