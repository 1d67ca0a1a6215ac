import {
  anyPatchAt,
  gridsOf,
  patchAt,
  positionOfPatch,
  specialPositions,
  type GridPatch,
  type Patch,
} from '../../src/model/patchGrid';
import type { PatchGrid, TokenStream } from '../../src/model/token';
import type { Rect } from './headGrid';

/** How a picture lies on the screen: CSS pixels per pixel, and its size. */
export interface PictureLayout {
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}

/** A patch is never smaller than this, in CSS pixels: a large picture scrolls instead. */
const minPatch = 7;
/** Small pictures are not blown up beyond this. */
const maxScale = 16;

/** As large as the room allows, but with patches that can still be hit. */
export function layoutPicture(
  picture: { readonly width: number; readonly height: number },
  grid: PatchGrid,
  room: { readonly width: number; readonly height: number },
): PictureLayout {
  const least = minPatch / Math.min(grid.patchWidth, grid.patchHeight);
  const scale = Math.max(least, Math.min(maxScale, room.width / picture.width, room.height / picture.height));
  return {
    scale,
    width: Math.max(1, Math.round(picture.width * scale)),
    height: Math.max(1, Math.round(picture.height * scale)),
  };
}

/** Where a patch stands in the picture as it is laid out; undefined for a special token. */
export function patchRect(grid: PatchGrid, position: number, { scale }: PictureLayout): Rect | undefined {
  const patch = patchAt(grid, position);
  if (patch === undefined) return undefined;
  // Edges are rounded each for itself, so that neighbours share theirs.
  const [x, y] = [Math.round(patch.column * grid.patchWidth * scale), Math.round(patch.row * grid.patchHeight * scale)];
  return {
    x,
    y,
    width: Math.round((patch.column + 1) * grid.patchWidth * scale) - x,
    height: Math.round((patch.row + 1) * grid.patchHeight * scale) - y,
  };
}

/** The position of the patch at a place of the laid out picture; undefined beside the grid. */
export function patchUnder(grid: PatchGrid, x: number, y: number, { scale }: PictureLayout): number | undefined {
  return positionOfPatch(grid, {
    row: Math.floor(y / (grid.patchHeight * scale)),
    column: Math.floor(x / (grid.patchWidth * scale)),
  });
}

/** Rows and columns that an arrow moves by. */
const arrows: Readonly<Record<string, Patch>> = {
  ArrowLeft: { row: 0, column: -1 },
  ArrowRight: { row: 0, column: 1 },
  ArrowUp: { row: -1, column: 0 },
  ArrowDown: { row: 1, column: 0 },
};

/** The token that a key leads to: patches in two dimensions, with the special tokens in a row above them and those of the thumbnail below; undefined for other keys. */
export function movePatch(
  stream: TokenStream,
  position: number | undefined,
  key: string,
  isControl = false,
): number | undefined {
  const { grid } = stream;
  const isEnd = key === 'Home' || key === 'End';
  if (grid === undefined || (!isEnd && arrows[key] === undefined)) return undefined;
  const special = specialPositions(stream);
  const first = special[0] ?? grid.first;
  if (position === undefined || (isControl && key === 'Home')) return first;
  if (isControl) {
    const bottom = bottomOf(grid);
    return isEnd ? positionOfPatch(bottom, { row: bottom.rows - 1, column: bottom.columns - 1 }) : undefined;
  }
  const patch = anyPatchAt(grid, position);
  return (
    (patch === undefined
      ? besideSpecial(grid, special, special.indexOf(position), key)
      : besidePatch(grid, special, patch, key)) ?? position
  );
}

function bottomOf(grid: PatchGrid): PatchGrid {
  return gridsOf(grid).at(-1) ?? grid;
}

/** What a key leads to from a special token, by its place among them. */
function besideSpecial(grid: PatchGrid, special: readonly number[], index: number, key: string): number | undefined {
  if (key === 'ArrowDown') return positionOfPatch(grid, { row: 0, column: Math.min(index, grid.columns - 1) });
  const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: special.length - 1 }[key];
  return to === undefined ? undefined : special[to];
}

/** What a key leads to from a patch: above the first row are the special tokens, below the last of the tiles the thumbnail. */
function besidePatch(grid: PatchGrid, special: readonly number[], patch: GridPatch, key: string): number | undefined {
  const { row, column, grid: own } = patch;
  const step = arrows[key];
  if (step === undefined) return positionOfPatch(own, { row, column: key === 'Home' ? 0 : own.columns - 1 });
  const beside = positionOfPatch(own, { row: row + step.row, column: column + step.column });
  if (beside !== undefined || step.row === 0) return beside;
  if (step.row > 0) return across(patch, bottomOf(grid), 0);
  const above = patch.isOfThumbnail ? across(patch, grid, grid.rows - 1) : undefined;
  return above ?? special[Math.min(column, special.length - 1)];
}

/** The patch of another grid of the picture, in one of its rows, that lies where a patch does; undefined where it is of that grid itself. */
function across({ grid, column }: GridPatch, other: PatchGrid, row: number): number | undefined {
  if (other === grid) return undefined;
  return positionOfPatch(other, { row, column: Math.floor(((column + 0.5) * other.columns) / grid.columns) });
}
