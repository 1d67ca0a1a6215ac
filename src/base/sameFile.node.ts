import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whether a path, whose links are resolved, lies in a folder: as files are the same, not as they are named. */
export function isWithinFolder(path: string, folder: string): boolean {
  const wanted = identityOf(folder);
  if (wanted === undefined) return false;
  for (let at = path; ; at = dirname(at)) {
    if (identityOf(at) === wanted) return true;
    if (dirname(at) === at) return false;
  }
}

/** What tells a file from all others, whatever it is called: upper and lower case, accents, mounts and short names make no other file. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    // Some network drives number no files.
    return ino === 0n ? realpathSync.native(path).toLowerCase() : `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
