import { ExplorerError } from '../../base/errors';
import { analyzeModel, type ModelAnalysis } from '../../onnx/find/analyzeModel';
import type { BranchChoice } from '../../onnx/graph/hoistBranches';
import { compactModel } from '../../onnx/file/compactModel';
import type { OnnxModel } from '../../onnx/file/onnxModel';
import { otherFormat } from '../../onnx/file/otherFormat';
import { isOrtFormat, readModel } from '../../onnx/file/readModel';
import { baseName, folderOf, joinPath, type FileAccess, type OpenFile } from './fileAccess';
import { LazyBytes } from './lazyBytes';

/** A model file, read and analysed, with access to the files beside it. */
export interface ModelFiles {
  readonly path: string;
  /** File name, for messages. */
  readonly name: string;
  readonly analysis: ModelAnalysis;
  readonly access: FileAccess;
}

/**
 * Reads and analyses a model file; its large tensors stay in the file where it can be read in parts.
 * Throws what reading a file and {@link readModel} throw.
 */
export async function readModelFiles(access: FileAccess, path: string, choose?: BranchChoice): Promise<ModelFiles> {
  const model = await readModelFile(access, path);
  return { path, name: model.name, analysis: analyzeModel(model, choose), access };
}

/** The files that a model's weights lie in beside its own, by the names that its tensors have for them. Throws as {@link readModelFiles} does. */
export async function weightFilesOf(access: FileAccess, path: string): Promise<readonly string[]> {
  const { graph, ownFile } = await readModelFile(access, path);
  const locations = graph.initializers.flatMap(({ external }) => external?.location ?? []);
  return [...new Set(locations)].filter((location) => location !== ownFile);
}

async function readModelFile(access: FileAccess, path: string): Promise<OnnxModel> {
  if (!(await access.exists(path))) throw new ExplorerError('modelNotFound', [path]);
  const name = baseName(path);
  const file = await access.open?.(path);
  const refuseOthers = (head: Uint8Array): void => {
    const other = otherFormat(head);
    if (other !== undefined) throw new ExplorerError('modelNotOnnx', [name, other]);
  };
  if (file === undefined) {
    const bytes = await access.read(path, 'model');
    refuseOthers(bytes);
    return readModel(bytes, name);
  }
  try {
    if (isOrtFormat(file.read(0, 8))) throw new ExplorerError('modelOrtFormat', [name]);
    refuseOthers(file.read(0, 256));
    const { bytes, ownName } = compactModel(file, name);
    return readModel(bytes, name, { fileBytes: file.size, ownFile: ownName });
  } finally {
    file.close();
  }
}

/**
 * The path of a weights file that a model names, which must lie in the model's own folder or below.
 * Throws `externalDataOutside` for anything that leads out of it.
 */
export function externalDataPath(modelPath: string, location: string): string {
  const outside = (): ExplorerError => new ExplorerError('externalDataOutside', [baseName(modelPath), location]);
  if (
    location === '' ||
    /^[/\\]/.test(location) ||
    /^[A-Za-z][A-Za-z0-9+.-]*:/.test(location) ||
    location.includes('\0')
  )
    throw outside();
  const parts = location.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..')) throw outside();
  return joinPath(folderOf(modelPath), parts.join('/'));
}

/** Weights files as the runtime wants them, and how to let go of them when it has read them. */
export interface ExternalData {
  readonly files: readonly { readonly path: string; readonly data: Uint8Array }[];
  close(): void;
}

/** No weights files: the model has none, or the runtime reads them by itself. */
export const noExternalData: ExternalData = { files: [], close: () => {} };

/** Opens the weights files that a model names, in parts where that can be. Throws `externalDataOutside`, `externalDataMissing` or `externalDataInvalid`. */
export async function openExternalData(model: ModelFiles, locations: readonly string[]): Promise<ExternalData> {
  const { access } = model;
  const files: { path: string; data: Uint8Array }[] = [];
  const opened: OpenFile[] = [];
  const close = (): void => opened.forEach((file) => file.close());
  try {
    for (const { location, path } of await externalDataPaths(model, locations)) {
      const file = await access.open?.(path);
      if (file !== undefined) opened.push(file);
      files.push({
        path: location,
        data: file === undefined ? await access.read(path, 'weights') : new LazyBytes(file),
      });
    }
  } catch (error) {
    close();
    throw error;
  }
  return { files, close };
}

/** Reads the weights files that a model names, whole. Throws as {@link openExternalData} does. */
export async function readExternalData(model: ModelFiles, locations: readonly string[]): Promise<ExternalData> {
  const paths = await externalDataPaths(model, locations);
  return {
    files: await Promise.all(
      paths.map(async ({ location, path }) => ({ path: location, data: await model.access.read(path, 'weights') })),
    ),
    close: () => {},
  };
}

/** A file that only stands for weights is no larger. */
const mostStandInBytes = 2 ** 20;

/** Throws `externalDataInvalid` for what a download that went wrong leaves in the place of weights. */
async function refuseStandIn(access: FileAccess, path: string, model: string, location: string): Promise<void> {
  const file = await access.open?.(path);
  if (file === undefined) return; // it is read whole, and found to be too short
  try {
    const reason = file.size > mostStandInBytes ? undefined : otherFormat(file.read(0, 256));
    if (reason !== undefined) throw new ExplorerError('externalDataInvalid', [model, location, reason]);
  } finally {
    file.close();
  }
}

/** Where the weights files that a model names lie, all of them there. Throws as {@link openExternalData} does. */
export async function externalDataPaths(
  { path, name, analysis, access }: ModelFiles,
  locations: readonly string[],
): Promise<{ readonly location: string; readonly path: string }[]> {
  const found: { location: string; path: string }[] = [];
  for (const location of locations) {
    const each = location === analysis.model.ownFile ? path : externalDataPath(path, location);
    const isThere = await access.exists(each).catch((error: unknown) => {
      throw error instanceof ExplorerError && error.code === 'fileOutside'
        ? new ExplorerError('externalDataOutside', [name, location], { cause: error })
        : error;
    });
    if (!isThere) throw new ExplorerError('externalDataMissing', [name, location]);
    await refuseStandIn(access, each, name, location);
    // The runtime looks files up by the name in the model, without a leading "./".
    found.push({ location: location.replace(/^\.\//, ''), path: each });
  }
  return found;
}
