import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ExplorerError } from '../../base/errors';
import { FolderLock, lockName } from '../../base/folderLock.node';
import { writeWhole } from '../../base/wholeFile.node';
import type { FilesToKeep } from './keepFiles';

/** As many are tried as windows could write in one second. */
const mostNames = 100;

/** Writes files into a new folder, under the lock that the command line asks for, too; resolves to its path. Throws `folderNotWritten` and `fileNotWritten`. */
export async function writeFolder({ place, name, files }: FilesToKeep<string>): Promise<string> {
  for (let number = 1; ; number++) {
    const folder = join(place, number === 1 ? name : `${name}-${number}`);
    const lock = await FolderLock.take(folder, { program: 'VS Code', patience: 0 }).catch((error: unknown) => {
      if (error instanceof ExplorerError && error.code === 'folderInUse' && number < mostNames) return undefined;
      throw error;
    });
    if (lock === undefined) continue;
    try {
      if (number < mostNames && (await readdir(folder)).some((each) => each !== lockName)) continue;
      for (const each of files) await writeWhole(join(folder, each.name), each.bytes);
      return folder;
    } finally {
      await lock.release();
    }
  }
}
