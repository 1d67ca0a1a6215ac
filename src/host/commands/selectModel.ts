import * as vscode from 'vscode';
import { bundledModels, defaultModelName } from '../model/modelLocation';
import { readSettings } from '../readSettings';
import { settingsSection } from '../settings';

/** Models that are looked for in the workspace at most. */
const maxWorkspaceModels = 50;
const maxRecentModels = 8;
const recentKey = 'recentModels';

interface ModelItem extends vscode.QuickPickItem {
  /** What the setting becomes; undefined for the two that browse. */
  readonly path?: string;
  readonly browse?: 'file' | 'folder';
}

/** What choosing a model needs of the window. */
export interface SelectModelDependencies {
  readonly extensionUri: vscode.Uri;
  readonly recent: vscode.Memento;
  readonly hasFilePaths: boolean;
}

/** Lets the person choose a model and writes the setting where it holds; resolves to whether it was changed or confirmed. */
export async function selectModel(deps: SelectModelDependencies): Promise<boolean> {
  const current = readSettings(vscode.window.activeTextEditor?.document.uri).modelPath;
  const chosen = await vscode.window.showQuickPick(itemsOf(deps, current), { title: vscode.l10n.t('Select Model'), placeHolder: vscode.l10n.t('An .onnx file, or a folder that holds one with its tokenizer.json'), matchOnDescription: true });
  if (chosen === undefined) return false;
  const path = chosen.browse === undefined ? chosen.path : await browse(chosen.browse, deps.hasFilePaths);
  if (path === undefined) return false;
  await writeModelPath(path);
  if (path !== '') await deps.recent.update(recentKey, [path, ...recentModels(deps.recent).filter((known) => known !== path)].slice(0, maxRecentModels));
  return true;
}

/** Writes the model path to the user's settings, and to the workspace's where those would hide it. An untrusted workspace's hide nothing. */
export async function writeModelPath(path: string): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(settingsSection, vscode.window.activeTextEditor?.document.uri ?? null);
  const found = configuration.inspect<string>('modelPath');
  const target =
    !vscode.workspace.isTrusted ? vscode.ConfigurationTarget.Global
    : found?.workspaceFolderValue !== undefined ? vscode.ConfigurationTarget.WorkspaceFolder
    : found?.workspaceValue !== undefined ? vscode.ConfigurationTarget.Workspace
    : vscode.ConfigurationTarget.Global;
  // The default is not written down: it may move.
  await configuration.update('modelPath', path === '' ? undefined : path, target);
  if (path === '' && target !== vscode.ConfigurationTarget.Global && found?.globalValue) await configuration.update('modelPath', '', target);
}

async function itemsOf(deps: SelectModelDependencies, current: string): Promise<ModelItem[]> {
  const separator = (label: string): ModelItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const item = (path: string): ModelItem => ({ label: `$(file) ${nameOf(path)}`, description: path === current ? vscode.l10n.t('in use') : '', detail: path, path });
  const inWorkspace = await workspaceModels(deps.hasFilePaths);
  const recent = recentModels(deps.recent).filter((path) => !inWorkspace.includes(path));
  return [
    separator(vscode.l10n.t('bundled')),
    { label: `$(package) ${defaultModelName}`, description: current === '' ? vscode.l10n.t('in use') : '', detail: bundledModels(deps.extensionUri).path, path: '' },
    ...(inWorkspace.length > 0 ? [separator(vscode.l10n.t('in this workspace')), ...inWorkspace.map(item)] : []),
    ...(recent.length > 0 ? [separator(vscode.l10n.t('recent')), ...recent.map(item)] : []),
    separator(vscode.l10n.t('elsewhere')),
    { label: vscode.l10n.t('$(folder-opened) Browse for a File …'), browse: 'file' },
    { label: vscode.l10n.t('$(folder-opened) Browse for a Folder …'), browse: 'folder' },
  ];
}

async function workspaceModels(hasFilePaths: boolean): Promise<string[]> {
  const found = await vscode.workspace.findFiles('**/*.onnx', '**/node_modules/**', maxWorkspaceModels);
  return found.map((uri) => pathOf(uri, hasFilePaths)).sort();
}

async function browse(kind: 'file' | 'folder', hasFilePaths: boolean): Promise<string | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Select Model'),
      openLabel: vscode.l10n.t('Use This Model'),
      canSelectFiles: kind === 'file',
      canSelectFolders: kind === 'folder',
      ...(kind === 'file' ? { filters: { [vscode.l10n.t('ONNX models')]: ['onnx'] } } : {}),
    })) ?? [];
  return uri && pathOf(uri, hasFilePaths);
}

function pathOf(uri: vscode.Uri, hasFilePaths: boolean): string {
  return hasFilePaths && uri.scheme === 'file' ? uri.fsPath : uri.toString();
}

/** The last two parts of a path: a file is mostly called model.onnx. */
function nameOf(path: string): string {
  return path.split(/[/\\]/).slice(-2).join('/');
}

function recentModels(recent: vscode.Memento): string[] {
  const value = recent.get<unknown>(recentKey);
  return Array.isArray(value) ? value.filter((path) => typeof path === 'string') : [];
}
