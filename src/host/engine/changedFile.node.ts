import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { EngineEvents } from '../../protocol';

/** The name of the first file that is not what it was when the engine mapped it into memory; undefined where all are. */
export function changedSince(files: EngineEvents['mapped']['files']): string | undefined {
  const changed = files.find(({ path, size, modified }) => {
    try {
      const now = statSync(path);
      return now.size !== size || now.mtimeMs !== modified;
    } catch {
      return true; // it is gone
    }
  });
  return changed === undefined ? undefined : basename(changed.path);
}
