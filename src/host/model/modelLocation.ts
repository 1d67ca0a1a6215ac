import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import type { ModelSpec } from '../../protocol';
import type { Settings } from '../settings';
import { parseModelPath } from './modelPath';

/** Where models are, seen from this window. */
export interface ModelPlaces {
  readonly extensionUri: vscode.Uri;
  /** Whether the engine reads files by path; else by address, through the window. */
  readonly hasFilePaths: boolean;
  readonly homePath: string | undefined;
}

/** A model with the address of its file or folder. */
export interface ModelLocation {
  readonly uri: vscode.Uri;
  readonly spec: ModelSpec;
  readonly isBundled: boolean;
}

/** The folder of the models that ship with the extension. */
export function bundledModels(extensionUri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'media', 'models');
}

/** The model that is used where the setting names none. */
export const defaultModelName = 'code-decoder';

/** The model that the settings name, for a document. Throws `modelNotFound` where its path leads nowhere from here. */
export function locateModel(settings: Settings, places: ModelPlaces, resource: vscode.Uri | undefined): ModelLocation {
  const isBundled = settings.modelPath === '';
  const uri = isBundled ? vscode.Uri.joinPath(bundledModels(places.extensionUri), defaultModelName) : uriOf(settings.modelPath, places, resource);
  if (places.hasFilePaths && uri.scheme !== 'file') throw new ExplorerError('modelNotFound', [settings.modelPath]);
  return { uri, isBundled, spec: { path: places.hasFilePaths ? uri.fsPath : uri.toString(), backend: settings.backend, threads: settings.threads } };
}

function uriOf(written: string, places: ModelPlaces, resource: vscode.Uri | undefined): vscode.Uri {
  const path = parseModelPath(written, places.homePath);
  const folder = (resource && vscode.workspace.getWorkspaceFolder(resource)) ?? vscode.workspace.workspaceFolders?.[0];
  switch (path.kind) {
    case 'address':
      return vscode.Uri.parse(path.address, true);
    case 'absolute':
      // In the web an absolute path is one on the workspace's own file system.
      return places.hasFilePaths || folder === undefined ? vscode.Uri.file(path.path) : folder.uri.with({ path: path.path });
    case 'relative':
      if (folder === undefined) throw new ExplorerError('modelNotFound', [written]);
      return vscode.Uri.joinPath(folder.uri, path.path);
  }
}
