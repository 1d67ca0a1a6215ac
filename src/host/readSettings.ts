import * as vscode from 'vscode';
import { modelOfScene } from './course/scenes';
import {
  personalSettings,
  restrictedSettings,
  settingsSection,
  validateSettings,
  type SelectionMode,
  type Settings,
} from './settings';

const restricted: ReadonlySet<keyof Settings> = new Set(restrictedSettings);
const personal: ReadonlySet<keyof Settings> = new Set(personalSettings);

/** How selections are read from now on, while that is being written: VS Code hands a setting back only when it has read its file again. */
let modeBeingWritten: SelectionMode | undefined;

/** Writes how selections are read, which counts at once. */
export async function whileModeIsWritten(mode: SelectionMode, write: () => Promise<void>): Promise<void> {
  modeBeingWritten = mode;
  try {
    await write();
  } finally {
    if (modeBeingWritten === mode) modeBeingWritten = undefined;
  }
}

/**
 * Reads the settings as they hold now, for a resource where there is one; of those that are restricted, only what the person's own settings
 * say while the workspace is not trusted, and of those that are a person's own always. What the course shows is read whole, by the model that it is about.
 */
export function readSettings(resource?: vscode.Uri): Settings {
  const configuration = vscode.workspace.getConfiguration(settingsSection, resource ?? null);
  const { isTrusted } = vscode.workspace;
  const written = validateSettings((key) =>
    !personal.has(key) && (isTrusted || !restricted.has(key)) ? configuration.get(key) : ownValue(configuration, key),
  );
  const settings = { ...written, selection: modeBeingWritten ?? written.selection };
  const modelPath = resource && modelOfScene(resource);
  return modelPath === undefined ? settings : { ...settings, modelPath, tokenLimit: 0 };
}

/** The value that the person gave a setting, whatever the workspace says. */
function ownValue(configuration: vscode.WorkspaceConfiguration, key: keyof Settings): unknown {
  const found = configuration.inspect(key);
  return found?.globalValue ?? found?.defaultValue;
}

/** Whether a setting is written down anywhere: then it is the person's wish, not our default. */
export function isSet(key: keyof Settings, resource: vscode.Uri): boolean {
  const found = vscode.workspace.getConfiguration(settingsSection, resource).inspect(key);
  return (
    found !== undefined &&
    [found.globalValue, found.workspaceValue, found.workspaceFolderValue].some((value) => value !== undefined)
  );
}
