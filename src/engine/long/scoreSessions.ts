import type * as Ort from 'onnxruntime-common';
import { silently, silentSeverity, type OrtModule, type SessionRuntime } from '../runtime/runtime';
import { exclusively } from '../limits/runLock';
import { runtimeError } from '../runtime/runtimeError';

/** How the sessions are made. */
type ScoreRuntime = Pick<SessionRuntime, 'sessionOptions' | 'sessionConfig' | 'lost' | 'unlessLost'>;

/** Sessions of small models that recompute rows of attention: layers that compute alike share one. They live as long as someone keeps them. */
export class ScoreSessions {
  readonly #ort: OrtModule;
  readonly #runtime: ScoreRuntime;
  readonly #sessions = new Map<string, Promise<Ort.InferenceSession>>();
  #numKeepers = 1;

  constructor(ort: OrtModule, runtime: ScoreRuntime) {
    this.#ort = ort;
    this.#runtime = runtime;
  }

  get ort(): OrtModule {
    return this.#ort;
  }

  /** The session of a model, given as bytes. Throws `runtimeFailed`. */
  of(model: Uint8Array): Promise<Ort.InferenceSession> {
    const name = String.fromCharCode(...model);
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = this.#create(model).catch((error: unknown) => {
        this.#sessions.delete(name);
        throw runtimeError(error, 'rows of attention');
      });
      this.#sessions.set(name, session);
    }
    return session;
  }

  async #create(model: Uint8Array): Promise<Ort.InferenceSession> {
    const config = await this.#runtime.sessionConfig(true);
    return exclusively(this.#ort, () =>
      this.#ort.InferenceSession.create(model, {
        ...this.#runtime.sessionOptions,
        graphOptimizationLevel: 'all',
        logSeverityLevel: silentSeverity,
        extra: { session: config },
      }),
    );
  }

  /** Runs one of the sessions for one output. Throws `outOfMemory` or `runtimeFailed`. */
  async run(
    session: Ort.InferenceSession,
    feeds: Readonly<Record<string, Ort.Tensor>>,
    output: string,
  ): Promise<Ort.Tensor | undefined> {
    try {
      const run = (): Promise<Ort.InferenceSession.OnnxValueMapType> => session.run(feeds, [output], silently);
      return (await exclusively(this.#ort, () => this.#runtime.unlessLost(run)))[output];
    } catch (error) {
      throw runtimeError(error, 'rows of attention');
    }
  }

  /** Says that one more needs the sessions. */
  keep(): void {
    this.#numKeepers++;
  }

  /** Says that one needs them no longer; after the last, they are freed. */
  async letGo(): Promise<void> {
    if (--this.#numKeepers > 0) return;
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of await Promise.allSettled(sessions)) {
      if (session.status === 'fulfilled' && this.#runtime.lost === undefined)
        await exclusively(this.#ort, () => session.value.release());
    }
  }
}
