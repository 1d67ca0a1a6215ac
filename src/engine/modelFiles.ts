import { ExplorerError } from '../base/errors';
import { analyzeModel, type ModelAnalysis } from '../onnx/analyzeModel';
import type { BranchChoice } from '../onnx/hoistBranches';
import { readModel } from '../onnx/readModel';
import { baseName, folderOf, joinPath, type FileAccess } from './fileAccess';

/** A model file, read and analysed, with access to the files beside it. */
export interface ModelFiles {
  readonly path: string;
  /** File name, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly analysis: ModelAnalysis;
  readonly access: FileAccess;
}

/** Reads and analyses a model file. Throws what reading a file and {@link readModel} throw. */
export async function readModelFiles(access: FileAccess, path: string, choose?: BranchChoice): Promise<ModelFiles> {
  if (!(await access.exists(path))) throw new ExplorerError('modelNotFound', [path]);
  const bytes = await access.read(path);
  const name = baseName(path);
  return { path, name, bytes, analysis: analyzeModel(readModel(bytes, name), choose), access };
}

/**
 * The path of a weights file that a model names, which must lie in the model's own folder or below.
 * Throws `externalDataOutside` for anything that leads out of it.
 */
export function externalDataPath(modelPath: string, location: string): string {
  const outside = (): ExplorerError => new ExplorerError('externalDataOutside', [baseName(modelPath), location]);
  if (location === '' || /^[/\\]/.test(location) || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(location) || location.includes('\0')) throw outside();
  const parts = location.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..')) throw outside();
  return joinPath(folderOf(modelPath), parts.join('/'));
}

/** Reads the weights files that a model names. Throws `externalDataOutside` or `externalDataMissing`. */
export async function readExternalData(files: ModelFiles, locations: readonly string[]): Promise<{ path: string; data: Uint8Array }[]> {
  const paths = locations.map((location) => externalDataPath(files.path, location));
  const data: { path: string; data: Uint8Array }[] = [];
  for (const [i, path] of paths.entries()) {
    if (!(await files.access.exists(path))) throw new ExplorerError('externalDataMissing', [files.name, locations[i]]);
    // The runtime looks files up by the name in the model, without a leading "./".
    data.push({ path: locations[i].replace(/^\.\//, ''), data: await files.access.read(path) });
  }
  return data;
}
