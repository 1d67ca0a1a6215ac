import type { PatchGrid } from '../../model/token';
import type { Raster } from './raster';
import type { Preprocessing } from './readPreprocessing';
import { shapePicture, type ShapedPicture } from './shapePicture';
import type { Tiling } from './shapings';

/** A picture made ready, and what of it is read one after the other. */
export interface CutPicture {
  readonly picture: ShapedPicture;
  /** The picture itself; or its tiles, row by row, and behind them the thumbnail. */
  readonly tiles: readonly ShapedPicture[];
  /** Where it is cut. */
  readonly tiling: Tiling | undefined;
}

/** Makes a picture ready, and cuts it where its settings say so. Throws what shaping a picture throws. */
export function cutPicture(decoded: Raster, preprocessing: Preprocessing, name: string): CutPicture {
  const tiling = preprocessing.tiles?.(decoded);
  if (tiling === undefined) {
    const picture = shapePicture(decoded, preprocessing, name);
    return { picture, tiles: [picture], tiling };
  }
  const { rows, columns, tile, isOfSource, resampling } = tiling;
  const picture = shapePicture(decoded, { ...preprocessing, shapings: () => tiling.shapings }, name);
  const thumbnail = shapePicture(
    isOfSource ? decoded : picture,
    { ...preprocessing, shapings: () => [{ kind: 'resize', size: tile, resampling }] },
    name,
  );
  const tiles = Array.from({ length: rows * columns }, (_, i) =>
    partOf(picture, tiling, { row: Math.floor(i / columns), column: i % columns }),
  );
  return { picture, tiles: [...tiles, thumbnail], tiling };
}

/** One tile, as a picture of its own. */
function partOf(
  { width, pixels }: Raster,
  { tile }: Tiling,
  { row, column }: { readonly row: number; readonly column: number },
): ShapedPicture {
  const own = new Uint8Array(tile.width * tile.height * 4);
  for (let y = 0; y < tile.height; y++) {
    const from = ((row * tile.height + y) * width + column * tile.width) * 4;
    own.set(pixels.subarray(from, from + tile.width * 4), y * tile.width * 4);
  }
  const whole = { left: 0, top: 0, ...tile };
  return { ...tile, pixels: own, content: whole, source: tile, placed: whole };
}

/** The grid of all tiles together, and that of the thumbnail over the whole picture, by the grid of one tile; tokens are counted from 0 on. */
export function tiledGrid(
  { rows: down, columns: across, patchWidth, patchHeight }: PatchGrid,
  { rows, columns }: Tiling,
): PatchGrid {
  const starts = Array.from({ length: rows * columns }, (_, i) => i * down * across);
  return {
    rows: rows * down,
    columns: columns * across,
    first: 0,
    patchWidth,
    patchHeight,
    tiles: { rows: down, columns: across, starts },
    thumbnail: {
      rows: down,
      columns: across,
      first: rows * columns * down * across,
      patchWidth: patchWidth * columns,
      patchHeight: patchHeight * rows,
    },
  };
}
