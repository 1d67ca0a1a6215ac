import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import type { Backend } from '../../model/modelInfo';
import {
  backendTraits,
  onProcessor,
  portableBackend,
  runtimeBuilds,
  type BackendTraits,
  type RuntimeBuild,
} from './backends';
import { addsBytesExactly } from './eightBitSums';
import { exclusively } from '../limits/runLock';
import { runtimeError } from './runtimeError';
import { warmUpModel } from './warmUpModel';
import { WatchedDevice, type GraphicsDevice } from './watchedDevice';

/** The runtime module, injected by the entry that knows its build. */
export type OrtModule = Pick<typeof Ort, 'env' | 'InferenceSession' | 'Tensor'>;

/** More threads than this did not help any model that was measured. */
const maxThreads = 4;

/** The runtime prints nothing but what ends the process: what it has to say comes as an error, which is told in our words. */
export const silentSeverity = 4;
export const silently: Ort.InferenceSession.RunOptions = { logSeverityLevel: silentSeverity };

/** What sessions are made with. */
export type SessionRuntime = Pick<
  Runtime,
  'build' | 'traits' | 'lost' | 'sessionOptions' | 'sessionConfig' | 'unlessLost' | 'onProcessor'
>;

/** A build of the runtime, initialised once; its number of threads cannot change after that. */
export class Runtime {
  readonly ort: OrtModule;
  readonly build: RuntimeBuild;
  readonly backend: Backend;
  readonly #numProcessors: number;
  #numThreads = 0;
  #device: WatchedDevice | undefined;
  /** The graphics device, and what was compiled for it, live as long as some session does. */
  readonly #held: Ort.InferenceSession[] = [];
  #ready: Promise<void> | undefined;
  #addsExactly: Promise<boolean> | undefined;
  #onProcessor: Runtime | undefined;

  constructor(ort: OrtModule, numProcessors: number, backend: Backend = portableBackend) {
    this.ort = ort;
    // Only the native build has more than one backend to list; WebGPU comes with either.
    this.build = runtimeBuilds['listSupportedBackends' in ort ? 'native' : 'web'];
    this.backend = backend;
    this.#numProcessors = numProcessors;
  }

  /** What its backend is like. */
  get traits(): BackendTraits {
    return backendTraits[this.backend];
  }

  /** Threads in use; 0 before the first {@link initialize}. */
  get numThreads(): number {
    return this.#numThreads;
  }

  /** Why it can run nothing any more; undefined while it can. */
  get lost(): string | undefined {
    return this.#device?.lost;
  }

  /** Whether its graphics adapter is known to be a program for the processor. */
  get isSoftware(): boolean {
    return this.#device?.isSoftware === true;
  }

  /** How sessions of this backend are made. */
  get sessionOptions(): Ort.InferenceSession.SessionOptions {
    return {
      executionProviders: [this.traits.provider],
      ...(this.build.hasOwnThreads ? { intraOpNumThreads: Math.max(1, this.#numThreads) } : {}),
    };
  }

  /** The same build of the runtime, computing on the processor, for what is small or must be sure; itself where it does. With a lost device the whole build is lost. */
  get onProcessor(): SessionRuntime {
    if (!this.traits.isOnDevice) return this;
    if (this.#onProcessor === undefined) {
      this.#onProcessor = new Runtime(this.ort, this.#numProcessors, this.build.processor);
      this.#onProcessor.#numThreads = this.#numThreads;
      this.#onProcessor.#device = this.#device;
    }
    return this.#onProcessor;
  }

  /**
   * The runtime's own settings for a session of this backend. Where products of bytes saturate, the model would compute something
   * else: the setting avoids them, slowly, and has no kernels for some models, so it is only made where this processor needs it.
   * @param hasBytes whether the model multiplies bytes.
   */
  async sessionConfig(hasBytes: boolean): Promise<Readonly<Record<string, string>>> {
    if (!this.build.maySaturate || !hasBytes) return {};
    const isExact = await (this.#addsExactly ??= exclusively(this.ort, () =>
      addsBytesExactly(this.ort, {
        ...onProcessor(this.build),
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
      if (!this.traits.isOnDevice) return await session.release();
      this.#held.push(session);
      // Typed where a browser's types are known, which this file does without.
      const device: unknown = this.build.showsDevice ? await this.ort.env.webgpu.device : undefined;
      if (device !== undefined) this.#device = new WatchedDevice(device as GraphicsDevice);
    } catch (error) {
      const typed = runtimeError(error, 'starting the runtime');
      throw typed.code === 'outOfMemory'
        ? typed
        : new ExplorerError('runtimeFailed', ['it could not be started'], { cause: error });
    }
  }

  /** What the runtime does; throws when its device is lost under it. */
  async unlessLost<T>(work: () => Promise<T>): Promise<T> {
    return this.#device?.unlessLost(work) ?? work();
  }
}
