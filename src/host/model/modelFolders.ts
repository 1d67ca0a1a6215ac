import * as vscode from 'vscode';
import { holdsTokenizer } from '../../model/tokenizerNames';
import { modelFolderOf, modelVariants, type FolderFile, type ModelVariant } from '../../model/modelVariants';

/** Model files that are looked for in the workspace at most, and for how long. */
const maxWorkspaceFiles = 200;
const searchMilliseconds = 5000;
const skippedFolders = '**/{node_modules,.git,.venv,venv,__pycache__}/**';

/** A folder of the workspace with its model files, sizes not yet known. */
export interface FoundFolder {
  readonly uri: vscode.Uri;
  readonly variants: readonly ModelVariant[];
}

/** The folders of the workspace that hold models; empty in an untrusted workspace, and where this window cannot search. */
export async function findWorkspaceModels(): Promise<FoundFolder[]> {
  if (!vscode.workspace.isTrusted) return [];
  const ending = new vscode.CancellationTokenSource();
  const timer = setTimeout(() => ending.cancel(), searchMilliseconds);
  let files: readonly vscode.Uri[] = [];
  try {
    files = await vscode.workspace.findFiles('**/*.onnx', skippedFolders, maxWorkspaceFiles, ending.token);
  } catch {
    // There is no search here: the file can still be browsed for.
  } finally {
    clearTimeout(timer);
    ending.dispose();
  }
  const folders = new Map<string, { uri: vscode.Uri; files: FolderFile[] }>();
  for (const file of files) {
    const uri = file.with({ path: modelFolderOf(file.path) });
    const folder = folders.get(uri.toString()) ?? { uri, files: [] };
    folder.files.push({ name: file.path.slice(uri.path.length + 1), size: 0 });
    folders.set(uri.toString(), folder);
  }
  return [...folders.values()]
    .map((folder) => ({ uri: folder.uri, variants: modelVariants(folder.files) }))
    .sort((a, b) => (a.uri.path < b.uri.path ? -1 : 1));
}

/** The models in a folder and its folder `onnx`, with their sizes; empty for a file, and where the folder cannot be listed. */
export async function listVariants(folder: vscode.Uri): Promise<ModelVariant[]> {
  const names = await listFiles(folder);
  const inner = await listFiles(vscode.Uri.joinPath(folder, 'onnx'));
  const files = [...names, ...inner.map((name) => `onnx/${name}`)].filter((name) => /\.onnx(?:$|[._])/i.test(name));
  return modelVariants(
    await Promise.all(files.map(async (name) => ({ name, size: await sizeOf(vscode.Uri.joinPath(folder, name)) }))),
  );
}

/** What stands beside a model, by which one can tell what it reads. */
export interface Companions {
  readonly hasTokenizer: boolean;
  /** Whether there is a preprocessor_config.json, as models of images and sounds have it. */
  readonly hasPreprocessor: boolean;
}

/** Looks for the companions of a model file or folder. */
export async function findCompanions(model: vscode.Uri): Promise<Companions> {
  const folder = /\.onnx$/i.test(model.path) ? vscode.Uri.joinPath(model, '..') : model;
  const names = await listFiles(folder);
  if (/\/onnx\/?$/.test(folder.path)) names.push(...(await listFiles(vscode.Uri.joinPath(folder, '..'))));
  return { hasTokenizer: holdsTokenizer(names), hasPreprocessor: names.includes('preprocessor_config.json') };
}

/** Whether there is a file or a folder at an address. */
export async function isThere(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}

async function listFiles(folder: vscode.Uri): Promise<string[]> {
  try {
    return (await vscode.workspace.fs.readDirectory(folder))
      .filter(([, type]) => (type & vscode.FileType.Directory) === 0)
      .map(([name]) => name);
  } catch {
    return [];
  }
}

async function sizeOf(uri: vscode.Uri): Promise<number> {
  try {
    return (await vscode.workspace.fs.stat(uri)).size;
  } catch {
    return 0;
  }
}
