import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { nextLook } from '../../base/memoryBound';
import { heldBytes } from './heldBytes.node';
import type { GuardData } from './startGuard.node';

// A thread beside the engine's own, which runs block: it says once a second that the process lives, and ends the process before it takes
// the machine's memory, or when nobody is there any more to ask it for anything.

const { descriptor, limitBytes, isEnding } = workerData as GuardData; // what startGuard gives
const beatMilliseconds = 1000;
/** The last word gets so long to leave. */
const lastWordMilliseconds = 500;

/** Ends the process; one that is ending by itself closes the line under this thread, which still runs: its exit code is its own. */
const end = (): void => {
  if (Atomics.load(isEnding, 0) === 0) process.kill(process.pid, 'SIGKILL'); // a thread cannot end its process in another way
};
const line = new Socket({ fd: descriptor });
line.on('error', end);
line.on('close', end);
line.resume();

let beaten = -Infinity;
function look(): void {
  const held = heldBytes();
  if (held > limitBytes) {
    setTimeout(end, lastWordMilliseconds);
    line.write(`limit ${limitBytes}\n`, end);
    return;
  }
  const now = performance.now();
  if (now - beaten >= beatMilliseconds - 1) {
    beaten = now;
    line.write('beat\n');
  }
  setTimeout(look, nextLook(held, limitBytes));
}
look();
