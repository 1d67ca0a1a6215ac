import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import type { Backend } from '../../model/modelInfo';
import { addsBytesExactly } from './eightBitSums';
import { exclusively } from '../limits/runLock';
import { runtimeError } from './runtimeError';
import { warmUpModel } from './warmUpModel';

/** The runtime module, injected by the entry that knows its build. */
export type OrtModule = Pick<typeof Ort, 'env' | 'InferenceSession' | 'Tensor'>;

/** More threads than this did not help any model that was measured. */
const maxThreads = 4;

/** The runtime prints nothing but what ends the process: what it has to say comes as an error, which is told in our words. */
export const silentSeverity = 4;
export const silently: Ort.InferenceSession.RunOptions = { logSeverityLevel: silentSeverity };

/** What is used of a GPUDevice. */
interface GraphicsDevice {
  readonly adapterInfo?: { readonly isFallbackAdapter?: boolean };
  readonly lost: Promise<{ readonly message: string }>;
}

/** A build of the runtime, initialised once; its number of threads cannot change after that. */
export class Runtime {
  readonly ort: OrtModule;
  readonly backend: Backend;
  readonly #numProcessors: number;
  #numThreads = 0;
  #lost: string | undefined;
  #isSoftware = false;
  #isWatched = false;
  /** What is told when the device is lost. */
  readonly #waiting = new Set<(reason: Error) => void>();
  /** The graphics device, and what was compiled for it, live as long as some session does. */
  readonly #held: Ort.InferenceSession[] = [];
  #ready: Promise<void> | undefined;
  #addsExactly: Promise<boolean> | undefined;

  constructor(ort: OrtModule, numProcessors: number, backend: Backend = 'wasm') {
    this.ort = ort;
    this.backend = backend;
    this.#numProcessors = numProcessors;
  }

  /** Threads in use; 0 before the first {@link initialize}. */
  get numThreads(): number {
    return this.#numThreads;
  }

  /** Whether it is the native build, which reads files by itself and has no 32-bit memory; WebGPU comes with either build. */
  get isNative(): boolean {
    return 'listSupportedBackends' in this.ort; // only that build has more than one to list
  }

  /** Why it can run nothing any more; undefined while it can. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** Whether its graphics adapter is known to be a program for the processor. */
  get isSoftware(): boolean {
    return this.#isSoftware;
  }

  /** How sessions of this backend are made. */
  get sessionOptions(): Ort.InferenceSession.SessionOptions {
    switch (this.backend) {
      case 'native':
        return { executionProviders: ['cpu'], intraOpNumThreads: Math.max(1, this.#numThreads) };
      case 'webgpu':
        return {
          executionProviders: ['webgpu'],
          ...(this.isNative ? { intraOpNumThreads: Math.max(1, this.#numThreads) } : {}),
        };
      case 'wasm':
        return { executionProviders: ['wasm'] };
    }
  }

  /**
   * The runtime's own settings for a session of this backend. Where products of bytes saturate, the model would compute something
   * else: the setting avoids them, slowly, and has no kernels for some models, so it is only made where this processor needs it.
   * @param hasBytes whether the model multiplies bytes.
   */
  async sessionConfig(hasBytes: boolean): Promise<Readonly<Record<string, string>>> {
    if (!this.isNative || !hasBytes) return {};
    const isExact = await (this.#addsExactly ??= exclusively(this.ort, () =>
      addsBytesExactly(this.ort, {
        executionProviders: ['cpu'],
        intraOpNumThreads: 1,
        logSeverityLevel: silentSeverity,
      }),
    ).catch(() => false));
    return isExact ? {} : { x64quantprecision: '1' };
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
    this.ort.env.logLevel = 'fatal';
    try {
      const session = await this.ort.InferenceSession.create(warmUpModel, {
        ...this.sessionOptions,
        logSeverityLevel: silentSeverity,
      });
      if (this.backend !== 'webgpu') return await session.release();
      this.#held.push(session);
      if (!this.isNative) await this.#watchDevice();
    } catch (error) {
      const typed = runtimeError(error, 'starting the runtime');
      throw typed.code === 'outOfMemory'
        ? typed
        : new ExplorerError('runtimeFailed', ['it could not be started'], { cause: error });
    }
  }

  async #watchDevice(): Promise<void> {
    const device = (await this.ort.env.webgpu.device) as GraphicsDevice; // typed where a browser's types are known, which this file does without
    this.#isSoftware = device.adapterInfo?.isFallbackAdapter === true;
    void device.lost.then(({ message }) => {
      this.#lost = `the graphics device was lost${message === '' ? '' : ` (${message.replace(/\.$/, '')})`}`;
      for (const giveUp of this.#waiting) giveUp(new Error(this.#lost));
    });
    this.#isWatched = true;
  }

  /** What the runtime does; throws when the device is lost under it, where the runtime itself would wait for ever. */
  async unlessLost<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isWatched) return work();
    if (this.#lost !== undefined) throw new Error(this.#lost);
    let giveUp: (reason: Error) => void = () => {};
    const loss = new Promise<never>((_resolve, reject) => (giveUp = reject));
    this.#waiting.add(giveUp);
    try {
      return await Promise.race([work(), loss]);
    } finally {
      this.#waiting.delete(giveUp);
    }
  }
}
