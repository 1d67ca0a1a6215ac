import { randomUUID } from 'node:crypto';
import { access, constants, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ExplorerError } from './errors';

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

/**
 * Writes a file whole or not at all: beside its place, from where it is moved there. What stood there stays until then. Pieces are
 * written as they come. `onBegin` is told what is written to until then. Throws `fileNotWritten`, and what making the pieces throws.
 */
export async function writeWhole(
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  onBegin: (beside: string) => void = () => {},
): Promise<void> {
  try {
    const place = await placeOf(path);
    if (place.isDevice) return await write(place.path, 'w', bytes);
    const beside = join(dirname(place.path), `.${randomUUID()}.part`);
    onBegin(beside);
    try {
      await write(beside, 'wx', bytes);
      await rename(beside, place.path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  } catch (error) {
    throw notWritten(path, error);
  }
}

async function write(path: string, flags: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, flags);
  try {
    if (bytes instanceof Uint8Array) await file.writeFile(bytes);
    else for await (const piece of bytes) await file.writeFile(piece);
  } finally {
    await file.close();
  }
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

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'its folder is a file',
  EACCES: 'it is not allowed',
  EPERM: 'it is not allowed',
  EROFS: 'nothing can be written there',
  ENOSPC: 'there is no room left',
  EDQUOT: 'there is no room left',
  EFBIG: 'it would be too large for this disk',
};

/** What the system says of a file, as `fileNotWritten`; all else is of the pieces, and stays what it is. */
export function notWritten(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const code = 'code' in error ? String(error.code) : error.message;
  return new ExplorerError('fileNotWritten', [path, reasons[code] ?? code], { cause: error });
}
