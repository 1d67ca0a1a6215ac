// How much memory another process takes at most while it works.
import { readFileSync, writeFileSync } from 'node:fs';

/** Bytes of a process by Linux's own account. */
function statusBytes(pid: number, name: 'VmHWM' | 'VmRSS'): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? NaN) * 1024;
}

/** Bytes that a process takes beyond what it has before, while something is done; NaN where the system does not tell. */
export async function peakBeyond(pid: number | undefined, work: () => Promise<unknown>): Promise<number> {
  if (pid === undefined || process.platform !== 'linux') {
    await work();
    return NaN;
  }
  writeFileSync(`/proc/${pid}/clear_refs`, '5'); // the most so far is what is there now
  const before = statusBytes(pid, 'VmRSS');
  await work();
  return statusBytes(pid, 'VmHWM') - before;
}
