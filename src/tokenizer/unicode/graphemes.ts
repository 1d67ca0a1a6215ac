import { lazy } from './codePointSet';

const segmenter = lazy(() => new Intl.Segmenter('en', { granularity: 'grapheme' }));
const [lineFeed, carriageReturn] = [0x0a, 0x0d];
/** UTF-16 code units. */
const minWindow = 256;
/** A syllable in jamo, or what there is of it: trailing consonants follow vowels alone. */
const jamo = /[\u1100-\u115f]*[\u1160-\u11a7]+[\u11a8-\u11ff]*|[\u1100-\u115f]+|[\u11a8-\u11ff]+/y;

/** Calls `visit` for each extended grapheme cluster of a text (UAX #29), in order. */
export function forEachGrapheme(text: string, visit: (grapheme: string) => void): void {
  for (let i = 0; i < text.length;) {
    // Two characters that stand alone always part, but for CR LF, and so do syllables: only what is between needs the slow segmenter.
    const next = endOfSimple(text, i);
    if (next > i && endsHere(text, next)) {
      visit(text.slice(i, next));
      i = next;
      continue;
    }
    let end = Math.max(next, i + 1);
    while (end < text.length && (!standsAlone(text.charCodeAt(end - 1)) || !endsHere(text, end))) end++;
    segmentRange(text, i, end, visit);
    i = end;
  }
}

/** The end of the character that stands alone, or of the syllable in jamo, that begins at an index; the index itself where neither does. */
function endOfSimple(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  if (standsAlone(unit)) return index + 1;
  if (!isJamo(unit)) return index;
  jamo.lastIndex = index;
  jamo.test(text);
  return jamo.lastIndex;
}

/** Segments `[start, end)` through windows, because the host's segmenter takes quadratic time in the length of its input. */
function segmentRange(text: string, start: number, end: number, visit: (grapheme: string) => void): void {
  let windowSize = minWindow;
  for (let from = start; from < end;) {
    const isLast = from + windowSize >= end;
    const cutsPair = !isLast && (text.charCodeAt(from + windowSize - 1) & 0xfc00) === 0xd800;
    const window = text.slice(from, isLast ? end : from + windowSize - (cutsPair ? 1 : 0));
    const clusters = Array.from(segmenter().segment(window), ({ segment }) => segment);
    // The last cluster may go on after the window; what is before it is settled.
    const numSettled = isLast ? clusters.length : clusters.length - 1;
    for (let i = 0; i < numSettled; i++) {
      visit(clusters[i]);
      from += clusters[i].length;
    }
    windowSize = numSettled > 0 ? minWindow : windowSize * 2;
  }
}

/** Whether a cluster ends before an index where what stands before it is a character that stands alone, or a syllable in jamo. */
function endsHere(text: string, index: number): boolean {
  if (index >= text.length) return true;
  const [last, next] = [text.charCodeAt(index - 1), text.charCodeAt(index)];
  if (next === lineFeed) return last !== carriageReturn;
  // A leading consonant goes on in a syllable that is written as one character, and such a syllable in a vowel or a trailing consonant.
  if (isJamo(next)) return !isSyllable(last);
  return standsAlone(next) && !(isJamo(last) && isSyllable(next));
}

function isJamo(unit: number): boolean {
  return unit >= 0x1100 && unit <= 0x11ff;
}

function isSyllable(unit: number): boolean {
  return unit >= 0xac00 && unit <= 0xd7a3;
}

// Letters, ideographs, syllables and signs among which no mark, no joiner and no jamo lies.
const lonely = [
  0x00, 0x7f, 0xa0, 0xac, 0xae, 0x2ff, 0x370, 0x482, 0x48a, 0x52f, 0x531, 0x58f, 0x5d0, 0x5ea, 0x620, 0x64a, 0x660,
  0x66f, 0x671, 0x6d5, 0xe01, 0xe30, 0xe3f, 0xe46, 0x10a0, 0x10ff, 0x13a0, 0x13f5, 0x1d00, 0x1dbf, 0x1e00, 0x200a,
  0x2010, 0x2027, 0x202f, 0x205e, 0x2070, 0x209c, 0x20a0, 0x20bf, 0x2100, 0x2bff, 0x2e80, 0x2fd5, 0x3000, 0x3029,
  0x3030, 0x303d, 0x3041, 0x3096, 0x309b, 0x30ff, 0x3105, 0x318e, 0x3400, 0x4dbf, 0x4e00, 0x9ffc, 0xac00, 0xd7a3,
  0xf900, 0xfad9, 0xff01, 0xff9d,
];

/** 1 for each code unit that is one of these. */
const isLonely = new Uint8Array(0x10000);
for (let i = 0; i < lonely.length; i += 2) isLonely.fill(1, lonely[i], lonely[i + 1] + 1);

/** Whether a code unit is a character that joins no other one of these. */
function standsAlone(unit: number): boolean {
  return isLonely[unit] === 1;
}
