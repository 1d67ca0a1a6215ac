import { CodePointSet, lazy } from './codePointSet';
import { controlRuns, markRuns, nonspacingMarkRuns, punctuationRuns } from './tables';

/** Marks of Unicode 9 (general category M). */
export const marks = lazy(() => new CodePointSet(markRuns));
/** Nonspacing marks of Unicode 8 (general category Mn). */
export const nonspacingMarks = lazy(() => new CodePointSet(nonspacingMarkRuns));
/** Control, format and private-use characters, without tab and line ends. */
export const controls = lazy(() => new CodePointSet(controlRuns));
/** Punctuation of Unicode 8, and the ASCII symbols. */
export const punctuation = lazy(() => new CodePointSet(punctuationRuns));

const whiteSpace = /^\p{White_Space}/u;
const numeric = /^\p{N}/u;

/** Characters with the property White_Space, but for the space itself: all are one code unit. */
export const unusualSpaces = /[\t-\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g;

/** Whether a code point has the property White_Space. */
export function isWhitespace(codePoint: number): boolean {
  if (codePoint < 0x80) return codePoint === 0x20 || (codePoint >= 9 && codePoint <= 13);
  if (codePoint < 0x1680) return codePoint === 0x85 || codePoint === 0xa0;
  return codePoint <= 0x3000 && whiteSpace.test(String.fromCodePoint(codePoint));
}

/** Whether a code point is a number (general category N). */
export function isNumeric(codePoint: number): boolean {
  if (codePoint < 0x80) return codePoint >= 0x30 && codePoint <= 0x39;
  return numeric.test(String.fromCodePoint(codePoint));
}

/** Number of UTF-16 code units of a code point. */
export function unitLength(codePoint: number): 1 | 2 {
  return codePoint > 0xffff ? 2 : 1;
}

/** Number of UTF-8 bytes of a code point. */
export function byteLength(codePoint: number): 1 | 2 | 3 | 4 {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** The code point at an index inside of the text. */
export function codePointAt(text: string, index: number): number {
  return text.codePointAt(index) ?? 0;
}

/** Number of code points of a text. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if (codePointAt(text, i) > 0xffff) count--;
  return count;
}

/** Index after the first `count` code points that follow `from`; the text's end where there are fewer. */
export function skipCodePoints(text: string, from: number, count: number): number {
  let index = from;
  for (let i = 0; i < count && index < text.length; i++) index += unitLength(codePointAt(text, index));
  return index;
}

/** The eight-bit alphabet of byte-level models: a printable character for each byte. */
export const byteCharacters: readonly string[] = makeByteCharacters();

/** The byte that a character of {@link byteCharacters} stands for. */
export const bytesOfCharacters: ReadonlyMap<string, number> = new Map(
  byteCharacters.map((character, byte) => [character, byte]),
);

/** GPT-2's table: visible Latin-1 bytes stand for themselves, the others follow from U+0100. */
function makeByteCharacters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isVisible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(isVisible ? byte : next++);
  });
}
