import { backends, type Backend, type BackendChoice } from '../../model/modelInfo';
import { backendTraits } from './backends';
import { Runtime, type OrtModule } from './runtime';
import { shortened } from './runtimeError';

/** Loads the build of the runtime that a backend needs; rejects, with the reason, where it is not to be had. */
export type LoadRuntime = () => Promise<OrtModule>;

/** The builds of the runtime that a host has for its backends. */
export type RuntimeLoaders = Readonly<Partial<Record<Backend, LoadRuntime | undefined>>>;

/** The runtime that a model runs on. */
export interface ChosenRuntime {
  readonly runtime: Runtime;
  /** Why this one, in one English sentence. */
  readonly reason: string;
}

/** What is tried for each choice, in order; the last is always there. */
const candidatesOf = (wanted: BackendChoice): readonly Backend[] =>
  wanted === 'auto'
    ? backends.filter((backend) => backendTraits[backend].isUsual)
    : [wanted, ...backendTraits[wanted].instead];

/** UTF-16 units of the reason for a backend: a sentence for each that was tried before it. */
export const maxReason = 1000;

/** The execution backends of one host: each is loaded when it is first wanted, and what fails once is not tried again. */
export class Runtimes {
  readonly #loaders: RuntimeLoaders;
  readonly #numProcessors: number;
  readonly #started = new Map<Backend, Promise<Runtime>>();

  constructor(loaders: RuntimeLoaders, numProcessors: number) {
    this.#loaders = loaders;
    this.#numProcessors = numProcessors;
  }

  /** The first backend of a choice that starts and is not refused, with the reason; throws `runtimeFailed` where not even WebAssembly starts. `refused` says in a sentence why a backend is not to be taken. */
  async choose(
    wanted: BackendChoice,
    threads: number,
    refused: ReadonlyMap<Backend, string> = new Map(),
  ): Promise<ChosenRuntime> {
    const order = candidatesOf(wanted);
    const missing: string[] = [];
    for (const backend of order) {
      const why = refused.get(backend);
      if (why !== undefined) {
        missing.push(why);
        continue;
      }
      try {
        const runtime = await this.#start(backend, threads);
        if (runtime.lost !== undefined) throw new Error(runtime.lost);
        return { runtime, reason: reasonFor(wanted, runtime, missing) };
      } catch (error) {
        if (backend === order.at(-1)) throw error;
        missing.push(`${backendTraits[backend].title} is not available: ${shortMessage(error)}.`);
      }
    }
    throw new RangeError(`No backend for ${wanted}`);
  }

  /** Why a backend that ran can run no more; undefined where it can, or never ran. */
  async lost(backend: Backend): Promise<string | undefined> {
    return (await this.#started.get(backend)?.catch(() => undefined))?.lost;
  }

  #start(backend: Backend, threads: number): Promise<Runtime> {
    const started = this.#started.get(backend);
    if (started !== undefined) return started;
    const starting = (async () => {
      const load = this.#loaders[backend];
      if (load === undefined) throw new Error('this package of the extension does not carry it');
      const runtime = new Runtime(await load(), this.#numProcessors, backend);
      await runtime.initialize(threads);
      return runtime;
    })();
    this.#started.set(backend, starting);
    return starting;
  }
}

function reasonFor(wanted: BackendChoice, { backend, isSoftware }: Runtime, missing: readonly string[]): string {
  if (wanted === backend)
    return isSoftware
      ? 'As the settings ask; the graphics adapter is a software one, which is slower than WebAssembly.'
      : 'As the settings ask.';
  if (backend === candidatesOf(wanted)[0]) return 'The fastest that this package carries.';
  return missing.join(' ');
}

/** What an error says is wrong, or its cause says, without a full stop. */
function shortMessage(error: unknown): string {
  const own = error instanceof Error ? (error.cause instanceof Error ? error.cause : error).message : String(error);
  return shortened(own).replace(/\.$/, '');
}
