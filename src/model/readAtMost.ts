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
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of held) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
