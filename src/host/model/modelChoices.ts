import * as vscode from 'vscode';
import type { KeptDownload } from '../../hub/hub';
import { bundledModelsUri, readBundledModels } from './bundledModels';
import { findCompanions, findWorkspaceModels, isThere, type FoundFolder } from './modelFolders';
import { defaultModelName, modelUri, settingOf, type ModelPlaces } from './modelLocation';
import { bundledPrefix } from './modelPath';
import type { RecentModels } from './recentModels';
import { isUntrusted } from './untrustedFolders';

/** What a model reads. */
export type Reads = 'text' | 'image';

/** A download, as a list shows it. */
export interface ListedDownload extends KeptDownload {
  /** Whether this window is downloading it. */
  readonly isUnderWay: boolean;
}

/** A model that can be chosen. */
export interface ModelChoice {
  readonly group: 'bundled' | 'workspace' | 'downloaded' | 'recent';
  readonly uri: vscode.Uri;
  /** What the setting becomes. */
  readonly path: string;
  readonly title: string;
  /** One line about it: a sentence, or where it lies. */
  readonly detail: string;
  /** Undefined where that is not known without opening it. */
  readonly reads: Reads | undefined;
  /** Number of files that one has to be chosen of; 1 where the choice is made. */
  readonly numVariants: number;
  /** Of what came from the hub, whole or not yet. */
  readonly download?: ListedDownload;
}

/** The bundled models that are there. */
export async function bundledChoices({ extensionUri }: ModelPlaces): Promise<ModelChoice[]> {
  const models = await readBundledModels(extensionUri);
  return models.map(({ name, title, description, reads, uri }) => ({
    group: 'bundled',
    uri,
    path: name === defaultModelName ? '' : bundledPrefix + name,
    title,
    detail: description,
    reads,
    numVariants: 1,
  }));
}

/** The models of the workspace: a folder that holds one model in several precisions is one choice, other files are one each. */
export async function workspaceChoices(
  { hasFilePaths }: ModelPlaces,
  wanted: Reads | undefined,
): Promise<ModelChoice[]> {
  const found = (await findWorkspaceModels()).flatMap((folder) => choicesOf(folder, hasFilePaths));
  return wanted === undefined ? found : Promise.all(found.map(withReads));
}

/** The models that were chosen last and are still there, without those of a workspace that is not trusted; what is there no more is forgotten. */
export async function recentChoices(
  places: ModelPlaces,
  recent: RecentModels,
  wanted: Reads | undefined,
): Promise<ModelChoice[]> {
  const found = await Promise.all(
    recent.paths.map(async (path): Promise<ModelChoice | string> => {
      let uri: vscode.Uri;
      try {
        uri = modelUri(path, places, undefined);
      } catch {
        return path;
      }
      return (await isThere(uri))
        ? { group: 'recent', uri, path, title: nameOf(uri), detail: path, reads: undefined, numVariants: 1 }
        : path;
    }),
  );
  await recent.drop(found.filter((entry) => typeof entry === 'string'));
  const choices = found
    .filter((entry) => typeof entry !== 'string')
    .filter(({ uri }) => !isUntrusted(uri, bundledModelsUri(places.extensionUri)));
  return wanted === undefined ? choices : Promise.all(choices.map(withReads));
}

/** What was downloaded from the hub, or begun. */
export async function downloadedChoices(
  downloads: readonly ListedDownload[],
  { hasFilePaths }: ModelPlaces,
  wanted: Reads | undefined,
): Promise<ModelChoice[]> {
  const choices = downloads.map((download): ModelChoice => {
    const uri = vscode.Uri.file(download.modelPath);
    return {
      group: 'downloaded',
      uri,
      path: settingOf(uri, hasFilePaths),
      title: download.name,
      detail: `${download.model} · ${download.revision.slice(0, 8)}`,
      reads: undefined,
      numVariants: 1,
      download,
    };
  });
  return wanted === undefined ? choices : Promise.all(choices.map(withReads));
}

function choicesOf({ uri, variants }: FoundFolder, hasFilePaths: boolean): ModelChoice[] {
  const choice = (at: vscode.Uri, title: string, numVariants: number): ModelChoice => ({
    group: 'workspace',
    uri: at,
    path: settingOf(at, hasFilePaths),
    title,
    detail: vscode.workspace.asRelativePath(at),
    reads: undefined,
    numVariants,
  });
  const named = variants.filter(({ precision }) => precision !== 'unknown');
  const others = variants
    .filter(({ precision }) => precision === 'unknown')
    .map(({ name }) => vscode.Uri.joinPath(uri, name));
  return [
    ...(named.length > 0 ? [choice(uri, nameOf(uri), variants.length)] : []),
    ...others.map((at) => choice(at, nameOf(at), 1)),
  ];
}

/** What stands beside a model tells what it reads, if not for sure. */
async function withReads(choice: ModelChoice): Promise<ModelChoice> {
  const { hasTokenizer, hasPreprocessor } = await findCompanions(choice.uri);
  return { ...choice, reads: hasTokenizer ? 'text' : hasPreprocessor ? 'image' : undefined };
}

/** What a model's file or folder is called: of the files that are all called model.onnx, the folder says more. */
export function nameOf({ path }: vscode.Uri): string {
  const parts = path.split('/').filter((part) => part !== '');
  const last = parts.at(-1) ?? path;
  if (!/^(?:encoder_|decoder_)?model.*\.onnx$/i.test(last)) return last;
  const folder = parts
    .slice(0, -1)
    .filter((part) => part !== 'onnx')
    .at(-1);
  return folder === undefined ? last : last === 'model.onnx' ? folder : `${folder}/${last}`;
}
