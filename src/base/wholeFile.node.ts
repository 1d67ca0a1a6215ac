import { randomUUID } from 'node:crypto';
import { access, constants, open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ExplorerError } from './errors';
import { systemReason } from './systemReason';

/** Throws `fileNotWritten` where a file cannot come to stand at a path: said before the work that it is for. */
export async function checkWritable(path: string): Promise<void> {
  try {
    const place = await placeOf(path);
    // A slash asks for a folder: a file of that name is none to write into.
    await access(place.isDevice ? place.path : join(dirname(place.path), '/'), constants.W_OK);
  } catch (error) {
    throw notWritten(path, error);
  }
}

/** The bytes of a file, at once or in pieces as they are written; or who writes them to a path, opened with these flags. */
export type FileContents =
  Uint8Array | AsyncIterable<Uint8Array> | ((path: string, flags: 'w' | 'wx') => Promise<void>);

/**
 * Writes a file whole or not at all: beside its place, from where it is moved there. What stood there stays until then.
 * `onBegin` is told what is written to until then. Throws `fileNotWritten`, and what making the pieces throws.
 */
export async function writeWhole(
  path: string,
  contents: FileContents,
  onBegin: (beside: string) => void = () => {},
): Promise<void> {
  const write = (to: string, flags: 'w' | 'wx'): Promise<void> =>
    typeof contents === 'function' ? contents(to, flags) : writePieces(to, flags, contents);
  try {
    const place = await placeOf(path);
    if (place.isDevice) return await write(place.path, 'w');
    const beside = join(dirname(place.path), `.${randomUUID()}.part`);
    onBegin(beside);
    try {
      await write(beside, 'wx');
      await rename(beside, place.path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  } catch (error) {
    throw notWritten(path, error);
  }
}

/** Writes pieces as they come: while one is written, the next is made. Throws what the system says, and what making them throws. */
export async function writePieces(
  path: string,
  flags: 'w' | 'wx',
  pieces: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    if (pieces instanceof Uint8Array) return await writeAll(file, pieces);
    let writing = Promise.resolve();
    try {
      for await (const piece of pieces) {
        await writing;
        writing = writeAll(file, piece);
        // It is waited for below; until then its failure is no one's.
        writing.catch(() => {});
      }
    } finally {
      await writing;
    }
  } finally {
    await file.close();
  }
}

/** One write of more takes the system twice as long as several of so many bytes. */
const mostWrittenAtOnce = 2 ** 21;

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += (await file.write(bytes, at, Math.min(mostWrittenAtOnce, bytes.length - at))).bytesWritten;
}

/** Where a path leads, through links; what is there and is no file is only written to where it takes bytes at once. */
async function placeOf(path: string): Promise<{ readonly path: string; readonly isDevice: boolean }> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return { path: resolve(path), isDevice: false };
  const stats = await stat(real);
  if (!stats.isFile() && !stats.isCharacterDevice())
    throw new ExplorerError('fileNotWritten', [
      path,
      stats.isDirectory() ? 'it is a folder' : 'it is a pipe, a socket or a disk',
    ]);
  return { path: real, isDevice: stats.isCharacterDevice() };
}

const reasons = { ENOENT: 'its folder does not exist', ENOTDIR: 'its folder is a file' };

/** What the system says of a file, as `fileNotWritten`; all else is of the pieces, and stays what it is. */
export function notWritten(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new ExplorerError('fileNotWritten', [path, systemReason(error, reasons)], { cause: error });
}
