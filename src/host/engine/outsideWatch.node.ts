import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { toDisposable, type Disposable } from '../../base/disposable';
import { nextLook } from '../../base/memoryBound';
import { readProcessStatus } from '../../base/processStatus';

/** What is seen of a process from outside. */
export interface OutsideWatch {
  /** It runs. */
  onBeat(): void;
  /** It holds more than it may. */
  onLimit(): void;
}

/** Looks at a process in the place of its guard, until that is there, where the system lets one look: on Linux. */
export function watchFromOutside(
  pid: number | undefined,
  limitBytes: number,
  { onBeat, onLimit }: OutsideWatch,
): Disposable {
  let timer: number | NodeJS.Timeout | undefined;
  const look = (): void => {
    let held = 0;
    try {
      const status = readProcessStatus(readFileSync(`/proc/${pid}/status`, 'latin1'));
      if (status?.isStopped === false) onBeat();
      held = status?.heldBytes ?? 0;
    } catch {
      return; // it is gone, or hidden from us
    }
    if (held > limitBytes) onLimit();
    else timer = setTimeout(look, nextLook(held, limitBytes));
  };
  if (pid !== undefined && platform() === 'linux') look();
  return toDisposable(() => clearTimeout(timer));
}
