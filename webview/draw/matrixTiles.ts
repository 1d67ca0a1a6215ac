import { tileSize } from '../../src/model/patternLevels';
import { levelFor, visibleRange, type CellRange, type PlacedMatrix } from '../layout/matrixView';
import type { Palette } from '../theme/palette';
import { canvasOf } from './canvas';
import { depthOfCell, type DepthImage, type DepthPyramid } from './depthPyramid';
import { RecentlyUsed } from '../state/recentlyUsed';

/** About 32 MB of pixels; the tiles longest unused go first. */
const maxTiles = 128;

/** The pictures of a matrix, cut into tiles that are painted when first seen. */
export interface MatrixPictures {
  /** Draws what can be seen of the matrix; the context's unit is a CSS pixel and its origin the plot's corner. Returns how many tiles it drew. */
  draw(context: CanvasRenderingContext2D, placed: PlacedMatrix, pixelRatio: number): number;
  /** The depth of a cell as a byte; 0 also where it is not here yet. */
  depthAt(query: number, key: number): number;
}

/** The tiles that can be seen of a level of so many blocks, each `block` CSS pixels wide. */
export function tilesInView(
  { view, frame }: PlacedMatrix,
  block: number,
  level: { readonly rows: number; readonly columns: number },
): { readonly rows: CellRange; readonly columns: CellRange } {
  return {
    rows: visibleRange(view.y, block * tileSize, Math.ceil(level.rows / tileSize), frame.height),
    columns: visibleRange(view.x, block * tileSize, Math.ceil(level.columns / tileSize), frame.width),
  };
}

/** The pictures of a matrix that is here whole, or of the levels from `firstLevel` on of one whose finer levels are not. */
export class MatrixTiles implements MatrixPictures {
  readonly #pyramid: DepthPyramid;
  readonly #palette: Palette;
  readonly #firstLevel: number;
  readonly #tiles = new RecentlyUsed<HTMLCanvasElement>(maxTiles);

  constructor(pyramid: DepthPyramid, palette: Palette, firstLevel = 0) {
    this.#pyramid = pyramid;
    this.#palette = palette;
    this.#firstLevel = firstLevel;
  }

  draw(context: CanvasRenderingContext2D, placed: PlacedMatrix, pixelRatio: number): number {
    const { view } = placed;
    const level = Math.max(0, levelFor(view.cell, pixelRatio) - this.#firstLevel);
    const image = this.#pyramid.level(level);
    const block = view.cell * 2 ** (level + this.#firstLevel);
    const { rows, columns } = tilesInView(placed, block, image);
    context.imageSmoothingEnabled = false;
    let drawn = 0;
    for (let row = rows.from; row < rows.to; row++) {
      for (let column = columns.from; column < columns.to; column++) {
        const tile = this.#tile(image, level, row, column);
        context.drawImage(
          tile,
          view.x + column * tileSize * block,
          view.y + row * tileSize * block,
          tile.width * block,
          tile.height * block,
        );
        drawn++;
      }
    }
    return drawn;
  }

  depthAt(query: number, key: number): number {
    return depthOfCell(this.#pyramid.level(0), query, key);
  }

  /** A tile of the first level. */
  firstTile(row: number, column: number): HTMLCanvasElement {
    return this.#tile(this.#pyramid.level(0), 0, row, column);
  }

  #tile(image: DepthImage, level: number, row: number, column: number): HTMLCanvasElement {
    const name = `${level}/${row}/${column}`;
    let tile = this.#tiles.get(name);
    if (tile === undefined)
      this.#tiles.set(name, (tile = paintTile(image, row * tileSize, column * tileSize, this.#palette)));
    return tile;
  }
}

/** Paints one tile's part of an image, from a row and column on. */
export function paintTile(image: DepthImage, top: number, left: number, palette: Palette): HTMLCanvasElement {
  const width = Math.min(tileSize, image.columns - left);
  const height = Math.min(tileSize, image.rows - top);
  const pixels = new ImageData(width, height);
  const words = new Uint32Array(pixels.data.buffer);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * image.columns + left;
    for (let x = 0; x < width; x++) words[y * width + x] = palette[image.bytes[from + x]];
  }
  return canvasOf(pixels);
}
