import { readFileSync } from 'node:fs';
import { readProcessStatus } from '../../base/processStatus';

/** Bytes of memory that this process holds; where the system does not tell them apart, with what it could take back. */
export function heldBytes(): number {
  if (process.platform === 'linux') {
    try {
      const held = readProcessStatus(readFileSync('/proc/self/status', 'latin1'))?.heldBytes;
      if (held !== undefined) return held;
    } catch {
      // There is no such file in every sandbox.
    }
  }
  return process.memoryUsage.rss();
}
