import * as wholeFile from '../base/wholeFile.node';
import { guardedLines, tellGuard } from './guardedLines';

/** Writes a file whole or not at all, also where whoever watches this process ends it. Throws `fileNotWritten`, and what making the pieces throws. */
export function writeWhole(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  return wholeFile.writeWhole(path, bytes, (beside) => tellGuard(guardedLines.begun, beside));
}
