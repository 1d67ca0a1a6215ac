import { writeSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { memoryBound } from '../base/memoryBound';
import type { GuardOptions } from './guard';

/** The most bytes that this process may hold. */
export function ownMemoryBound(): number {
  // Without a limit some versions of Node say 0, others nothing, others more than there is.
  return memoryBound(totalmem(), process.constrainedMemory?.() ?? 0);
}

/** Starts the thread that guards this process; it costs the main thread a millisecond or two. */
export function startGuard(options: GuardOptions): void {
  const unguarded = (): void => {
    try {
      writeSync(options.descriptor, 'unguarded\n');
    } catch {
      // Nobody listens.
    }
  };
  try {
    const guard = new Worker(join(__dirname, 'guard.cjs'), { workerData: options, execArgv: [], env: {}, resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 } });
    guard.on('error', unguarded);
    guard.unref();
  } catch {
    unguarded(); // no thread to be had: it works as it would without
  }
}
