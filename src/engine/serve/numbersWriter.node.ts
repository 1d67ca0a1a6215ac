import { rm } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { notWritten, writePieces } from '../../base/wholeFile.node';
import type { NumbersWriter } from './writeNumbers';

/** Writes numbers with Node; its own CRC-32 is there from 20.15 and 22.2 on. */
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
  crc32: (zlib as Partial<Pick<typeof zlib, 'crc32'>>).crc32,
};
