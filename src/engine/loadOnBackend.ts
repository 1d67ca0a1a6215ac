import { ExplorerError } from '../base/errors';
import type { EngineOptions } from '../protocol';
import { backendTitles, type ChosenRuntime, type Runtimes } from './runtimes';

/**
 * Loads a model on the backend that the options choose, or on WebAssembly where that one cannot load it; throws what `load` throws on the last.
 * The runtime starts while `load` reads the model's files.
 */
export async function loadOnBackend<Model>(runtimes: Runtimes, { backend: wanted, threads }: EngineOptions, load: (choosing: Promise<ChosenRuntime>) => Promise<Model>): Promise<Model> {
  const choosing = runtimes.choose(wanted, threads);
  try {
    const [model] = await Promise.all([load(choosing), choosing]);
    return model;
  } catch (error) {
    const { backend } = (await choosing).runtime;
    if (backend === 'wasm' || !(error instanceof ExplorerError) || error.code !== 'runtimeFailed') throw error;
    const { runtime } = await runtimes.choose('wasm', threads);
    return load(Promise.resolve({ runtime, reason: `${backendTitles[backend]} cannot load this model: ${String(error.args[0])}.` }));
  }
}
