import type { NormalizedString } from '../normalizedString';
import { byteCharacters, byteLength, codePointAt, unitLength } from '../unicode/characters';

/** Writes every UTF-8 byte as one character of the byte-level alphabet. */
export function toByteLevel(piece: NormalizedString): NormalizedString {
  const { text, counts } = writeBytes(piece.text);
  return counts === undefined
    ? piece.withText(text)
    : piece.transform(
        text,
        counts.flatMap((count) => [0, ...new Array<number>(count - 1).fill(1)]),
      );
}

/** A text in the byte-level alphabet, with the number of bytes of each of its code points; undefined where all are ASCII. */
export function writeBytes(text: string): { readonly text: string; readonly counts: readonly number[] | undefined } {
  if (ascii.test(text))
    return {
      text: text.replace(unlikeTheirBytes, (character) => byteCharacters[character.charCodeAt(0)]),
      counts: undefined,
    };
  let written = '';
  const counts: number[] = [];
  for (let i = 0; i < text.length;) {
    const codePoint = codePointAt(text, i);
    written += byteLevelOf(codePoint);
    counts.push(byteLength(codePoint));
    i += unitLength(codePoint);
  }
  return { text: written, counts };
}

const ascii = /^[\0-\x7f]*$/;
const unlikeTheirBytes = /[^!-~]/g;

/** The bytes of one code point in the byte-level alphabet. */
function byteLevelOf(codePoint: number): string {
  if (codePoint < 0x80) return byteCharacters[codePoint];
  const last = byteCharacters[0x80 | (codePoint & 0x3f)];
  if (codePoint < 0x800) return byteCharacters[0xc0 | (codePoint >> 6)] + last;
  const middle = byteCharacters[0x80 | ((codePoint >> 6) & 0x3f)];
  if (codePoint < 0x10000) return byteCharacters[0xe0 | (codePoint >> 12)] + middle + last;
  return byteCharacters[0xf0 | (codePoint >> 18)] + byteCharacters[0x80 | ((codePoint >> 12) & 0x3f)] + middle + last;
}
