import type { PatchGrid, TokenStream } from './token';

/** A patch by its row and column, both from zero. */
export interface Patch {
  readonly row: number;
  readonly column: number;
}

/** The patch that a token is; undefined for a special one, and for one of the thumbnail. */
export function patchAt({ rows, columns, first, tiles }: PatchGrid, position: number): Patch | undefined {
  if (tiles === undefined) return patchOf(position - first, rows, columns);
  const tile = tiles.starts.findLastIndex((start) => start <= position);
  const patch = tile < 0 ? undefined : patchOf(position - tiles.starts[tile], tiles.rows, tiles.columns);
  const across = columns / tiles.columns;
  return (
    patch && {
      row: Math.floor(tile / across) * tiles.rows + patch.row,
      column: (tile % across) * tiles.columns + patch.column,
    }
  );
}

function patchOf(index: number, rows: number, columns: number): Patch | undefined {
  return index >= 0 && index < rows * columns
    ? { row: Math.floor(index / columns), column: index % columns }
    : undefined;
}

/** The position of a patch among the tokens; undefined outside of the grid. */
export function positionOfPatch(grid: PatchGrid, { row, column }: Patch): number | undefined {
  const { rows, columns, first, tiles } = grid;
  if (!(row >= 0 && row < rows && column >= 0 && column < columns)) return undefined;
  if (tiles === undefined) return first + row * columns + column;
  const tile = Math.floor(row / tiles.rows) * (columns / tiles.columns) + Math.floor(column / tiles.columns);
  return tiles.starts[tile] + (row % tiles.rows) * tiles.columns + (column % tiles.columns);
}

/** The positions of a grid's patches, row by row of the picture. */
export function* patchPositions(grid: PatchGrid): Generator<number> {
  for (let row = 0; row < grid.rows; row++)
    for (let column = 0; column < grid.columns; column++) {
      const position = positionOfPatch(grid, { row, column });
      if (position !== undefined) yield position;
    }
}

/** The grids of a picture that is read once more as a whole, or the one that it has. */
export function gridsOf(grid: PatchGrid): readonly PatchGrid[] {
  return grid.thumbnail === undefined ? [grid] : [grid, grid.thumbnail];
}

/** A patch of a picture, or of its thumbnail. */
export interface GridPatch extends Patch {
  readonly grid: PatchGrid;
  readonly isOfThumbnail: boolean;
}

/** The name of a patch among tokens: `row,column`, from one. */
export function patchPiece({ row, column, isOfThumbnail }: Patch & { readonly isOfThumbnail?: boolean }): string {
  return `${isOfThumbnail === true ? 'thumbnail ' : ''}${row + 1},${column + 1}`;
}

/** The patch that a token is, of the picture or of its thumbnail; undefined for a special one. */
export function anyPatchAt(grid: PatchGrid, position: number): GridPatch | undefined {
  for (const each of gridsOf(grid)) {
    const patch = patchAt(each, position);
    if (patch !== undefined) return { ...patch, grid: each, isOfThumbnail: each !== grid };
  }
  return undefined;
}

/** A picture as a model sees it, with where all of the picture that was given lies in it: beyond its edges where it was cut. */
export interface PlacedPicture {
  readonly source: { readonly width: number; readonly height: number };
  readonly placed: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

/** A stretch of one side of a picture, in pixels of the model's. */
interface Stretch {
  readonly start: number;
  readonly length: number;
}

/** The part of the picture that was given which a patch shows, in its pixels; undefined for one beside it. */
export function sourceOfPatch(
  { patchWidth, patchHeight }: PatchGrid,
  { row, column }: Patch,
  { source, placed }: PlacedPicture,
): PlacedPicture['placed'] | undefined {
  const along = (patch: Stretch, whole: Stretch, size: number): readonly [number, number] => {
    const scale = size / whole.length;
    const from = (patch.start - whole.start) * scale;
    const to = (patch.start + patch.length - whole.start) * scale;
    return [Math.max(0, from), Math.min(size, to)];
  };
  const [left, right] = along(
    { start: column * patchWidth, length: patchWidth },
    { start: placed.left, length: placed.width },
    source.width,
  );
  const [top, bottom] = along(
    { start: row * patchHeight, length: patchHeight },
    { start: placed.top, length: placed.height },
    source.height,
  );
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : undefined;
}

/** The positions of the special tokens of a stream with a grid, in order. */
export function specialPositions({ tokens, grid }: TokenStream): number[] {
  return [...tokens.keys()].filter((position) => grid === undefined || anyPatchAt(grid, position) === undefined);
}
