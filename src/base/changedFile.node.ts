import { statSync } from 'node:fs';
import { basename } from 'node:path';

/** A file as it was at some moment: its size, and when it was changed last, in milliseconds since 1970. */
export interface SeenFile {
  readonly path: string;
  readonly size: number;
  readonly modified: number;
}

/** The name of the first file that is not what it was when the engine mapped it into memory; undefined where all are. */
export function changedSince(files: readonly SeenFile[]): string | undefined {
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
