import { spawnSync } from 'node:child_process';

/** How a program is started that {@link endProgram} can end: as the first of a group of processes, where there are such. */
export const asGroup = { detached: process.platform !== 'win32' } as const;

/** Ends a program that was started {@link asGroup}, with all that it has started itself, also where it has ended before them. */
export function endProgram(pid: number): void {
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/PID', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // None of them is left.
  }
}
