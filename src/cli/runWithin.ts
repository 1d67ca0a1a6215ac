import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ExplorerError } from '../base/errors';

/** More would not fit into a timer. */
const mostSeconds = 2_000_000;

/** Reads what `--timeout` was given. Throws `invalidArgument`. */
export function parseSeconds(written: string): number {
  const seconds = Number(written);
  if (written.trim() === '' || !(seconds > 0 && seconds <= mostSeconds)) throw new ExplorerError('invalidArgument', ['--timeout', `it is a number of seconds, at most ${mostSeconds}`]);
  return seconds;
}

/**
 * Runs this very program with other arguments in a process of its own, and ends that when the time is over: a run inside the native
 * runtime ends in no other way. Resolves to its exit code. Throws `commandTookTooLong`.
 */
export async function runWithin(seconds: number, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1], ...args], { stdio: 'inherit' });
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    child.kill('SIGKILL');
  }, seconds * 1000);
  // Who ends this process means the other.
  const end = (signal: NodeJS.Signals): void => {
    child.kill('SIGKILL');
    process.exit(128 + constants.signals[signal]);
  };
  process.once('SIGINT', end).once('SIGTERM', end).once('SIGHUP', end);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...ended) => resolve(ended));
  });
  clearTimeout(timer);
  if (isOver) throw new ExplorerError('commandTookTooLong', [seconds]);
  return code ?? 128 + constants.signals[signal ?? 'SIGKILL'];
}
