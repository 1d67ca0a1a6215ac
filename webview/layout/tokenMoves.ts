import type { TokenLine } from './tokenLines';

/** Where the keyboard can take the current token. */
export type TokenMove = 'next' | 'previous' | 'up' | 'down' | 'lineStart' | 'lineEnd' | 'first' | 'last';

/** The token that a move leads to from `position` (or from nowhere: the first), in a stream of `count` tokens; the same one at the ends. */
export function moveToken(lines: readonly TokenLine[], count: number, position: number | undefined, move: TokenMove): number | undefined {
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
    case 'up':
    case 'down':
      return verticalMove(lines, position, move === 'up' ? -1 : 1);
  }
}

/** The line on which a token begins, or -1. */
export function lineOf(lines: readonly TokenLine[], position: number): number {
  return lines.findIndex(({ pieces }) => pieces.some(({ token }) => token === position));
}

function verticalMove(lines: readonly TokenLine[], position: number, step: 1 | -1): number {
  const from = lineOf(lines, position);
  const column = lines[from]?.pieces.find(({ token }) => token === position)?.column ?? 0;
  for (let line = from + step; line >= 0 && line < lines.length; line += step) {
    const pieces = lines[line].pieces.filter(({ token }) => token >= 0 && token !== position);
    const [first] = pieces;
    if (first === undefined) continue;
    const below = pieces.filter((piece) => piece.column <= column).at(-1) ?? first;
    return below.token;
  }
  return position;
}

/** The positions of the tokens whose text or piece holds `needle`, case ignored. */
export function findTokens(texts: readonly string[], needle: string): number[] {
  const wanted = needle.toLowerCase();
  if (wanted === '') return [];
  return texts.flatMap((text, position) => (text.toLowerCase().includes(wanted) ? [position] : []));
}
