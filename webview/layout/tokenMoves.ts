import type { TokenLine } from '../../src/model/tokenLines';

/** Where the keyboard can take the current token. */
export type TokenMove = 'next' | 'previous' | 'lineStart' | 'lineEnd' | 'first' | 'last';

/** Where a token begins on the screen, in CSS pixels. */
export interface TokenPlace {
  readonly left: number;
  readonly top: number;
  readonly height: number;
}

/** The token that a move leads to from `position` (or from nowhere: the first), in a stream of `count` tokens; the same one at the ends. */
export function moveToken(
  lines: readonly TokenLine[],
  count: number,
  position: number | undefined,
  move: TokenMove,
): number | undefined {
  if (count === 0) return undefined;
  if (position === undefined) return move === 'last' || move === 'previous' ? count - 1 : 0;
  switch (move) {
    case 'next':
      return Math.min(count - 1, position + 1);
    case 'previous':
      return Math.max(0, position - 1);
    case 'first':
      return 0;
    case 'last':
      return count - 1;
    case 'lineStart':
    case 'lineEnd': {
      const tokens = lines[lineOf(lines, position)]?.pieces.filter(({ token }) => token >= 0) ?? [];
      return tokens.at(move === 'lineStart' ? 0 : -1)?.token ?? position;
    }
  }
}

/** The line on which a token begins, or -1. */
export function lineOf(lines: readonly TokenLine[], position: number): number {
  return lines.findIndex(({ pieces }) => pieces.some(({ token }) => token === position));
}

/** The token of the row below or above that is nearest by its place; the same one at the ends. Rows are those that are seen: a line may wrap into several. */
export function moveByRow(
  count: number,
  position: number,
  step: 1 | -1,
  placeOf: (position: number) => TokenPlace | undefined,
): number {
  const from = placeOf(position);
  if (from === undefined) return position;
  const middleOf = ({ top, height }: TokenPlace): number => top + height / 2;
  const isBeyond = (place: TokenPlace, than: TokenPlace): boolean =>
    (middleOf(place) - middleOf(than)) * step > Math.max(place.height, than.height) / 2;
  let row: TokenPlace | undefined;
  let nearest = position;
  let distance = Infinity;
  for (let next = position + step; next >= 0 && next < count; next += step) {
    const place = placeOf(next);
    if (place === undefined || !isBeyond(place, from)) continue;
    row ??= place;
    if (isBeyond(place, row)) break;
    const away = Math.abs(place.left - from.left);
    if (away < distance) [nearest, distance] = [next, away];
  }
  return nearest;
}

/** The positions of the tokens whose text or piece holds `needle`, case ignored. */
export function findTokens(texts: readonly string[], needle: string): number[] {
  const wanted = needle.toLowerCase();
  if (wanted === '') return [];
  return texts.flatMap((text, position) => (text.toLowerCase().includes(wanted) ? [position] : []));
}
