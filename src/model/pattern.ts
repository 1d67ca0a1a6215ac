import type { Aggregation } from './head';

/** How many queries and keys a pattern has. */
export interface PatternShape {
  readonly numQueries: number;
  readonly numKeys: number;
}

/** An attention pattern: `weights[query * numKeys + key]`, row-major `[query, key]`; never changed in place. */
export interface Pattern extends PatternShape {
  readonly weights: Float32Array;
}

/** A pattern of more cells goes to the panel in parts. */
export const maxWholeCells = 2 ** 21;

/** What a token reads (its row) or what reads it (its column). */
export const directions = ['reads', 'readBy'] as const;
/** One of them. */
export type Direction = (typeof directions)[number];

/** The mean or the maximum, cell by cell, of patterns of one shape. */
export function aggregatePatterns(patterns: readonly Pattern[], aggregation: Aggregation): Pattern {
  const [first, ...others] = patterns;
  if (first === undefined) throw new RangeError('No pattern to aggregate');
  if (others.length === 0) return first;
  const weights = Float32Array.from(first.weights);
  for (const { weights: next } of others) {
    if (next.length !== weights.length) throw new RangeError('Patterns of different shapes');
    if (aggregation === 'mean') for (let i = 0; i < weights.length; i++) weights[i] += next[i];
    else for (let i = 0; i < weights.length; i++) if (next[i] > weights[i]) weights[i] = next[i];
  }
  if (aggregation === 'mean') for (let i = 0; i < weights.length; i++) weights[i] /= patterns.length;
  return { numQueries: first.numQueries, numKeys: first.numKeys, weights };
}

/** The weights of one token over the other axis: its row (`reads`, length numKeys) or its column (`readBy`, length numQueries). */
export function weightsOf(pattern: Pattern, position: number, direction: Direction): Float32Array {
  const { numQueries, numKeys, weights } = pattern;
  if (direction === 'reads') return weights.slice(position * numKeys, (position + 1) * numKeys);
  const column = new Float32Array(numQueries);
  for (let query = 0; query < numQueries; query++) column[query] = weights[query * numKeys + position];
  return column;
}

/** The mean, entry by entry, of vectors of one length (the rows of several pinned tokens); where `counts` is there, of those vectors that count for an entry. */
export function meanOf(
  vectors: readonly Float32Array[],
  counts?: (vector: number, entry: number) => boolean,
): Float32Array {
  const [first, ...others] = vectors;
  if (first === undefined) return new Float32Array(0);
  if (others.length === 0) return first;
  if (counts !== undefined) return meanOfCounted(vectors, counts);
  const mean = Float32Array.from(first);
  for (const next of others) for (let i = 0; i < mean.length; i++) mean[i] += next[i];
  for (let i = 0; i < mean.length; i++) mean[i] /= vectors.length;
  return mean;
}

function meanOfCounted(
  vectors: readonly Float32Array[],
  counts: (vector: number, entry: number) => boolean,
): Float32Array {
  return vectors[0].map((_, entry) => {
    let sum = 0;
    let number = 0;
    vectors.forEach((vector, index) => {
      if (!counts(index, entry)) return;
      sum += vector[entry];
      number++;
    });
    return number === 0 ? 0 : sum / number;
  });
}

/** A position with its attention weight. */
export interface WeightedPosition {
  readonly position: number;
  readonly weight: number;
}

/** The strongest entries, strongest first (ties: the earlier position), none below `threshold` and none of weight zero. */
export function strongest(weights: Float32Array, count: number, threshold = 0): WeightedPosition[] {
  const found: WeightedPosition[] = [];
  weights.forEach((weight, position) => {
    if (weight > 0 && weight >= threshold) found.push({ position, weight });
  });
  return found.sort((a, b) => b.weight - a.weight || a.position - b.position).slice(0, count);
}

/** The sums at a pattern's edges. */
export interface Marginals {
  /** The sum of each query's row. */
  readonly rowSums: Float32Array;
  /** The mean weight that each key gets over the queries that can read it. */
  readonly columnMeans: Float32Array;
}

/** Gathers the marginals of a pattern from its rows, in any order and any number at a time. */
export class MarginalSums {
  readonly rowSums: Float32Array;
  readonly #columnSums: Float64Array;

  constructor(numQueries: number, numKeys: number) {
    this.rowSums = new Float32Array(numQueries);
    this.#columnSums = new Float64Array(numKeys);
  }

  /** Adds whole rows, of which the first is that of query `from`. */
  add(from: number, weights: Float32Array): void {
    const sums = this.#columnSums;
    const numKeys = sums.length;
    for (let row = 0, i = 0; i < weights.length; row++) {
      let sum = 0;
      for (let key = 0; key < numKeys; key++, i++) {
        const weight = weights[i];
        sum += weight;
        sums[key] += weight;
      }
      this.rowSums[from + row] = sum;
    }
  }

