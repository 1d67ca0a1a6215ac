import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { constants, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { link, lstat, open, readFile, rename, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { delay } from './delay';
import { ExplorerError } from './errors';
import { folderNotWritten, makeFolder } from './makeFolder.node';

// One process at a time writes into a folder: a file there says which. A holder that has ended leaves its file behind, which the next one takes away at
// once where it can tell (a process of this machine, by its number and the time of its start), and else after the holder gave no sign of life for long.

/** What stands in a folder that a process writes into. */
export const lockName = '.attention-explorer.lock';
/** A holder shows so often that it lives; one of another machine that did not for so long is taken for dead. */
const [beatMilliseconds, deadMilliseconds] = [5_000, 30_000];
/** Whoever waits looks so often. */
const lookMilliseconds = 100;
/** No lock is longer. */
const mostBytes = 4096;

/** What a process says of itself. */
interface Holder {
  /** Of this lock and no other. */
  readonly id: string;
  readonly program: string;
  readonly pid: number;
  /** When the process started, as its system says it; empty where it does not. A number of a process is used again, with another time. */
  readonly started: string;
  readonly host: string;
  /** Where its number is one: machine, start of that, and container. */
  readonly place: string;
}

/** A lock, where it stands and what is in it. */
export interface HeldLock {
  readonly path: string;
  readonly text: string;
}

/** How a folder is locked. */
export interface LockOptions {
  /** What the process is called to others. */
  readonly program: string;
  /** How long a holder that lives is waited for, in milliseconds: one that is being ended takes a moment. */
  readonly patience: number;
  /** How long one of another machine gives no sign of life until it is taken for dead, in milliseconds. */
  readonly silence?: number;
  /** Takes care that the holder shows that it lives, in the place of a timer of this process, which may stand still for long. */
  readonly onHeld?: (lock: HeldLock) => void;
}

/** A folder that no other process writes into meanwhile. */
export class FolderLock {
  readonly #folder: string;
  readonly #held: HeldLock;
  readonly #stop: () => void;
  readonly #isNew: boolean;

  private constructor(folder: string, held: HeldLock, stop: () => void, isNew: boolean) {
    this.#folder = folder;
    this.#held = held;
    this.#stop = stop;
    this.#isNew = isNew;
  }

  /** Locks a folder, which is made where it is not there. Throws `folderInUse` and `folderNotWritten`. */
  static async take(folder: string, { program, patience, silence, onHeld }: LockOptions): Promise<FolderLock> {
    let isNew = await makeFolder(folder);
    const path = join(folder, lockName);
    const own: Holder = {
      ...{ id: randomUUID(), program, pid: process.pid, host: hostname(), place: thisPlace() },
      started: (await processOf(process.pid))?.started ?? '',
    };
    const held = { path, text: JSON.stringify(own) };
    try {
      while (!(await begin(held))) {
        const left = await untilFree(folder, patience, silence);
        if (left !== undefined) await takeAway(left);
        // Whoever had it may have removed it, as it was new.
        isNew = (await makeFolder(folder)) || isNew;
      }
    } catch (error) {
      throw folderNotWritten(folder, error);
    }
    if (onHeld === undefined) return new FolderLock(folder, held, keepBeating(held), isNew);
    onHeld(held);
    return new FolderLock(folder, held, () => {}, isNew);
  }

  /** Throws `folderTaken` where the lock is there no more, as when another process took this one for dead while its machine slept. */
  async check(): Promise<void> {
    const seen = await look(this.#held.path).catch(() => undefined); // what cannot be seen is not known to be its own
    if (seen?.text !== this.#held.text) throw new ExplorerError('folderTaken', [this.#folder]);
  }

  async release(): Promise<void> {
    this.#stop();
    await dropLock(this.#held);
    // What could not even begin leaves nothing behind.
    if (this.#isNew) await rmdir(this.#folder).catch(() => {});
  }
}

/** Waits for a moment until nobody writes into a folder. Throws `folderInUse`. */
export async function checkFree(folder: string, patience: number): Promise<void> {
  await untilFree(folder, patience).catch((error: unknown) => {
    // Of what cannot be looked at, whoever reads it tells.
    if (error instanceof ExplorerError) throw error;
  });
}

/** Shows that the holder of a lock lives, until it is stopped. */
export function keepBeating({ path, text }: HeldLock): () => void {
  const beat = async (): Promise<void> => {
    const now = new Date();
    if ((await look(path))?.text === text) await utimes(path, now, now);
  };
  const timer = setInterval(() => void beat().catch(() => {}), beatMilliseconds); // it was removed by hand
  timer.unref();
  return () => clearInterval(timer);
}

/** Removes a lock, unless another stands there by now. */
export async function dropLock({ path, text }: HeldLock): Promise<void> {
  if ((await look(path).catch(() => undefined))?.text === text) await rm(path, { force: true });
}

/** Writes a lock where none is. */
async function begin({ path, text }: HeldLock): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || (codeOf(error) === 'ENOENT' && !existsSync(dirname(path)))) return false;
    if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') await rm(path, { force: true });
    throw error;
  }
}

/** Resolves when nobody holds a folder: to the lock that a dead process has left, where there is one. Throws `folderInUse` where its holder lives. */
async function untilFree(folder: string, patience: number, silence = deadMilliseconds): Promise<HeldLock | undefined> {
  const path = join(folder, lockName);
  const end = performance.now() + patience;
  let quiet: { readonly text: string; readonly beat: number; readonly since: number } | undefined;
  for (;;) {
    const seen = await look(path);
    if (seen === undefined) return undefined;
    const { text, beat } = seen;
    const holder = parseHolder(text);
    let state = holder === undefined ? 'unknown' : await stateOf(holder);
    if (state === 'unknown') {
      const now = performance.now();
      if (quiet?.text !== text) quiet = { text, beat, since: now };
      else if (beat !== quiet.beat) state = 'alive';
      else if (now - quiet.since >= silence) state = 'dead';
    }
    if (state === 'dead') return { path, text };
    if (state === 'alive' && performance.now() >= end)
      throw new ExplorerError('folderInUse', [folder, holder === undefined ? 'another process' : nameOf(holder)]);
    await delay(lookMilliseconds);
  }
}

/** Takes away what a dead process has left: by another name first, so that of several who do so none removes the lock that another has made meanwhile. */
async function takeAway({ path, text }: HeldLock): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Where it cannot be put back, its holder sees that it has lost it.
  if ((await look(aside))?.text !== text) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

/** A lock and when its holder showed last that it lives; undefined where none stands. Throws what the system says. */
async function look(path: string): Promise<{ readonly text: string; readonly beat: number } | undefined> {
  try {
    if (!(await lstat(path)).isFile()) throw new Error(`${lockName} in it is no file`);
    // Opened anew each time, and not only looked at: a network folder then asks its server.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)); // Windows has no such flag
    try {
      const { mtimeMs } = await file.stat();
      const { bytesRead, buffer } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
      return { text: buffer.toString('utf8', 0, bytesRead), beat: mtimeMs };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // it is being written, or none of ours
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const field = (name: string): unknown => Reflect.get(value, name);
  const [id, program, started, host, place] = ['id', 'program', 'started', 'host', 'place'].map((name) => {
    const found = field(name);
    return typeof found === 'string' ? found : '';
  });
  const pid = field('pid');
  return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0
    ? { id, program, pid, started, host, place }
    : undefined;
}

function nameOf({ program, pid, host, place }: Holder): string {
  return `${program}, process ${pid} ${place === thisPlace() ? 'of this machine' : `on ${host}`}`;
}

/** Whether a holder lives, as far as it can be told from here. */
async function stateOf({ pid, started, place }: Holder): Promise<'alive' | 'dead' | 'unknown'> {
  if (place !== thisPlace()) return 'unknown';
  const found = await processOf(pid);
  if (found === undefined) return 'dead';
  if (found.started === undefined || started === '') return 'unknown';
  return found.started === started ? 'alive' : 'dead';
}

/** A process by its number, and when it started, where the system says that; undefined where there is none that still runs. */
async function processOf(pid: number): Promise<{ readonly started: string | undefined } | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // One of another person may not be asked.
    if (codeOf(error) === 'ESRCH') return undefined;
  }
  try {
    if (process.platform === 'linux') {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8');
      // Behind the program's name, which may hold anything: the state, and the start as the twentieth from there.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return isOver(fields[0]) ? undefined : { started: fields[19] };
    }
    if (process.platform === 'win32') return { started: undefined };
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      env: { ...process.env, LC_ALL: 'C' },
    });
    const [, state = '', started] = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(stdout) ?? [];
    return isOver(state) ? undefined : { started };
  } catch {
    return { started: undefined };
  }
}

/** Whether nothing of a process is left but its number, which nobody has asked for yet. */
function isOver(state: string): boolean {
  return state.startsWith('Z') || state.startsWith('X');
}

let place: string | undefined;

/** Where a number of a process means the same one: this start of this machine, and this container. */
function thisPlace(): string {
  try {
    place ??= `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    // Machines that are called alike have other network cards.
    const cards = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ mac }) => mac) ?? []);
    const known = createHash('sha256').update([...new Set(cards)].sort().join());
    place ??= `${hostname()} ${known.digest('hex').slice(0, 16)}`;
  }
  return place;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
