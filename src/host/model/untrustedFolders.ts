import * as vscode from 'vscode';
import type { BarredFolders } from '../../protocol';
import { isInside } from '../engine/isInside';
import { bundledModelsUri } from './bundledModels';
import { mayLieIn } from './workspaceAddress';

/** The folders of the workspace while it is not trusted: nothing in them may become a model. */
export function untrustedFolders(): readonly vscode.Uri[] {
  return vscode.workspace.isTrusted ? [] : (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri);
}

/** Their paths on this machine. */
export function barredPaths(): readonly string[] {
  return untrustedFolders()
    .filter(({ scheme }) => scheme === 'file')
    .map(({ fsPath }) => fsPath);
}

/** The same for an engine that reads files by itself, which resolves links; undefined where nothing is barred. */
export function barredFolders(extensionUri: vscode.Uri): BarredFolders | undefined {
  const folders = barredPaths();
  return folders.length === 0 ? undefined : { folders, except: bundledModelsUri(extensionUri).fsPath };
}

/** Whether a model or a file of one lies in a workspace that is not trusted, as far as its address tells. Our own models may be used wherever they lie. */
export function isUntrusted(uri: vscode.Uri, bundledModels: vscode.Uri): boolean {
  const isOurs =
    uri.scheme === bundledModels.scheme &&
    uri.authority === bundledModels.authority &&
    isInside(bundledModels.path, uri.path);
  return !isOurs && mayLieIn(untrustedFolders(), uri);
}
