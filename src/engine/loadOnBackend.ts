import { ExplorerError } from '../base/errors';
import type { EngineOptions } from '../protocol';
import { backendTitles, type ChosenRuntime, type Runtimes } from './runtimes';

/** Loads a model on the backend that the options choose, or on WebAssembly where that one cannot load it; throws what `load` throws on the last. */
export async function loadOnBackend<Model>(runtimes: Runtimes, { backend: wanted, threads }: EngineOptions, load: (chosen: ChosenRuntime) => Promise<Model>): Promise<Model> {
  const chosen = await runtimes.choose(wanted, threads);
  try {
    return await load(chosen);
  } catch (error) {
    const { backend } = chosen.runtime;
    if (backend === 'wasm' || !(error instanceof ExplorerError) || error.code !== 'runtimeFailed') throw error;
    const { runtime } = await runtimes.choose('wasm', threads);
    return load({ runtime, reason: `${backendTitles[backend]} cannot load this model: ${String(error.args[0])}.` });
  }
}
