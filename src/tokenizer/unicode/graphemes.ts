import { lazy } from './codePointSet';

const segmenter = lazy(() => new Intl.Segmenter('en', { granularity: 'grapheme' }));
const lineFeed = 0x0a;
/** UTF-16 code units. */
const minWindow = 256;

/** Calls `visit` for each extended grapheme cluster of a text (UAX #29), in order. */
export function forEachGrapheme(text: string, visit: (grapheme: string) => void): void {
  for (let i = 0; i < text.length; ) {
    // Two ASCII characters always part, but for CR LF: only what is between needs the slow segmenter.
    if (text.charCodeAt(i) < 0x80 && endsHere(text, i + 1)) {
      visit(text[i++]);
      continue;
    }
    let end = i + 1;
    while (end < text.length && (text.charCodeAt(end - 1) >= 0x80 || !endsHere(text, end))) end++;
    segmentRange(text, i, end, visit);
    i = end;
  }
}

/** Segments `[start, end)` through windows, because the host's segmenter takes quadratic time in the length of its input. */
function segmentRange(text: string, start: number, end: number, visit: (grapheme: string) => void): void {
  let windowSize = minWindow;
  for (let from = start; from < end; ) {
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

/** Whether a cluster that ends in an ASCII character ends before an index. */
function endsHere(text: string, index: number): boolean {
  if (index >= text.length) return true;
  const next = text.charCodeAt(index);
  return next < 0x80 && next !== lineFeed;
}
