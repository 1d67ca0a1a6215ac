import { writeSync } from 'node:fs';
import type { SeenFile } from '../base/changedFile.node';
import type { FileAccess } from '../engine/files/fileAccess';
import { nodeFileAccess } from '../engine/files/nodeFileAccess.node';
import { guardVariable, guardedLines } from './guardedLines';

/** The files of this machine, as a command reads a model's: whoever watches it is told which ones the runtime maps into memory, and what they are now. */
export const commandFiles: FileAccess = {
  ...nodeFileAccess,
  async willMap(paths) {
    if (process.env[guardVariable] === undefined) return;
    for (const path of paths) {
      const seen: SeenFile = { path, ...((await nodeFileAccess.version?.(path)) ?? { size: 0, modified: 0 }) };
      writeSync(guardedLines.mapped, `${JSON.stringify(seen)}\n`);
    }
  },
};
