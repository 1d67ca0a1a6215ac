import { textHash } from './textHash';

/** Characters that are hashed at most in the search for a text: some 20 ms. */
const workBudget = 4_000_000;

/**
 * Finds a text of which only the hash and the former place are known: at that place, else where a line begins or its
 * indentation ends, nearest first. Undefined where it is not found.
 */
export function findByHash(
  text: string,
  known: { readonly start: number; readonly end: number; readonly textHash: string },
): number | undefined {
  const length = known.end - known.start;
  const isAt = (start: number): boolean =>
    start >= 0 && start + length <= text.length && textHash(text.slice(start, start + length)) === known.textHash;
  if (isAt(known.start)) return known.start;
  const candidates = lineStarts(text)
    .filter((start) => start + length <= text.length)
    .sort((a, b) => Math.abs(a - known.start) - Math.abs(b - known.start))
    .slice(0, Math.floor(workBudget / Math.max(1, length)));
  return candidates.find(isAt);
}

function lineStarts(text: string): number[] {
  const starts = new Set([0]);
  for (const match of text.matchAll(/^[ \t]*/gm)) {
    starts.add(match.index);
    starts.add(match.index + match[0].length);
  }
  return [...starts];
}
