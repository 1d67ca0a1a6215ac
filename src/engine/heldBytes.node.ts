import { readFileSync } from 'node:fs';

/**
 * Bytes of memory that this process holds and the system cannot take back. On Linux that leaves out files mapped into memory, such as a
 * model's weights, and counts what was swapped out; elsewhere it is what is resident.
 */
export function heldBytes(): number {
  if (process.platform === 'linux') {
    try {
      const status = readFileSync('/proc/self/status', 'latin1');
      let kilobytes = 0;
      for (const [, amount] of status.matchAll(/^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm)) kilobytes += Number(amount);
      if (kilobytes > 0) return kilobytes * 1024;
    } catch {
      // There is no such file in every sandbox.
    }
  }
  return process.memoryUsage.rss();
}
