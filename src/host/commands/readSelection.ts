import * as vscode from 'vscode';
import type { ExplainController } from '../run/explainController';
import { whileModeIsWritten } from '../readSettings';
import { settingsSection, type SelectionMode } from '../settings';

/** Reads what was selected in the other way, and keeps that in the settings: in the workspace's where those have it, else in the person's own. */
export async function readSelection(mode: SelectionMode, controller: ExplainController): Promise<void> {
  const find = controller.lastSource;
  if (find === undefined) return;
  const explaining = controller.explain(async () => {
    const source = await find();
    if ('picture' in source) return source;
    const { around, ...anew } = source;
    return { ...anew, mode };
  });
  await Promise.all([explaining, whileModeIsWritten(mode, () => writeMode(mode, find))]);
}

/** Explains the document that is shown from its start, wherever the caret is. */
export async function explainFromStart(controller: ExplainController): Promise<void> {
  const find = controller.lastSource;
  if (find === undefined) return;
  await controller.explain(async () => {
    const source = await find();
    return 'picture' in source ? source : { ...source, range: undefined, second: undefined, around: 'start' };
  });
}

async function writeMode(mode: SelectionMode, find: NonNullable<ExplainController['lastSource']>): Promise<void> {
  const source = await find();
  if ('picture' in source) return;
  const configuration = vscode.workspace.getConfiguration(settingsSection, source.document.uri);
  const found = configuration.inspect('selection');
  const target =
    found?.workspaceFolderValue !== undefined
      ? vscode.ConfigurationTarget.WorkspaceFolder
      : found?.workspaceValue !== undefined
        ? vscode.ConfigurationTarget.Workspace
        : vscode.ConfigurationTarget.Global;
  await configuration.update('selection', mode, target);
}
