import { rm } from 'node:fs/promises';
import { nodeCrc32 } from '../../base/crc32.node';
import { notWritten, writePieces } from '../../base/wholeFile.node';
import type { NumbersWriter } from './writeNumbers';

/** Writes numbers with Node. */
export const numbersWriter: NumbersWriter = {
  async write(path, flags, pieces) {
    try {
      await writePieces(path, flags, pieces);
    } catch (error) {
      // Whoever asked has cancelled, perhaps, and looked for what is left before this was begun.
      if (flags === 'wx') await rm(path, { force: true });
      throw notWritten(path, error);
    }
  },
  crc32: nodeCrc32,
};
