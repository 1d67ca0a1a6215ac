// How a soak is told what to do, and how it says what came of it: lines of JSON on its standard output, each of them a part that adds to
// those before, so that a soak that is killed loses a few seconds of work and no more.

/** What a soak is told. */
export interface Order {
  /** Which soak: some files hold several. */
  readonly name: string;
  /** How much was done before, and how much more there is to do. */
  readonly from: number;
  readonly count: number;
  /** After so long it ends, done or not. */
  readonly seconds: number;
  readonly seed: number;
  /** Threads, where it has several. */
  readonly jobs: number;
  /** Whether it is the short form, of which less is looked at. */
  readonly isShort: boolean;
  /** A folder of its own for what it writes. */
  readonly folder: string;
}

/** One thing that went wrong, with what makes it happen again. */
export interface Failure {
  readonly at: number;
  readonly what: string;
  readonly details?: string;
}

/** A soak ends early after so many failures of one kind each: more of them say nothing new. */
const mostFailures = 50;
const flushMilliseconds = 2000;

/** Keeps what a soak came to, and writes it down as it goes. */
export class Ledger {
  readonly order: Order;
  readonly #began = performance.now();
  #flushed = performance.now();
  #numDone = 0;
  #numPending = 0;
  #counts: Record<string, number> = {};
  #most: Record<string, number> = {};
  #samples: Record<string, [number, number][]> = {};
  #failures: Failure[] = [];
  #numFailures = 0;

  constructor(order: Order) {
    this.order = order;
  }

  /** How much is done, earlier sessions included. */
  get at(): number {
    return this.order.from + this.#numDone;
  }

  /** Whether there is more to do, and time for it. */
  get goesOn(): boolean {
    return (
      this.#numDone < this.order.count &&
      performance.now() - this.#began < this.order.seconds * 1000 &&
      this.#numFailures < mostFailures
    );
  }

  /** One more is done. */
  done(): void {
    this.#numDone++;
    this.#numPending++;
    if (performance.now() - this.#flushed > flushMilliseconds) this.flush();
  }

  /** Counts what it came to. */
  count(key: string, times = 1): void {
    this.#counts[key] = (this.#counts[key] ?? 0) + times;
  }

  /** Notes a number of which the largest is told. */
  most(key: string, value: number): void {
    this.#most[key] = Math.max(this.#most[key] ?? -Infinity, value);
  }

  /** Notes a number against what was done so far, for a line through all of them. */
  sample(key: string, value: number): void {
    (this.#samples[key] ??= []).push([this.at, value]);
  }

  /** Notes what must not happen. */
  fail(what: string, details?: string): void {
    this.#numFailures++;
    this.#failures.push({ at: this.at, what, ...(details === undefined ? {} : { details: details.slice(0, 2000) }) });
    this.flush();
  }

  /** Writes down what came since the last time. */
  flush(): void {
    const now = performance.now();
    const part = {
      done: this.#numPending,
      seconds: (now - this.#flushed) / 1000,
      counts: this.#counts,
      most: this.#most,
      samples: this.#samples,
      failures: this.#failures,
    };
    process.stdout.write(`${JSON.stringify(part)}\n`);
    this.#flushed = now;
    this.#numPending = 0;
    this.#counts = {};
    this.#most = {};
    this.#samples = {};
    this.#failures = [];
  }
}

/** The order that the driver gave on the command line. */
export function readOrder(): Order {
  return JSON.parse(process.argv[2] ?? '{}') as Order; // written by the driver
}
