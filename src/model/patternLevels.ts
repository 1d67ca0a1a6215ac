import { maxWholeCells } from './pattern';

/** Rows and columns of a tile, in blocks. */
export const tileSize = 256;

/** The most rows and columns of an overview, in blocks. */
export const overviewSize = 512;

/** Whether a pattern goes to the panel in parts: an overview, tiles and rows. */
export function isTiled(numQueries: number, numKeys: number): boolean {
  return numQueries * numKeys > maxWholeCells;
}

/** How many blocks of 2^level cells lie along a side of `count` cells. */
export function blocksAlong(count: number, level: number): number {
  return Math.ceil(count / 2 ** level);
}

/** The level of a pattern's overview: the first whose sides both have at most {@link overviewSize} blocks. */
export function overviewLevel(numQueries: number, numKeys: number): number {
  let level = 0;
  while (blocksAlong(Math.max(numQueries, numKeys), level) > overviewSize) level++;
  return level;
}

/** Numbers row-major `[rows, columns]`, each the maximum of a block; of differences the largest by size, with its sign. */
export interface Maxima {
  readonly rows: number;
  readonly columns: number;
  readonly maxima: Float32Array;
}

/** How a row is halved: {@link halveRow}, or {@link halveSigned} of differences. */
type HalveRow = typeof halveRow;

/** Half as many rows and columns, rounded up, each block by its maximum: a single hot cell never disappears. */
export function halveMaxima({ rows, columns, maxima }: Maxima, halve: HalveRow = halveRow): Maxima {
  const [halfRows, halfColumns] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
  const halved = new Float32Array(halfRows * halfColumns);
  for (let row = 0; row < rows; row++)
    halve(maxima.subarray(row * columns, (row + 1) * columns), halved.subarray((row >> 1) * halfColumns));
  return { rows: halfRows, columns: halfColumns, maxima: halved };
}

/** Raises the blocks of a halved row to the maxima of a row's numbers. */
export function halveRow(numbers: Float32Array, halved: Float32Array): void {
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i];
    if (value > halved[i >> 1]) halved[i >> 1] = value;
  }
}

/** The same of differences: of a block counts the largest by size, with its sign. */
export function halveSigned(differences: Float32Array, halved: Float32Array): void {
  for (let i = 0; i < differences.length; i++) {
    const value = differences[i];
    if (Math.abs(value) > Math.abs(halved[i >> 1])) halved[i >> 1] = value;
  }
}

/** Cuts tile (`row`, `column`) out of a level. */
export function cutTile({ rows, columns, maxima }: Maxima, row: number, column: number): Maxima {
  const [top, left] = [row * tileSize, column * tileSize];
  const [height, width] = [Math.min(tileSize, rows - top), Math.min(tileSize, columns - left)];
  const cut = new Float32Array(height * width);
  for (let y = 0; y < height; y++)
    cut.set(maxima.subarray((top + y) * columns + left, (top + y) * columns + left + width), y * width);
  return { rows: height, columns: width, maxima: cut };
}
