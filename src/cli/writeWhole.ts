import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { access, constants, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ExplorerError } from '../base/errors';
import { guardVariable, guardedLines } from './guardedLines';

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
 * Writes a file whole or not at all: beside its place, from where it is moved there. What stood there stays until then.
 * Throws `fileNotWritten`.
 */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const place = await placeOf(path);
    if (place.isDevice) return await write(place.path, 'w', bytes);
    const beside = join(dirname(place.path), `.${randomUUID()}.part`);
    // Whoever watches this process takes it away where we are ended before we can.
    if (process.env[guardVariable] !== undefined) writeSync(guardedLines.begun, `${JSON.stringify(beside)}\n`);
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

async function write(path: string, flags: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.writeFile(bytes);
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

function notWritten(path: string, error: unknown): ExplorerError {
  if (error instanceof ExplorerError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new ExplorerError('fileNotWritten', [path, reasons[code] ?? code], { cause: error });
}
