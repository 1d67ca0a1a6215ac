import { saysOutOfMemory } from './outOfMemory';

/** Why a process or worker of ours ended that nobody ended on purpose. */
export interface ProcessEnd {
  /** `memory`: there was not enough for it. `files`: what it had mapped into memory changed. `other`: see the reason. */
  readonly kind: 'memory' | 'files' | 'other';
  /** English, a part of a sentence; of `memory` what was to be done, of `files` which one. */
  readonly reason: string;
}

/** What is known of a process that ended. */
export interface ProcessTraces {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last that it printed. */
  readonly printed: string;
  /** The bytes that it may hold, where its guard ended it for holding more. */
  readonly limitBytes?: number | undefined;
  /** A file that it had mapped into memory and that is not what it was. */
  readonly changedFile?: string | undefined;
}

/** Signals by which a read of a mapped file ends that is no longer there. */
const faults: readonly (string | null)[] = ['SIGBUS', 'SIGSEGV'];
/** By these a runtime ends itself when it cannot go on: V8 at the end of its heap, C++ at an exception that nobody catches. */
const isAbort = ({ code, signal }: ProcessTraces): boolean =>
  signal === 'SIGABRT' || signal === 'SIGTRAP' || signal === 'SIGILL' || code === 134 || code === 133;

/** Why a process ended, from what is known of it. */
export function explainEnd(traces: ProcessTraces): ProcessEnd {
  const { code, signal, printed, limitBytes, changedFile } = traces;
  if (limitBytes !== undefined)
    return {
      kind: 'memory',
      reason: `this run, which took more than the ${Math.round(limitBytes / 1e6)} MB that the engine may take on this machine`,
    };
  if (isAbort(traces) && saysOutOfMemory(printed))
    return { kind: 'memory', reason: 'this run, which took more than the engine can hold' };
  if (changedFile !== undefined && faults.includes(signal)) return { kind: 'files', reason: changedFile };
  return { kind: 'other', reason: signal === null ? `exit code ${code ?? 0}` : `signal ${signal}` };
}
