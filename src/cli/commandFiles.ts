import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SeenFile } from '../base/changedFile.node';
import type { FileAccess } from '../engine/files/fileAccess';
import { nodeFileAccess } from '../engine/files/nodeFileAccess.node';
import { proofShelfIn } from '../engine/files/proofShelf.node';
import { guardVariable, guardedLines, tellGuard } from './guardedLines';

/** The files of this machine, as a command reads a model's: whoever watches it is told which ones the runtime maps into memory, and what they are now. */
export const commandFiles: FileAccess = {
  ...nodeFileAccess,
  proofs: proofShelfIn(join(cacheFolder(), 'attention-explorer', 'proofs.json')),
  async willMap(paths) {
    if (process.env[guardVariable] === undefined) return;
    for (const path of paths) {
      const seen: SeenFile = { path, ...((await nodeFileAccess.version?.(path)) ?? { size: 0, modified: 0 }) };
      tellGuard(guardedLines.mapped, seen);
    }
  },
};

/** Where this system keeps what programs can make again. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME: named, LOCALAPPDATA: local } = process.env;
  if (process.platform === 'win32') return local ?? join(homedir(), 'AppData', 'Local');
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : (named ?? join(homedir(), '.cache'));
}
