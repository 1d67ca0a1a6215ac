import type { PatchGrid, TokenStream } from './token';

/** A patch by its row and column, both from zero. */
export interface Patch {
  readonly row: number;
  readonly column: number;
}

/** The patch that a token is; undefined for a special one. */
export function patchAt({ rows, columns, first }: PatchGrid, position: number): Patch | undefined {
  const index = position - first;
  return index >= 0 && index < rows * columns
    ? { row: Math.floor(index / columns), column: index % columns }
    : undefined;
}

/** The position of a patch among the tokens; undefined outside of the grid. */
export function positionOfPatch({ rows, columns, first }: PatchGrid, { row, column }: Patch): number | undefined {
  return row >= 0 && row < rows && column >= 0 && column < columns ? first + row * columns + column : undefined;
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
  return [...tokens.keys()].filter((position) => grid === undefined || patchAt(grid, position) === undefined);
}
