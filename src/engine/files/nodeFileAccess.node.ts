import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync, type Stats } from 'node:fs';
import { open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { nodeCrc32 } from '../../base/crc32.node';
import { ExplorerError } from '../../base/errors';
import { isWithinFolder } from '../../base/sameFile.node';
import { systemReason } from '../../base/systemReason';
import { checkFileLimit } from '../../model/fileLimits';
import { readAtMost } from '../../model/readAtMost';
import { isAllocationFailure } from '../limits/allocationFailure';
import type { FileAccess } from './fileAccess';

/** Bytes asked for at a time: `readFile` stops at 2 GiB, and one read call likewise. */
const chunkBytes = 2 ** 28;

/** Opening a pipe that nobody writes to would wait for ever, should one come into the place of a file that was looked at. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0); // Windows has no such flag

/**
 * Reads files of this machine by path. What only asks about a file does so at once: each turn that it would wait for lets the runtime's
 * start, which holds the thread for hundreds of milliseconds, go before the reading that is meant to go on beside it.
 */
export const nodeFileAccess: FileAccess = {
  async read(path, kind) {
    try {
      checkFile(path, statSync(path));
      const file = await open(path, openFlags);
      try {
        const stats = await file.stat();
        checkFile(path, stats);
        checkFileLimit(kind, path, stats.size);
        // Files that the system makes up as they are read say that they are empty.
        return stats.size === 0
          ? await readAtMost(kind, path, file.createReadStream({ autoClose: false }))
          : await readKnown(file, stats.size);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw fileError(path, error);
    }
  },
  async exists(path) {
    try {
      return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    } catch {
      return false;
    }
  },
  async version(path) {
    try {
      const { size, mtimeMs } = await stat(path);
      return { size, modified: mtimeMs };
    } catch (error) {
      throw fileError(path, error);
    }
  },
  async list(folder) {
    try {
      return await readdir(folder);
    } catch (error) {
      throw fileError(folder, error);
    }
  },
  async open(path) {
    try {
      checkFile(path, statSync(path));
      const file = openSync(path, openFlags);
      const stats = fstatSync(file);
      if (!stats.isFile()) {
        closeSync(file);
        checkFile(path, stats);
      }
      return {
        size: stats.size,
        read(offset, length) {
          try {
            const bytes = new Uint8Array(length);
            let at = 0;
            while (at < length) {
              const bytesRead = readSync(file, bytes, at, Math.min(chunkBytes, length - at), offset + at);
              if (bytesRead === 0) break;
              at += bytesRead;
            }
            return at === length ? bytes : bytes.subarray(0, at);
          } catch (error) {
            throw fileError(path, error);
          }
        },
        close: () => closeSync(file),
      };
    } catch (error) {
      throw fileError(path, error);
    }
  },
  links: {
    async realPath(path) {
      try {
        return realpathSync.native(path);
      } catch (error) {
        throw fileError(path, error);
      }
    },
    isWithin: async (path, folder) => isWithinFolder(path, folder),
  },
  crc32: nodeCrc32,
};

/** As many bytes as a file had when it was looked at; fewer where it was cut off since. */
async function readKnown(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, Math.min(chunkBytes, size - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at === size ? bytes : bytes.subarray(0, at);
}

/** Throws `fileNotFound`, or `fileUnreadable` for what is no file. */
export async function checkIsFile(path: string): Promise<void> {
  try {
    checkFile(path, await stat(path));
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Throws `fileUnreadable` for what is no file: it may have no end, or wait for somebody who writes. */
function checkFile(path: string, stats: Pick<Stats, 'isFile' | 'isDirectory'>): void {
  if (!stats.isFile())
    throw new ExplorerError('fileUnreadable', [
      path,
      stats.isDirectory() ? 'it is a folder' : 'it is a pipe, a socket or a device',
    ]);
}

function fileError(path: string, error: unknown): ExplorerError {
  if (error instanceof ExplorerError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return new ExplorerError('fileNotFound', [path], { cause: error });
  if (isAllocationFailure(error)) return new ExplorerError('outOfMemory', [`the file ${path}`], { cause: error });
  return new ExplorerError('fileUnreadable', [path, systemReason(error)], { cause: error });
}
