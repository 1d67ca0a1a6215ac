import type { NormalizedString } from '../normalizedString';
import { mapCharacters } from './mapCharacters';

/** SentencePiece's clean-up for translation: drops control characters and makes unusual white space a space. */
export function normalizeNmt(piece: NormalizedString): NormalizedString {
  return mapCharacters(
    piece.filter((codePoint) => !isDropped(codePoint)),
    (codePoint) => (isSpace(codePoint) ? ' ' : undefined),
  );
}

function isDropped(c: number): boolean {
  return (c >= 0x1 && c <= 0x8) || c === 0xb || (c >= 0xe && c <= 0x1f) || c === 0x7f || c === 0x8f || c === 0x9f;
}

function isSpace(c: number): boolean {
  if (c < 0x1680) return c === 0x9 || c === 0xa || c === 0xc || c === 0xd;
  return c === 0x1680 || (c >= 0x200b && c <= 0x200f) || c === 0x2028 || c === 0x2029 || c === 0x2581 || c === 0xfeff || c === 0xfffd;
}
