import type { Turns } from '../../base/turns';
import type { Aggregation } from '../../model/head';
import type { HeldLayer } from './heldLayer';

/** A head in the layer that holds it. */
export interface LayerHead {
  readonly layer: HeldLayer;
  readonly head: number;
}

/** The heads of one pattern, at least one, all of one shape. */
export interface HeadsOfPattern {
  readonly heads: readonly LayerHead[];
  readonly aggregation: Aggregation;
  readonly numQueries: number;
  readonly numKeys: number;
}

/** Half-open ranges of queries and keys. */
export interface Block {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly right: number;
}

/** Whether a pattern's numbers are differences, on both sides of zero. */
export function areSigned({ heads }: HeadsOfPattern): boolean {
  return heads.some(({ layer }) => layer.isSigned === true);
}

/** How many rows are read at a time: their cells, for any pattern that is shown, are a few megabytes. */
export const bandRows = 256;

/** A column of a layer that has its rows alone: read band by band. Throws as {@link HeldLayer.rows} does. */
export async function columnOfRows(
  layer: Pick<HeldLayer, 'numQueries' | 'numKeys' | 'rows'>,
  head: number,
  key: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { numQueries, numKeys } = layer;
  const column = new Float32Array(numQueries);
  for (let from = 0; from < numQueries; from += bandRows) {
    const to = Math.min(numQueries, from + bandRows);
    const rows = await layer.rows(head, from, to, signal);
    for (let query = from; query < to; query++) column[query] = rows[(query - from) * numKeys + key];
  }
  return column;
}

/** A block of a pattern, row-major, in an array of its own. Throws the signal's reason. */
export async function readBlock(
  pattern: HeadsOfPattern,
  { from, to, left, right }: Block,
  turns: Turns,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const width = right - left;
  const block = new Float32Array((to - from) * width);
  const { heads, aggregation, numKeys } = pattern;
  for (const [i, { layer, head }] of heads.entries()) {
    const rows = await layer.rows(head, from, to, signal);
    const how = i === 0 ? 'first' : aggregation === 'max' && layer.isSigned === true ? 'size' : aggregation;
    // Whole rows follow each other, as one long row.
    merge(block, width === numKeys ? block.length : width, { numbers: rows, length: numKeys, left }, how);
    if (turns.isDue) await turns.give();
  }
  return finish(block, pattern);
}

/** The weights that one key is read with in a pattern, length numQueries, in an array of its own. Throws the signal's reason. */
export async function readColumn(
  pattern: HeadsOfPattern,
  key: number,
  turns: Turns,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { heads, aggregation, numQueries } = pattern;
  const column = new Float32Array(numQueries);
  for (const [i, { layer, head }] of heads.entries()) {
    const how = i === 0 ? 'first' : aggregation === 'max' && layer.isSigned === true ? 'size' : aggregation;
    const numbers = await layer.column(head, key, signal);
    merge(column, numQueries, { numbers, length: numQueries, left: 0 }, how);
    if (turns.isDue) await turns.give();
  }
  return finish(column, pattern);
}

/** Rows of a head, one after the other, of which the cells from `left` on count. */
interface HeadRows {
  readonly numbers: Float32Array;
  /** Of a row. */
  readonly length: number;
  readonly left: number;
}

/** Merges the cells of a head's rows into rows of `width` cells. */
function merge(
  target: Float32Array,
  width: number,
  { numbers, length, left }: HeadRows,
  how: Aggregation | 'first' | 'size',
): void {
  for (let at = 0, from = left; at < target.length; at += width, from += length) {
    if (how === 'first') target.set(numbers.subarray(from, from + width), at);
    else if (how === 'mean') for (let i = 0; i < width; i++) target[at + i] += numbers[from + i];
    else if (how === 'size') {
      for (let i = 0; i < width; i++)
        if (Math.abs(numbers[from + i]) > Math.abs(target[at + i])) target[at + i] = numbers[from + i];
    } else for (let i = 0; i < width; i++) if (numbers[from + i] > target[at + i]) target[at + i] = numbers[from + i];
  }
}

/** Makes a mean of what {@link merge} has added up. */
function finish(merged: Float32Array, { heads, aggregation }: HeadsOfPattern): Float32Array {
  if (aggregation === 'mean' && heads.length > 1) for (let i = 0; i < merged.length; i++) merged[i] /= heads.length;
  return merged;
}
