import { joinBytes } from '../base/joinBytes';
import { checkFileLimit, type FileKind } from './fileLimits';

/** What comes in pieces, joined. Throws what {@link checkFileLimit} throws as soon as there is more than its kind may have. */
export async function readAtMost(kind: FileKind, name: string, pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    checkFileLimit(kind, name, length);
    held.push(piece);
  }
  return joinBytes(held);
}
