import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../base/errors';
import type { Backend } from '../model/modelInfo';
import { warmUpModel } from './warmUpModel';

/** The runtime module, injected by the entry that knows its build. */
export type OrtModule = Pick<typeof Ort, 'env' | 'InferenceSession' | 'Tensor'>;

/** More threads than this did not help any model that was measured. */
const maxThreads = 4;

/** A build of the runtime, initialised once; its number of threads cannot change after that. */
export class Runtime {
  readonly ort: OrtModule;
  readonly backend: Backend;
  readonly #numProcessors: number;
  #numThreads = 0;
  #ready: Promise<void> | undefined;

  constructor(ort: OrtModule, numProcessors: number, backend: Backend = 'wasm') {
    this.ort = ort;
    this.backend = backend;
    this.#numProcessors = numProcessors;
  }

  /** Threads in use; 0 before the first {@link initialize}. */
  get numThreads(): number {
    return this.#numThreads;
  }

  /** How sessions of this backend are made. */
  get sessionOptions(): Ort.InferenceSession.SessionOptions {
    switch (this.backend) {
      case 'native':
        return { executionProviders: ['cpu'], intraOpNumThreads: Math.max(1, this.#numThreads) };
      case 'webgpu':
        return { executionProviders: ['webgpu'] };
      case 'wasm':
        return { executionProviders: ['wasm'] };
    }
  }

  /** The runtime's own settings for sessions of this backend. */
  get sessionConfig(): Readonly<Record<string, string>> {
    // Without this, 8-bit sums saturate on processors that lack the instructions for them, and the model computes something else.
    return this.backend === 'native' ? { x64quantprecision: '1' } : {};
  }

  /** @param threads as asked for; 0 lets us choose: all of two processors, else one less than there are, at most four. Throws `runtimeFailed`. */
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
      const session = await this.ort.InferenceSession.create(warmUpModel, this.sessionOptions);
      await session.release();
    } catch (error) {
      throw new ExplorerError('runtimeFailed', ['it could not be started'], { cause: error });
    }
  }
}
