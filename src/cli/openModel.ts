import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { FileAccess } from '../engine/files/fileAccess';
import { loadOnBackend } from '../engine/runtime/loadOnBackend';
import { checkIsFile } from '../engine/files/nodeFileAccess.node';
import { nodeRuntimes } from '../engine/runtime/nodeRuntimes.node';
import { Runtimes, type ChosenRuntime } from '../engine/runtime/runtimes';
import { headLabel, type HeadRef } from '../model/head';
import type { WeightedPosition } from '../model/pattern';
import type { EngineOptions, ModelSpec } from '../protocol';
import { bundledModelPath, modelPathOf } from './bundledModel';
import { commandFiles } from './commandFiles';
import type { NumbersOut } from './weightsFile';

/** What every explanation is asked beside its subject. */
export interface ModelOptions {
  /** A file, a folder, or a bundled model after `bundled:`. */
  readonly model: string | undefined;
  /** `layer.head`; of each source the head that reads it most where it is missing. */
  readonly head: string | undefined;
  readonly backend: EngineOptions['backend'];
  readonly isJson: boolean;
  /** Threads of the runtime; as many as it likes where it is missing. */
  readonly threads?: number;
  /** Where the numbers are written, if anywhere. */
  readonly out?: NumbersOut | undefined;
}

/** How many sources are listed for a token. */
export const numSources = 8;

/** A token that another reads, with the head that reads it most where no head was asked for. */
export interface Source extends WeightedPosition {
  readonly head?: string;
  /** Of rollout, what uniform attention comes to there. */
  readonly uniform?: number;
}

/** What is listed: one head, or of each source the head that reads it most; layers in the place of heads where a method makes one matrix of these. */
export function patternName(head: HeadRef | undefined, isJoined: boolean): string {
  if (head === undefined) return `strongest ${isJoined ? 'layer' : 'head'} of each source`;
  return isJoined ? `layer ${head.layer}` : `head ${headLabel(head)}`;
}

/** Where a model lies, the bundled one of a name where none is asked for. Throws `invalidArgument`. */
export function placeOf(
  { model, tokenizer }: { readonly model: string | undefined; readonly tokenizer: string | undefined },
  bundled?: string,
): Pick<ModelSpec, 'path' | 'tokenizerPath'> {
  return {
    path: model === undefined ? bundledModelPath(bundled) : modelPathOf(model),
    ...(tokenizer === undefined ? {} : { tokenizerPath: resolve(tokenizer) }),
  };
}

/** Loads a model, the bundled one of a name where none is asked for, with a tokenizer of one's own where one is given. Throws what loading throws, and `fileNotFound` or `fileUnreadable`. */
export async function openModel<Model>(
  { model, backend, threads = 0 }: ModelOptions,
  bundled: string | undefined,
  load: (choosing: Promise<ChosenRuntime>, access: FileAccess, spec: ModelSpec) => Promise<Model>,
  tokenizer?: string,
): Promise<Model> {
  if (tokenizer !== undefined) await checkIsFile(tokenizer);
  const spec: ModelSpec = { ...placeOf({ model, tokenizer }, bundled), backend, threads };
  return loadOnBackend(new Runtimes(nodeRuntimes, availableParallelism()), spec, (choosing) =>
    load(choosing, commandFiles, spec),
  );
}
