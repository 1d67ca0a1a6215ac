/** What a guard is told. */
export interface GuardOptions {
  /** The file descriptor of the line to whoever started this process. */
  readonly descriptor: number;
  /** The most bytes that the process may hold. */
  readonly limitBytes: number;
}

/** Between two looks the process takes at most so many bytes a millisecond: what memory can be filled with. */
const bytesPerMillisecond = 8e6;
/** The guard looks at least and at most so often. */
const pauses = { least: 50, most: 1000 };

/** Milliseconds until the guard has to look again: the nearer to the limit, the sooner. */
export function nextLook(heldBytes: number, limitBytes: number): number {
  return Math.min(pauses.most, Math.max(pauses.least, (limitBytes - heldBytes) / bytesPerMillisecond));
}