  columnMeans(isCausal: boolean): Float32Array {
    return meansOfColumns(this.#columnSums, this.rowSums.length, isCausal);
  }
}

/** The mean weight that each key gets over the queries that can read it, from the sums of columns. */
export function meansOfColumns(columnSums: Float64Array, numQueries: number, isCausal: boolean): Float32Array {
  const offset = columnSums.length - numQueries;
  const means = new Float32Array(columnSums.length);
  for (let key = 0; key < means.length; key++) {
    const readers = isCausal ? Math.min(numQueries, numQueries - (key - offset)) : numQueries;
    means[key] = readers > 0 ? columnSums[key] / readers : columnSums[key];
  }
  return means;
}

/** The marginals of a whole pattern. */
export function marginals({ numQueries, numKeys, weights }: Pattern, isCausal: boolean): Marginals {
  const sums = new MarginalSums(numQueries, numKeys);
  sums.add(0, weights);
  return { rowSums: sums.rowSums, columnMeans: sums.columnMeans(isCausal) };
}

/** The keys that are sinks: α_k = mean_{i ≥ k} A_ik, the column's mean, above `threshold` (Gu et al. 2024, arXiv 2410.10781). */
export function sinkKeys(columnMeans: Float32Array, threshold = 0.3): number[] {
  const sinks: number[] = [];
  columnMeans.forEach((mean, key) => {
    if (mean > threshold) sinks.push(key);
  });
  return sinks;
}

/** Reduces a pattern to at most `size` rows and columns by the maximum of each block, so that a single hot cell stays visible. */
export function maxPool(pattern: Pattern, size: number): Pattern {
  const pooled: Pattern = {
    numQueries: Math.min(size, pattern.numQueries),
    numKeys: Math.min(size, pattern.numKeys),
    weights: new Float32Array(Math.min(size, pattern.numQueries) * Math.min(size, pattern.numKeys)),
  };
  poolRows(pooled, pattern, 0, pattern.weights);
  return pooled;
}

/** Raises the blocks of a reduced pattern to the maxima of whole rows of the full one, of which the first is that of query `from`. */
export function poolRows(
  pooled: Pattern,
  { numQueries, numKeys }: PatternShape,
  from: number,
  weights: Float32Array,
): void {
  const columnOf = new Int32Array(numKeys);
  for (let key = 0; key < numKeys; key++) columnOf[key] = Math.floor((key * pooled.numKeys) / numKeys);
  for (let query = from, i = 0; i < weights.length; query++) {
    const rowStart = Math.floor((query * pooled.numQueries) / numQueries) * pooled.numKeys;
    for (let key = 0; key < numKeys; key++, i++) {
      const cell = rowStart + columnOf[key];
      const weight = weights[i];
      if (weight > pooled.weights[cell]) pooled.weights[cell] = weight;
    }
  }
}

/** The same for differences: each block becomes its largest number by size, with its sign. */
export function poolSigned(
  pooled: Pattern,
  { numQueries, numKeys }: PatternShape,
  from: number,
  differences: Float32Array,
): void {
  for (let i = 0; i < differences.length; i++) {
    const query = from + Math.floor(i / numKeys);
    const row = Math.floor((query * pooled.numQueries) / numQueries);
    const cell = row * pooled.numKeys + Math.floor(((i % numKeys) * pooled.numKeys) / numKeys);
    if (Math.abs(differences[i]) > Math.abs(pooled.weights[cell])) pooled.weights[cell] = differences[i];
  }
}

/** The byte of a difference of nothing. */
export const noDifference = 128;

/** Codes differences in [−1, 1] as bytes around {@link noDifference}, by the square root of their size. */
export function encodeDifferences(differences: Float32Array): Uint8Array {
  return Uint8Array.from(
    differences,
    (each) => noDifference + Math.sign(each) * Math.round(Math.sqrt(Math.min(1, Math.abs(each))) * 127),
  );
}

/** The difference that such a byte stands for. */
export function decodeDifference(byte: number): number {
  const root = (byte - noDifference) / 127;
  return Math.sign(root) * Math.min(1, root ** 2);
}

/** Codes weights in [0, 1] as bytes of their square root, for pictures only (error below 4e-3). */
export function encodeThumbnail(weights: Float32Array): Uint8Array {
  const bytes = new Uint8Array(weights.length);
  for (let i = 0; i < weights.length; i++) bytes[i] = Math.round(Math.sqrt(Math.min(1, Math.max(0, weights[i]))) * 255);
  return bytes;
}

/** The weight that a thumbnail's byte stands for. */
export function decodeThumbnail(byte: number): number {
  return (byte / 255) ** 2;
}
