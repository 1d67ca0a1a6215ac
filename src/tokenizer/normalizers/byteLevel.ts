import type { NormalizedString } from '../normalizedString';
import { byteCharacters, codePointAt, unitLength } from '../unicode/characters';

/** Writes every UTF-8 byte as one character of the byte-level alphabet. */
export function toByteLevel(piece: NormalizedString): NormalizedString {
  const { text } = piece;
  let result = '';
  let isAscii = true;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    isAscii &&= unit < 0x80;
    if (!isAscii) break;
    result += byteCharacters[unit];
  }
  if (isAscii) return piece.withText(result);
  result = '';
  const changes: number[] = [];
  for (let i = 0; i < text.length; ) {
    const codePoint = codePointAt(text, i);
    const before = result.length;
    result += byteLevelOf(codePoint);
    for (let j = before; j < result.length; j++) changes.push(j === before ? 0 : 1);
    i += unitLength(codePoint);
  }
  return piece.transform(result, changes);
}

/** The bytes of one code point in the byte-level alphabet. */
function byteLevelOf(codePoint: number): string {
  if (codePoint < 0x80) return byteCharacters[codePoint];
  const last = byteCharacters[0x80 | (codePoint & 0x3f)];
  if (codePoint < 0x800) return byteCharacters[0xc0 | (codePoint >> 6)] + last;
  const middle = byteCharacters[0x80 | ((codePoint >> 6) & 0x3f)];
  if (codePoint < 0x10000) return byteCharacters[0xe0 | (codePoint >> 12)] + middle + last;
  return byteCharacters[0xf0 | (codePoint >> 18)] + byteCharacters[0x80 | ((codePoint >> 12) & 0x3f)] + middle + last;
}
