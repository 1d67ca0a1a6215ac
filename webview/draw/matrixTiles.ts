import { levelFor, visibleRange, type MatrixFrame, type MatrixView } from '../layout/matrixView';
import type { Palette } from '../theme/palette';
import type { DepthImage, DepthPyramid } from './depthPyramid';

const tileSize = 256;
/** About 16 MB of pixels; the tiles longest unused go first. */
const maxTiles = 64;

/** The pictures of a matrix, cut into tiles that are painted when first seen. */
export class MatrixTiles {
  readonly #pyramid: DepthPyramid;
  readonly #palette: Palette;
  readonly #tiles = new Map<string, HTMLCanvasElement>();

  constructor(pyramid: DepthPyramid, palette: Palette) {
    this.#pyramid = pyramid;
    this.#palette = palette;
  }

  /** Draws what the view shows; the context's unit is a CSS pixel and its origin the plot's corner. Returns how many tiles it drew. */
  draw(context: CanvasRenderingContext2D, view: MatrixView, frame: MatrixFrame, pixelRatio: number): number {
    const level = levelFor(view.cell, pixelRatio);
    const image = this.#pyramid.level(level);
    const block = view.cell * 2 ** level;
    const columns = visibleRange(view.x, block * tileSize, Math.ceil(image.columns / tileSize), frame.width);
    const rows = visibleRange(view.y, block * tileSize, Math.ceil(image.rows / tileSize), frame.height);
    context.imageSmoothingEnabled = false;
    let drawn = 0;
    for (let row = rows.from; row < rows.to; row++) {
      for (let column = columns.from; column < columns.to; column++) {
        const tile = this.#tile(image, level, row, column);
        context.drawImage(tile, view.x + column * tileSize * block, view.y + row * tileSize * block, tile.width * block, tile.height * block);
        drawn++;
      }
    }
    return drawn;
  }

  #tile(image: DepthImage, level: number, row: number, column: number): HTMLCanvasElement {
    const name = `${level}/${row}/${column}`;
    const found = this.#tiles.get(name);
    this.#tiles.delete(name);
    const tile = found ?? paint(image, row * tileSize, column * tileSize, this.#palette);
    this.#tiles.set(name, tile);
    for (const oldest of this.#tiles.keys()) {
      if (this.#tiles.size <= maxTiles) break;
      this.#tiles.delete(oldest);
    }
    return tile;
  }
}

function paint(image: DepthImage, top: number, left: number, palette: Palette): HTMLCanvasElement {
  const width = Math.min(tileSize, image.columns - left);
  const height = Math.min(tileSize, image.rows - top);
  const pixels = new ImageData(width, height);
  const words = new Uint32Array(pixels.data.buffer);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * image.columns + left;
    for (let x = 0; x < width; x++) words[y * width + x] = palette[image.bytes[from + x]];
  }
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  return canvas;
}
