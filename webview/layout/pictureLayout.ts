import {
  anyPatchAt,
  gridsOf,
  patchAt,
  positionOfPatch,
  specialPositions,
  type GridPatch,
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

/** The token that a key leads to: patches in two dimensions, with the special tokens in a row above them and those of the thumbnail below; undefined for other keys. */
export function movePatch(
  stream: TokenStream,
  position: number | undefined,
  key: string,
  isControl = false,
): number | undefined {
  const { grid } = stream;
  if (grid === undefined || !['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].includes(key))
    return undefined;
  const special = specialPositions(stream);
  const bottom = gridsOf(grid).at(-1) ?? grid;
  const last = positionOfPatch(bottom, { row: bottom.rows - 1, column: bottom.columns - 1 });
  if (position === undefined) return special[0] ?? grid.first;
  if (isControl) return key === 'Home' ? (special[0] ?? grid.first) : key === 'End' ? last : undefined;
  const patch = anyPatchAt(grid, position);
  if (patch === undefined) {
    const index = special.indexOf(position);
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: special.length - 1 }[key];
    if (key === 'ArrowDown') return positionOfPatch(grid, { row: 0, column: Math.min(index, grid.columns - 1) });
    return (to === undefined ? undefined : special[to]) ?? position;
  }
  const { row, column, grid: own } = patch;
  switch (key) {
    case 'ArrowUp':
      return (
        positionOfPatch(own, { row: row - 1, column }) ??
        (patch.isOfThumbnail ? across(patch, grid, grid.rows - 1) : undefined) ??
        special[Math.min(column, special.length - 1)] ??
        position
      );
    case 'ArrowDown':
      return positionOfPatch(own, { row: row + 1, column }) ?? across(patch, bottom, 0) ?? position;
    case 'Home':
      return positionOfPatch(own, { row, column: 0 });
    case 'End':
      return positionOfPatch(own, { row, column: own.columns - 1 });
    default:
      return positionOfPatch(own, { row, column: column + (key === 'ArrowLeft' ? -1 : 1) }) ?? position;
  }
}

/** The patch of another grid of the picture, in one of its rows, that lies where a patch does; undefined where it is of that grid itself. */
function across({ grid, column }: GridPatch, other: PatchGrid, row: number): number | undefined {
  if (other === grid) return undefined;
  return positionOfPatch(other, { row, column: Math.floor(((column + 0.5) * other.columns) / grid.columns) });
}
