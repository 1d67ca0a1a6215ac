import { writeSync } from 'node:fs';

/** Tells the process that does the work that it is the one, and how many bytes it may hold. */
export const guardVariable = 'ATTENTION_EXPLORER_GUARDED';

/** Whether this process is that one. */
export const isGuardedProcess = (): boolean => Number(process.env[guardVariable]) > 0;

/**
 * The lines of that process: its one sentence, its guard's words, the files that it has mapped into memory, one JSON object a line, the files and folders
 * that are to be gone when it ends, one path in JSON a line, the locks that it holds, and the programs that it has started, likewise.
 */
export const guardedLines = { sentence: 3, guard: 4, mapped: 5, begun: 6, held: 7, programs: 8 } as const;

/** A program that it has started, the first of a group of processes, or that has ended since. */
export interface ProgramLine {
  readonly pid: number;
  readonly isOver: boolean;
}

/** Tells a process that watches this one, where there is one, what it is to know. */
export function tellGuard(descriptor: number, what: unknown): void {
  if (process.env[guardVariable] !== undefined) writeSync(descriptor, `${JSON.stringify(what)}\n`);
}
