import type { TokenRun } from '../encoding';
import { byteCharacters, isWhitespace } from '../unicode/characters';

const space = byteCharacters[0x20].charCodeAt(0);
const isSpace = (unit: number): boolean => unit === space || isWhitespace(unit);

/** Takes the spaces at both ends of each token out of its offsets; a prefix space that was not in the text stays out anyway. */
export function trimOffsets(run: TokenRun, text: string, addsSpace: boolean): TokenRun {
  const starts = run.starts.slice();
  const ends = run.ends.slice();
  for (let i = 0; i < starts.length; i++) {
    const token = run.tokens[i];
    if (isSpace(token.charCodeAt(0))) {
      const numLeading = countSpaces(token, 0, 1);
      // A space that was put in front stands for no character of the text: the reference library skips the first letter in its place.
      if (numLeading > 1 || !addsSpace || (i > 0 && starts[i] > 0))
        for (let left = numLeading; left > 0 && starts[i] < ends[i] && isWhitespace(text.charCodeAt(starts[i])); left--)
          starts[i]++;
    }
    if (isSpace(token.charCodeAt(token.length - 1))) {
      for (
        let left = countSpaces(token, token.length - 1, -1);
        left > 0 && ends[i] > starts[i] && isWhitespace(text.charCodeAt(ends[i] - 1));
        left--
      )
        ends[i]--;
    }
  }
  return { ...run, starts, ends };
}

/** The number of spaces from an index on, in one direction. */
function countSpaces(token: string, from: number, step: 1 | -1): number {
  let i = from;
  while (i >= 0 && i < token.length && isSpace(token.charCodeAt(i))) i += step;
  return Math.abs(i - from);
}
