/** Tells the process that does the work that it is the one, and how many bytes it may hold. */
export const guardVariable = 'ATTENTION_EXPLORER_GUARDED';

/** Whether this process is that one. */
export const isGuardedProcess = (): boolean => Number(process.env[guardVariable]) > 0;

/** The lines of that process: its one sentence, its guard's words, the files that it has mapped into memory, one JSON object a line, those that it has begun to write, one path in JSON a line, and the locks that it holds, likewise. */
export const guardedLines = { sentence: 3, guard: 4, mapped: 5, begun: 6, held: 7 } as const;
