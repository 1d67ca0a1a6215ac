import { ExplorerError } from '../../base/errors';
import type { Backend } from '../../model/modelInfo';
import type { EngineOptions } from '../../protocol';
import { reasonOf } from './runtimeError';
import { backendTraits, portableBackend } from './backends';
import type { ChosenRuntime, Runtimes } from './runtimes';

/**
 * Loads a model on the backend that the options choose, or on the next that can load it; throws what `load` throws on the last.
 * `refused` are backends that are not to be taken, each with a sentence that says why; those that cannot load the model are added.
 * The runtime starts while `load` reads the model's files.
 */
export async function loadOnBackend<Model>(
  runtimes: Runtimes,
  { backend: wanted, threads }: EngineOptions,
  load: (choosing: Promise<ChosenRuntime>) => Promise<Model>,
  refused = new Map<Backend, string>(),
): Promise<Model> {
  for (;;) {
    const choosing = runtimes.choose(wanted, threads, refused);
    try {
      const [model] = await Promise.all([load(choosing), choosing]);
      return model;
    } catch (error) {
      const { backend } = (await choosing).runtime;
      if (!canGoElsewhere(error, backend)) throw error;
      refused.set(backend, cannotLoad(backend, error));
    }
  }
}

/**
 * Loads a model on WebAssembly, which gives the same everywhere, or on another backend where it lacks an operator or the room; throws what `load` throws
 * on WebAssembly where no other is there. `refused` takes why it is not WebAssembly.
 */
export async function loadPortably<Model>(
  runtimes: Runtimes,
  threads: number,
  load: (choosing: Promise<ChosenRuntime>) => Promise<Model>,
  refused: Map<Backend, string>,
): Promise<Model> {
  try {
    return await loadOnBackend(runtimes, { backend: portableBackend, threads }, load);
  } catch (error) {
    if (!(error instanceof ExplorerError) || !elsewhere.has(error.code)) throw error;
    refused.set(portableBackend, cannotLoad(portableBackend, error));
    try {
      return await loadOnBackend(runtimes, { backend: 'auto', threads }, load, refused);
    } catch {
      throw error;
    }
  }
}

const cannotLoad = (backend: Backend, error: ExplorerError): string =>
  `${backendTraits[backend].title} cannot load this model: ${reasonOf(error)}.`;

/** What the portable backend may fail with that another need not, where what runs need not be alike everywhere. */
const elsewhere: ReadonlySet<string> = new Set(['runtimeFailed', 'outOfMemory', 'modelTooLarge']);

/** Whether another backend may do what this one failed to do. */
export function canGoElsewhere(error: unknown, backend: Backend): error is ExplorerError {
  return error instanceof ExplorerError && backendTraits[backend].mayNotFailElsewhere.includes(error.code);
}
