import type { Turns } from '../../base/turns';
import {
  MarginalSums,
  meansOfColumns,
  poolRows,
  poolSigned,
  type Pattern,
  type PatternShape,
} from '../../model/pattern';
import type { HeadSummary } from './heldLayer';
import { bandRows, type LayerHead } from './readBlock';

/** What a small picture is made of a head for. */
interface PictureAsked {
  /** The most rows and columns. */
  readonly size: number;
  /** Of the head's component. */
  readonly isCausal: boolean;
}

/** A head reduced to at most `size` rows and columns, each cell the maximum of its block, and the mean weight that each key gets. Throws the signal's reason. */
export async function smallPicture(
  { layer, head }: LayerHead,
  { size, isCausal }: PictureAsked,
  turns: Turns,
  signal?: AbortSignal,
): Promise<{ readonly pooled: Pattern; readonly columnMeans: Float32Array }> {
  const { numQueries, numKeys } = layer;
  const summary = layer.summary?.(head);
  if (summary !== undefined)
    return {
      pooled: stretch(summary, layer, size),
      columnMeans: meansOfColumns(summary.columnSums, numQueries, isCausal),
    };
  const pool = layer.isSigned === true ? poolSigned : poolRows;
  const pooled = emptyPicture(layer, size);
  const sums = new MarginalSums(numQueries, numKeys);
  for (let from = 0; from < numQueries; from += bandRows) {
    const band = await layer.rows(head, from, Math.min(numQueries, from + bandRows), signal);
    pool(pooled, layer, from, band);
    sums.add(from, band);
    if (turns.isDue) await turns.give();
  }
  return { pooled, columnMeans: sums.columnMeans(isCausal) };
}

function emptyPicture({ numQueries, numKeys }: PatternShape, size: number): Pattern {
  const [rows, columns] = [Math.min(size, numQueries), Math.min(size, numKeys)];
  return { numQueries: rows, numKeys: columns, weights: new Float32Array(rows * columns) };
}

/** A picture from blocks that need not be those of its own cells: each cell shows the maximum of every block that reaches into it, so nothing is lost. */
function stretch({ pooled: blocks, block: [height, width] }: HeadSummary, shape: PatternShape, size: number): Pattern {
  const picture = emptyPicture(shape, size);
  const rows = blocksOf(picture.numQueries, shape.numQueries, height);
  const columns = blocksOf(picture.numKeys, shape.numKeys, width);
  rows.forEach(([top, bottom], row) =>
    columns.forEach(([left, right], column) => {
      let maximum = 0;
      for (let y = top; y <= bottom; y++) {
        for (let x = left; x <= right; x++) {
          const weight = blocks.weights[y * blocks.numKeys + x];
          if (weight > maximum) maximum = weight;
        }
      }
      picture.weights[row * picture.numKeys + column] = maximum;
    }),
  );
  return picture;
}

/** The first and the last block that reaches into each cell of a side; cell i has the positions p with ⌊p · cells / count⌋ = i. */
function blocksOf(numCells: number, count: number, side: number): (readonly [number, number])[] {
  return Array.from({ length: numCells }, (_, cell) => {
    const first = Math.ceil((cell * count) / numCells);
    const last = Math.ceil(((cell + 1) * count) / numCells) - 1;
    return [Math.floor(first / side), Math.floor(last / side)];
  });
}
