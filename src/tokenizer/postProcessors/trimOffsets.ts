import type { TokenRun } from '../encoding';
import { byteCharacters, isWhitespace } from '../unicode/characters';

const space = byteCharacters[0x20].charCodeAt(0);
const isSpace = (unit: number): boolean => unit === space || isWhitespace(unit);

/** Takes the spaces at both ends of each token out of its offsets; a prefix space that was not in the text stays out anyway. */
export function trimOffsets(run: TokenRun, text: string, addsSpace: boolean): TokenRun {
  const starts = [...run.starts];
  const ends = [...run.ends];
  run.tokens.forEach((token, i) => {
    let numLeading = countWhile(token.length, (j) => isSpace(token.charCodeAt(j)));
    const numTrailing = countWhile(token.length, (j) => isSpace(token.charCodeAt(token.length - 1 - j)));
    if (numLeading > 0) {
      const isFirst = i === 0 || starts[i] === 0;
      if (isFirst && addsSpace && numLeading === 1) numLeading = 0;
      // A space that was put in front stands for no character of the text: the reference library skips the first letter in its place.
      const numReal = countWhile(numLeading, (j) => starts[i] + j < ends[i] && isWhitespace(text.charCodeAt(starts[i] + j)));
      starts[i] += numReal;
    }
    if (numTrailing > 0) {
      const numReal = countWhile(numTrailing, (j) => ends[i] - j > starts[i] && isWhitespace(text.charCodeAt(ends[i] - 1 - j)));
      ends[i] -= numReal;
    }
  });
  return { ...run, starts, ends };
}

function countWhile(limit: number, test: (index: number) => boolean): number {
  let count = 0;
  while (count < limit && test(count)) count++;
  return count;
}
