import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { FileAccess } from '../engine/fileAccess';
import { loadOnBackend } from '../engine/loadOnBackend';
import { checkIsFile, nodeFileAccess } from '../engine/nodeFileAccess.node';
import { nodeRuntimes } from '../engine/nodeRuntimes.node';
import { Runtimes, type ChosenRuntime } from '../engine/runtimes';
import type { EngineOptions, ModelSpec } from '../protocol';
import { bundledModelPath, modelPathOf } from './bundledModel';

/** What every explanation is asked beside its subject. */
export interface ModelOptions {
  /** A file, a folder, or a bundled model after `bundled:`. */
  readonly model: string | undefined;
  /** `layer.head`; the mean of all heads where it is missing. */
  readonly head: string | undefined;
  readonly backend: EngineOptions['backend'];
  readonly isJson: boolean;
}

/** How many sources are listed for a token. */
export const numSources = 8;

/** Loads a model, the bundled one of a name where none is asked for, with a tokenizer of one's own where one is given. Throws what loading throws, and `fileNotFound` or `fileUnreadable`. */
export async function openModel<Model>({ model, backend }: ModelOptions, bundled: string | undefined, load: (choosing: Promise<ChosenRuntime>, access: FileAccess, spec: ModelSpec) => Promise<Model>, tokenizer?: string): Promise<Model> {
  if (tokenizer !== undefined) await checkIsFile(tokenizer);
  const spec: ModelSpec = { path: model === undefined ? bundledModelPath(bundled) : modelPathOf(model), backend, threads: 0, ...(tokenizer === undefined ? {} : { tokenizerPath: resolve(tokenizer) }) };
  return loadOnBackend(new Runtimes(nodeRuntimes, availableParallelism()), spec, (choosing) => load(choosing, nodeFileAccess, spec));
}
