import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../base/errors';
import { warmUpModel } from './warmUpModel';

/** The runtime module, injected by the entry that knows its build. */
export type OrtModule = Pick<typeof Ort, 'env' | 'InferenceSession' | 'Tensor'>;

/** More threads than this did not help any model that was measured. */
const maxThreads = 4;

/** Initialises the runtime once; its number of threads cannot change after that. */
export class Runtime {
  readonly ort: OrtModule;
  readonly #numProcessors: number;
  #numThreads = 0;
  #ready: Promise<void> | undefined;

  constructor(ort: OrtModule, numProcessors: number) {
    this.ort = ort;
    this.#numProcessors = numProcessors;
  }

  /** Threads in use; 0 before the first {@link initialize}. */
  get numThreads(): number {
    return this.#numThreads;
  }

  /** @param threads as asked for; 0 lets us choose: all of two processors, else one less than there are, at most four. */
  initialize(threads: number): Promise<void> {
    return (this.#ready ??= this.#start(threads));
  }

  async #start(threads: number): Promise<void> {
    const available = this.#numProcessors;
    const chosen = available <= 2 ? available : Math.min(available - 1, maxThreads);
    this.#numThreads = threads > 0 ? Math.min(threads, available) : chosen;
    this.ort.env.wasm.numThreads = this.#numThreads;
    this.ort.env.logLevel = 'error';
    try {
      const session = await this.ort.InferenceSession.create(warmUpModel, { executionProviders: ['wasm'] });
      await session.release();
    } catch (error) {
      throw new ExplorerError('runtimeFailed', ['it could not be started'], { cause: error });
    }
  }
}
