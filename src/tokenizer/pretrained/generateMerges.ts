import { unitLength } from '../unicode/characters';
import { TooCostlyError } from '../workBounds';

/** Code units that may be looked up: a piece has as many cuts as characters, and each looks up all of it. */
const mostUnits = 2 ** 28;

/** The merges that a vocabulary of SentencePiece implies: every cut of a piece into two others, by the piece's id and the lengths of the two. */
export function generateMerges(ids: ReadonlyMap<string, number>): (readonly [string, string])[] {
  const merges: { first: string; second: string; id: number; lengths: number }[] = [];
  let units = 0;
  for (const [piece, id] of ids) {
    units += piece.length * piece.length;
    if (units > mostUnits) throw new TooCostlyError('its pieces are far too long');
    const found: { first: string; second: string; id: number; lengths: number; ids: readonly [number, number] }[] = [];
    let length = 0;
    for (
      let at = unitLength(piece.codePointAt(0) ?? 0);
      at < piece.length;
      at += unitLength(piece.codePointAt(at) ?? 0)
    ) {
      length++;
      const [first, second] = [piece.slice(0, at), piece.slice(at)];
      const firstId = ids.get(first);
      const secondId = firstId === undefined ? undefined : ids.get(second);
      if (firstId !== undefined && secondId !== undefined)
        found.push({ first, second, id, lengths: length, ids: [firstId, secondId] });
    }
    found.sort((a, b) => a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]);
    for (const merge of found) merges.push(merge);
  }
  // Of one piece, the second part is the shorter the longer the first is.
  merges.sort((a, b) => a.id - b.id || a.lengths - b.lengths);
  return merges.map(({ first, second }) => [first, second]);
}
