/** What Linux says of a process in /proc/PID/status. */
export interface ProcessStatus {
  /** Bytes that the process holds and the system cannot take back: without files mapped into memory, such as a model's weights, and with what was swapped out. */
  readonly heldBytes: number;
  /** Whether it was stopped, by a signal or by who looks into it. */
  readonly isStopped: boolean;
}

/** Reads the text of /proc/PID/status; undefined where it does not say how much memory the process holds, as of one that has ended. */
export function readProcessStatus(text: string): ProcessStatus | undefined {
  let kilobytes = 0;
  for (const [, amount] of text.matchAll(/^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm)) kilobytes += Number(amount);
  return kilobytes === 0 ? undefined : { heldBytes: kilobytes * 1024, isStopped: /^State:\s+[Tt]/m.test(text) };
}
