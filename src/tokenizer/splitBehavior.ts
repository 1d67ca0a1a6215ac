import type { Matches, NormalizedString } from './normalizedString';

/** What becomes of the matches when a piece is cut at them. */
export const splitBehaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type SplitBehavior = (typeof splitBehaviors)[number];

/** Takes the pieces that a step makes, in order. */
export type Emit = (piece: NormalizedString) => void;

/** Cuts a piece at the matches of its text and emits the parts that are not empty. */
export function splitAt(piece: NormalizedString, matches: Matches, behavior: SplitBehavior, emit: Emit): void {
  const { ends, isMatch } = matches;
  const emitRange = (start: number, end: number): void => {
    if (start < end) emit(piece.slice(start, end));
  };
  if (behavior === 'Removed' || behavior === 'Isolated') {
    for (let i = 0, start = 0; i < ends.length; start = ends[i++]) if (behavior === 'Isolated' || !isMatch[i]) emitRange(start, ends[i]);
    return;
  }
  const joins = joinsPrevious(isMatch, behavior);
  for (let i = 0, start = 0; i < ends.length; i++) {
    if (i + 1 < ends.length && joins[i + 1]) continue;
    emitRange(start, ends[i]);
    start = ends[i];
  }
}

/** Whether each piece is one with the piece before it. */
function joinsPrevious(isMatch: readonly boolean[], behavior: 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous'): boolean[] {
  switch (behavior) {
    case 'Contiguous':
      return isMatch.map((is, i) => i > 0 && is === isMatch[i - 1]);
    case 'MergedWithPrevious':
      return isMatch.map((is, i) => i > 0 && is && !isMatch[i - 1]);
    case 'MergedWithNext':
      return isMatch.map((is, i) => i > 0 && isMatch[i - 1] && !is);
  }
}
