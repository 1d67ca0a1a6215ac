import type { Matches, NormalizedString } from './normalizedString';

/** What becomes of the matches when a piece is cut at them. */
export const splitBehaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type SplitBehavior = (typeof splitBehaviors)[number];

/**
 * Takes the parts that a step makes of a piece, in order, as the code units `[start, end)` of its text, with what is put in front of them:
 * most are never a piece of their own.
 */
export type Emit = (piece: NormalizedString, start: number, end: number, prefix?: string) => void;

/** What {@link Emit} is given as a piece of its own. */
export function partOf(piece: NormalizedString, start: number, end: number, prefix = ''): NormalizedString {
  const part = start === 0 && end === piece.text.length ? piece : piece.slice(start, end);
  return prefix === '' ? part : part.prepend(prefix);
}

/** Cuts a piece at the matches of its text and emits the parts that are not empty. */
export function splitAt(piece: NormalizedString, matches: Matches, behavior: SplitBehavior, emit: Emit): void {
  const { ends, isMatch } = matches;
  const emitRange = (start: number, end: number): void => {
    if (start < end) emit(piece, start, end);
  };
  if (behavior === 'Removed' || behavior === 'Isolated') {
    for (let i = 0, start = 0; i < ends.length; start = ends[i++])
      if (behavior === 'Isolated' || !isMatch[i]) emitRange(start, ends[i]);
    return;
  }
  const joins = joinsPrevious(isMatch, behavior);
  for (let i = 0, start = 0; i < ends.length; i++) {
    if (i + 1 < ends.length && joins[i + 1]) continue;
    emitRange(start, ends[i]);
    start = ends[i];
  }
}

/** Emits the matches of an expression (global) that leaves nothing of a text out, but for those that `isWord` rejects by their first code unit. */
export function emitMatches(
  piece: NormalizedString,
  expression: RegExp,
  emit: Emit,
  isWord?: (firstUnit: number) => boolean,
): void {
  let start = 0;
  for (const match of piece.text.match(expression) ?? []) {
    const end = start + match.length;
    if (isWord === undefined || isWord(match.charCodeAt(0))) emit(piece, start, end);
    start = end;
  }
}

/** Whether each piece is one with the piece before it. */
function joinsPrevious(
  isMatch: readonly boolean[],
  behavior: 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous',
): boolean[] {
  switch (behavior) {
    case 'Contiguous':
      return isMatch.map((is, i) => i > 0 && is === isMatch[i - 1]);
    case 'MergedWithPrevious':
      return isMatch.map((is, i) => i > 0 && is && !isMatch[i - 1]);
    case 'MergedWithNext':
      return isMatch.map((is, i) => i > 0 && isMatch[i - 1] && !is);
  }
}
