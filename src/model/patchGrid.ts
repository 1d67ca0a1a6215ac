import type { PatchGrid, TokenStream } from './token';

/** A patch by its row and column, both from zero. */
export interface Patch {
  readonly row: number;
  readonly column: number;
}

/** The patch that a token is; undefined for a special one. */
export function patchAt({ rows, columns, first }: PatchGrid, position: number): Patch | undefined {
  const index = position - first;
  return index >= 0 && index < rows * columns ? { row: Math.floor(index / columns), column: index % columns } : undefined;
}

/** The position of a patch among the tokens; undefined outside of the grid. */
export function positionOfPatch({ rows, columns, first }: PatchGrid, { row, column }: Patch): number | undefined {
  return row >= 0 && row < rows && column >= 0 && column < columns ? first + row * columns + column : undefined;
}

/** The positions of the special tokens of a stream with a grid, in order. */
export function specialPositions({ tokens, grid }: TokenStream): number[] {
  return [...tokens.keys()].filter((position) => grid === undefined || patchAt(grid, position) === undefined);
}
