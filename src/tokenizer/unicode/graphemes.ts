import { lazy } from './codePointSet';

const segmenter = lazy(() => new Intl.Segmenter('en', { granularity: 'grapheme' }));
const lineFeed = 0x0a;

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
    for (const { segment } of segmenter().segment(text.slice(i, end))) visit(segment);
    i = end;
  }
}

/** Whether a cluster that ends in an ASCII character ends before an index. */
function endsHere(text: string, index: number): boolean {
  if (index >= text.length) return true;
  const next = text.charCodeAt(index);
  return next < 0x80 && next !== lineFeed;
}
