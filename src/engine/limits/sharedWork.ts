import { LRUCache } from 'lru-cache';

/** Work that several callers wait for; it ends when none does any more. */
interface Job<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  numWaiting: number;
}

/** Makes values by name, each once however many ask at a time, and keeps the latest of them within a number of bytes. */
export class SharedWork<T extends { readonly bytes: number }> {
  readonly #kept: LRUCache<string, T>;
  readonly #jobs = new Map<string, Job<T>>();

  constructor(maxBytes: number) {
    this.#kept = new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ bytes }) => bytes + 64 });
  }

  /** The value of a name, made where it is not here. Throws what `make` throws, or the signal's reason. */
  async get(name: string, make: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const job = this.#jobs.get(name) ?? this.#start(name, make);
    job.numWaiting++;
    const leave = (): void => {
      job.numWaiting--;
      if (job.numWaiting > 0) return;
      // Who asks from now on begins anew.
      if (this.#jobs.get(name) === job) this.#jobs.delete(name);
      job.controller.abort(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      const value = await job.result;
      signal?.throwIfAborted();
      return value;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Drops the values whose names begin so. */
  drop(prefix: string): void {
    for (const name of [...this.#kept.keys()]) if (name.startsWith(prefix)) this.#kept.delete(name);
  }

  #start(name: string, make: (signal: AbortSignal) => Promise<T>): Job<T> {
    const controller = new AbortController();
    const end = (): void => {
      if (this.#jobs.get(name) === job) this.#jobs.delete(name);
    };
    const result = make(controller.signal).then((value) => {
      if (this.#jobs.get(name) === job) this.#kept.set(name, value);
      return value;
    });
    const job: Job<T> = { result, controller, numWaiting: 0 };
    this.#jobs.set(name, job);
    result.then(end, end);
    return job;
  }
}
