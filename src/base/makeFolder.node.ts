import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ExplorerError } from './errors';
import { systemReason } from './systemReason';

/**
 * Makes a folder, and those above it that are not there; resolves to whether it was not there. Step by step: Node's own way does not end where
 * the system says of a folder that is there that nothing can be made in it, for want of one (Linux' /proc). Throws `folderNotWritten`.
 */
export async function makeFolder(folder: string): Promise<boolean> {
  try {
    const missing: string[] = [];
    for (let at = resolve(folder); !(await isFolder(at)); at = dirname(at)) {
      missing.unshift(at);
      if (dirname(at) === at) break;
    }
    for (const each of missing)
      await mkdir(each).catch(async (error: unknown) => {
        // Another process made it meanwhile.
        if (!(await isFolder(each))) throw error;
      });
    return missing.length > 0;
  } catch (error) {
    throw folderNotWritten(folder, error);
  }
}

const reasons = {
  ENOENT: 'nothing can be made there',
  ENOTDIR: 'it is a file, or lies in one',
  EEXIST: 'a link that leads nowhere stands there',
};

/** What the system says of a folder that something is to be written into, as `folderNotWritten`. */
export function folderNotWritten(folder: string, error: unknown): ExplorerError {
  return error instanceof ExplorerError
    ? error
    : new ExplorerError('folderNotWritten', [folder, systemReason(error, reasons)], { cause: error });
}

/** Whether a folder is there. Throws what the system says, and ENOTDIR of what is none. */
async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats?.isDirectory() === false) throw Object.assign(new Error('it is no folder'), { code: 'ENOTDIR' });
  return stats !== undefined;
}
