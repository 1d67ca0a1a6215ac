import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ExplorerError } from '../base/errors';
import type { FileAccess } from './fileAccess';

/** Bytes asked for at a time: `readFile` stops at 2 GiB, and one read call likewise. */
const chunkBytes = 2 ** 28;

/** Reads files of this machine by path. */
export const nodeFileAccess: FileAccess = {
  async read(path) {
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const bytes = new Uint8Array(size);
        let at = 0;
        while (at < size) {
          const { bytesRead } = await file.read(bytes, at, Math.min(chunkBytes, size - at), at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
        return at === size ? bytes : bytes.subarray(0, at);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw fileError(path, error);
    }
  },
  async exists(path) {
    return (await stat(path).catch(() => undefined))?.isFile() === true;
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
      const file = openSync(path, 'r');
      return {
        size: fstatSync(file).size,
        read(offset, length) {
          const bytes = new Uint8Array(length);
          let at = 0;
          while (at < length) {
            const bytesRead = readSync(file, bytes, at, Math.min(chunkBytes, length - at), offset + at);
            if (bytesRead === 0) break;
            at += bytesRead;
          }
          return at === length ? bytes : bytes.subarray(0, at);
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
        return await realpath(path);
      } catch (error) {
        throw fileError(path, error);
      }
    },
    async isWithin(path, folder) {
      const wanted = await identityOf(folder);
      if (wanted === undefined) return false;
      for (let at = path; ; at = dirname(at)) {
        if ((await identityOf(at)) === wanted) return true;
        if (dirname(at) === at) return false;
      }
    },
  },
};

/** What tells a file from all others, whatever it is called: upper and lower case, accents, mounts and short names make no other file. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    // Some network drives number no files.
    return ino === 0n ? (await realpath(path)).toLowerCase() : `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function fileError(path: string, error: unknown): ExplorerError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return new ExplorerError('fileNotFound', [path], { cause: error });
  if (error instanceof RangeError) return new ExplorerError('outOfMemory', [`the file ${path}`], { cause: error });
  return new ExplorerError('fileUnreadable', [path, code === '' ? String(error) : code], { cause: error });
}
