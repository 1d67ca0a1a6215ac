import { noDifference, type Pattern } from '../../src/model/pattern';
import { largestOf } from '../../src/model/lighting';
import type { Maxima } from '../../src/model/patternLevels';
import { depthOf, logFloor, signedDepthOf, type Scale } from '../../src/model/viewState';

/** Depths of colour of a matrix as bytes, row-major: 0 draws nothing, 255 is full depth. */
export interface DepthImage {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
  /** Whether depths are on both sides of zero, which is then {@link noDifference}. */
  readonly isSigned?: boolean;
}

/** The byte of a depth in [0, 1]. */
export function depthByte(depth: number): number {
  return depth > 0 ? Math.round(depth * 255) : 0;
}

/**
 * The depths of a pattern's weights on a scale; weights below `threshold` draw nothing.
 * @param ceiling what full depth stands for; the threshold is a part of it.
 */
export function depthImage(pattern: Pattern, scale: Scale, threshold: number, ceiling = 1): DepthImage {
  const { numQueries, numKeys } = pattern;
  const weights = ceiling === 1 || ceiling === 0 ? pattern.weights : pattern.weights.map((weight) => weight / ceiling);
  const bytes = new Uint8Array(weights.length);
  const logarithm = 255 / Math.log(logFloor);
  for (let query = 0; query < numQueries; query++) {
    const from = query * numKeys;
    const to = from + numKeys;
    let maximum = 0;
    if (scale === 'row') for (let i = from; i < to; i++) if (weights[i] > maximum) maximum = weights[i];
    for (let i = from; i < to; i++) {
      const weight = weights[i];
      if (!(weight > 0) || weight < threshold) continue;
      // The logarithm of depthOf without its calls: this loop runs over millions of cells.
      bytes[i] =
        scale === 'log'
          ? weight <= logFloor
            ? 0
            : Math.min(255, Math.round(255 - Math.log(weight) * logarithm))
          : depthByte(depthOf(weight, scale, maximum));
    }
  }
  return { rows: numQueries, columns: numKeys, bytes };
}

/** The depths of differences on a scale, on both sides of zero; those smaller than `threshold` draw nothing. */
export function differenceImage(pattern: Pattern, scale: Scale, threshold: number, ceiling: number): DepthImage {
  const { numQueries, numKeys, weights } = pattern;
  const bytes = new Uint8Array(weights.length).fill(noDifference);
  for (let query = 0; query < numQueries; query++) {
    const row = weights.subarray(query * numKeys, (query + 1) * numKeys);
    const maximum = largestOf(row);
    row.forEach((difference, key) => {
      if (Math.abs(difference) >= threshold * ceiling)
        bytes[query * numKeys + key] =
          noDifference + Math.round(127 * signedDepthOf(difference, scale, maximum, ceiling));
    });
  }
  return { rows: numQueries, columns: numKeys, bytes, isSigned: true };
}

/** Blocks of a level, from its row `top` on, with what they are compared to. */
interface LevelBlocks extends Maxima {
  /** Blocks are 2^level cells wide. */
  readonly level: number;
  readonly top: number;
  /** The maximum of each row of the whole matrix. */
  readonly rowMaxima: Float32Array;
}

/** How depths are made of weights. */
export interface DepthLooks {
  readonly scale: Scale;
  /** A part of the ceiling: what is less draws nothing. */
  readonly threshold: number;
  /** What full depth stands for. */
  readonly ceiling: number;
  /** Whether numbers are differences, whose depths are on both sides of zero. */
  readonly isSigned?: boolean;
}

/**
 * The depths of blocks by their maxima. On the scale by row a block's maximum is taken for a share of the smallest row maximum
 * that it can belong to, so that no row's strongest cell pales beside that of its neighbour.
 */
export function blockDepths(
  { rows, columns, maxima, level, top, rowMaxima }: LevelBlocks,
  { scale, threshold, ceiling, isSigned = false }: DepthLooks,
): DepthImage {
  if (scale !== 'row')
    return (isSigned ? differenceImage : depthImage)(
      { numQueries: rows, numKeys: columns, weights: maxima },
      scale,
      threshold,
      ceiling,
    );
  const bytes = new Uint8Array(maxima.length).fill(isSigned ? noDifference : 0);
  for (let row = 0; row < rows; row++) {
    const own = rowMaxima.slice((top + row) * 2 ** level, (top + row + 1) * 2 ** level).sort();
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const size = isSigned ? Math.abs(maxima[i]) : maxima[i];
      if (!(size > 0) || size < threshold * ceiling) continue;
      const depth = depthOf(size, scale, own.find((maximum) => maximum >= size) ?? size);
      bytes[i] = isSigned ? noDifference + Math.sign(maxima[i]) * Math.round(127 * depth) : depthByte(depth);
    }
  }
  return { rows, columns, bytes, isSigned };
}

/** The depth of a cell of an image as a byte, whatever its sign. */
export function depthOfCell({ bytes, columns, isSigned = false }: DepthImage, row: number, column: number): number {
  const byte = bytes[row * columns + column];
  return isSigned ? Math.min(255, 2 * Math.abs(byte - noDifference)) : byte;
}

/** Half as many rows and columns, each block by its maximum, so that a single hot cell never disappears. */
export function halve(image: DepthImage): DepthImage {
  const rows = Math.ceil(image.rows / 2);
  const columns = Math.ceil(image.columns / 2);
  const { isSigned = false } = image;
  const bytes = new Uint8Array(rows * columns).fill(isSigned ? noDifference : 0);
  const sizeOf = (byte: number): number => (isSigned ? Math.abs(byte - noDifference) : byte);
  for (let row = 0; row < image.rows; row++) {
    const source = row * image.columns;
    const target = (row >> 1) * columns;
    for (let column = 0; column < image.columns; column++) {
      const byte = image.bytes[source + column];
      const at = target + (column >> 1);
      if (sizeOf(byte) > sizeOf(bytes[at])) bytes[at] = byte;
    }
  }
  return { rows, columns, bytes, isSigned };
}

/** A depth image and its halved levels, each made when first asked for. */
export class DepthPyramid {
  readonly #levels: DepthImage[];

  constructor(base: DepthImage) {
    this.#levels = [base];
  }

  /** Level `index`, whose blocks are 2^index cells wide; the last one there is for anything beyond. */
  level(index: number): DepthImage {
    for (;;) {
      const last = this.#levels[this.#levels.length - 1];
      const found = this.#levels[index];
      if (found !== undefined) return found;
      if (last.rows <= 1 && last.columns <= 1) return last;
      this.#levels.push(halve(last));
    }
  }
}
