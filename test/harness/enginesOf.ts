import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Ids of the engines that a VS Code server's windows have started; Linux only. */
export function enginesOf(serverPid: number): number[] {
  return execFileSync('pgrep', ['-f', 'engine\\.node\\.cjs'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)
    .filter((pid) => isDescendant(pid, serverPid));
}

/** Whether a process was started by another, or by one that it started. */
function isDescendant(pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1;) {
    if (at === ancestor) return true;
    try {
      at = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${at}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      return false; // it has ended meanwhile
    }
  }
  return false;
}
