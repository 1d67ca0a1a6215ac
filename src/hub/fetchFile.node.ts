import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm, stat, truncate } from 'node:fs/promises';
import { ExplorerError } from '../base/errors';
import { notWritten } from '../base/wholeFile.node';
import type { HubFile, OpenHubFile } from './hub';

/** How often a connection may break without a byte having come, and how long is waited each time, in milliseconds. */
const waits = [200, 1000, 3000, 9000];

/** What bytes are appended to. */
interface OpenedPart {
  write(piece: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file to append to it; makes it where it is not there. */
export type OpenPart = (path: string) => Promise<OpenedPart>;

/** What fetching a file needs. */
export interface FetchFile {
  readonly openFile: OpenHubFile;
  readonly openPart: OpenPart;
  readonly signal: AbortSignal;
  /** Is told how many of its bytes are there. */
  report(bytes: number): void;
}

/** Where a file grows until it is whole. */
export function partOf(path: string): string {
  return `${path}.part`;
}

/**
 * Fetches a file to a path, from the end of what came of it earlier; a connection that breaks is taken up again a few times. It is there
 * under its name only when its hash is right. What is wrong, and what a full disk has no room for, is removed; what was paused or broke
 * off stays. Throws `hubFileWrong`, `fileNotWritten`, `cancelled` and what `openFile` throws.
 */
export async function fetchFile(file: HubFile, path: string, deps: FetchFile): Promise<void> {
  const part = partOf(path);
  const isFresh = (await fill(file, part, deps)) === 0;
  let wrong = await whatIsWrong(file, part, deps.signal);
  if (wrong !== undefined && !isFresh) {
    // What was there before may have been damaged since: once more from the beginning.
    await rm(part, { force: true });
    await fill(file, part, deps);
    wrong = await whatIsWrong(file, part, deps.signal);
  }
  if (wrong !== undefined) {
    await rm(part, { force: true });
    throw new ExplorerError('hubFileWrong', [file.path, wrong]);
  }
  try {
    await rename(part, path);
  } catch (error) {
    throw notWritten(path, error);
  }
}

/** Appends what is missing of a file; resolves to how many bytes were there before. */
async function fill(file: HubFile, part: string, { openFile, openPart, signal, report }: FetchFile): Promise<number> {
  let length = await sizeOf(part);
  if (length > file.size) {
    await truncate(part);
    length = 0;
  }
  const before = length;
  let breaks = 0;
  for (;;) {
    const opened = await openPart(part).catch((error: unknown) => {
      throw notWritten(part, error);
    });
    try {
      // What is whole already, or empty, has nothing to ask for.
      for await (const piece of length === file.size ? [] : openFile(file, length, signal)) {
        if (signal.aborted) throw new ExplorerError('cancelled');
        if (length + piece.length > file.size) {
          await rm(part, { force: true });
          throw new ExplorerError('hubFileWrong', [file.path, 'it is longer']);
        }
        await opened.write(piece);
        breaks = 0;
        report((length += piece.length));
      }
      if (length < file.size) throw new ExplorerError('hubFileWrong', [file.path, 'it is shorter']);
      await opened.close(); // a disk may say only now that it is full
      return before;
    } catch (error) {
      if (isFull(error)) await rm(part, { force: true });
      const isBreak = error instanceof ExplorerError && error.code === 'hubUnreachable';
      if (!isBreak || breaks === waits.length) throw notWritten(part, error);
      await pause(waits[breaks++], signal);
    } finally {
      await opened.close().catch(() => {}); // writing said already what is wrong
    }
  }
}

/** What is wrong with a file that has all its bytes; undefined where its hash is right. Throws `cancelled`. */
async function whatIsWrong({ size, hash }: HubFile, path: string, signal: AbortSignal): Promise<string | undefined> {
  const hasher: Hash = createHash(hash.kind === 'sha256' ? 'sha256' : 'sha1');
  if (hash.kind === 'gitBlob') hasher.update(`blob ${size}\0`);
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    if (signal.aborted) throw new ExplorerError('cancelled');
    hasher.update(piece as Uint8Array); // without an encoding, it reads bytes
  }
  return hasher.digest('hex') === hash.digits
    ? undefined
    : `its ${hash.kind === 'sha256' ? 'SHA-256' : 'hash'} is another`;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Waits, unless it is cancelled. Throws `cancelled`. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      clearTimeout(timer);
      reject(new ExplorerError('cancelled'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', cancel);
      resolve();
    }, milliseconds);
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}
