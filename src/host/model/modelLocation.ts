import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import type { ModelSpec } from '../../protocol';
import { documentName } from '../run/documentName';
import type { Settings } from '../settings';
import { bundledModelsUri } from './bundledModels';
import type { ChosenTokenizers } from './chosenTokenizers';
import { parseModelPath } from './modelPath';
import { barredFolders, isUntrusted } from './untrustedFolders';

/** Where models are, seen from this window. */
export interface ModelPlaces {
  readonly extensionUri: vscode.Uri;
  /** Whether the engine reads files by path; else by address, through the window. */
  readonly hasFilePaths: boolean;
  readonly homePath: string | undefined;
  readonly tokenizers: ChosenTokenizers;
}

/** A model with the address of its file or folder. */
export interface ModelLocation {
  readonly uri: vscode.Uri;
  /** The tokenizer that the person chose for it. */
  readonly tokenizerUri: vscode.Uri | undefined;
  readonly spec: ModelSpec;
}

/** The model that is used where the setting names none. */
export const defaultModelName = 'code-decoder';

/**
 * The model that the settings name, for a document. Throws `modelNotFound` where its path leads nowhere from here, and `untrustedModel` where
 * a workspace that is not trusted would supply it. An engine that reads by itself says that too, of where links lead.
 */
export function locateModel(
  settings: Pick<Settings, 'modelPath' | 'backend' | 'threads'>,
  places: ModelPlaces,
  resource: vscode.Uri | undefined,
): ModelLocation {
  const uri = modelUri(settings.modelPath, places, resource);
  if (places.hasFilePaths && uri.scheme !== 'file') throw new ExplorerError('modelNotFound', [settings.modelPath]);
  const tokenizerUri = places.tokenizers.get(uri);
  const bundled = bundledModelsUri(places.extensionUri);
  // What a path relative to the workspace leads to is the workspace's to say, by its own links as well.
  const isRelative =
    settings.modelPath !== '' && parseModelPath(settings.modelPath, places.homePath).kind === 'relative';
  if (isRelative && !vscode.workspace.isTrusted) throw new ExplorerError('untrustedModel', [settings.modelPath]);
  const untrusted = places.hasFilePaths
    ? undefined
    : [uri, tokenizerUri].find((each) => each !== undefined && isUntrusted(each, bundled));
  if (untrusted !== undefined) throw new ExplorerError('untrustedModel', [documentName(untrusted)]);
  const barred = places.hasFilePaths ? barredFolders(places.extensionUri) : undefined;
  const tokenizerPath = tokenizerUri && enginePath(tokenizerUri, places.hasFilePaths);
  return {
    uri,
    tokenizerUri,
    spec: {
      path: enginePath(uri, places.hasFilePaths),
      backend: settings.backend,
      threads: settings.threads,
      ...(tokenizerPath === undefined ? {} : { tokenizerPath }),
      ...(barred === undefined ? {} : { barred }),
    },
  };
}

/** The address of the model that a setting names. Throws `modelNotFound` for a path relative to a workspace that is not there. */
export function modelUri(
  written: string,
  { extensionUri, hasFilePaths, homePath }: Pick<ModelPlaces, 'extensionUri' | 'hasFilePaths' | 'homePath'>,
  resource: vscode.Uri | undefined,
): vscode.Uri {
  if (written === '') return vscode.Uri.joinPath(bundledModelsUri(extensionUri), defaultModelName);
  const path = parseModelPath(written, homePath);
  const folder = (resource && vscode.workspace.getWorkspaceFolder(resource)) ?? vscode.workspace.workspaceFolders?.[0];
  switch (path.kind) {
    case 'bundled':
      return vscode.Uri.joinPath(bundledModelsUri(extensionUri), path.name);
    case 'address':
      return vscode.Uri.parse(path.address, true);
    case 'absolute':
      // In the web an absolute path is one on the workspace's own file system.
      return hasFilePaths || folder === undefined ? vscode.Uri.file(path.path) : folder.uri.with({ path: path.path });
    case 'relative':
      if (folder === undefined) throw new ExplorerError('modelNotFound', [written]);
      return vscode.Uri.joinPath(folder.uri, path.path);
  }
}

/** What the setting says for an address: a path on this machine, or the address itself. */
export function settingOf(uri: vscode.Uri, hasFilePaths: boolean): string {
  return enginePath(uri, hasFilePaths && uri.scheme === 'file');
}

function enginePath(uri: vscode.Uri, hasFilePaths: boolean): string {
  return hasFilePaths ? uri.fsPath : uri.toString();
}
