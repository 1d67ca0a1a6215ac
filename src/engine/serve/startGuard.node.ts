import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** What a guard is told by whoever wants one. */
export interface GuardOptions {
  /** The file descriptor of the line to whoever started this process. */
  readonly descriptor: number;
  /** The most bytes that the process may hold. */
  readonly limitBytes: number;
}

/** What the thread is told. */
export interface GuardData extends GuardOptions {
  /** One number, shared: not 0 once the process ends by itself. */
  readonly isEnding: Int32Array;
}

/**
 * A thread takes 50 ms of the processor to start, which the first run would wait for where there are few processors. On Linux whoever
 * started this process sees from outside what the guard sees, until it beats.
 */
const usualDelay = process.platform === 'linux' ? 5000 : 0;

/** Starts the thread that guards this process, after so many milliseconds. */
export function startGuard(options: GuardOptions, delay = usualDelay): void {
  if (delay === 0) start(options);
  else setTimeout(() => start(options), delay).unref();
}

function start(options: GuardOptions): void {
  const unguarded = (): void => {
    try {
      writeSync(options.descriptor, 'unguarded\n');
    } catch {
      // Nobody listens.
    }
  };
  const isEnding = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  process.prependOnceListener('exit', () => void Atomics.store(isEnding, 0, 1));
  try {
    const guard = new Worker(join(__dirname, 'guard.cjs'), {
      workerData: { ...options, isEnding } satisfies GuardData,
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
    });
    guard.on('error', unguarded);
    guard.unref();
  } catch {
    unguarded(); // no thread to be had: it works as it would without
  }
}
