import type { Aggregation } from './head';

/** An attention pattern: `weights[query * numKeys + key]`, row-major `[query, key]`; never changed in place. */
export interface Pattern {
  readonly numQueries: number;
  readonly numKeys: number;
  readonly weights: Float32Array;
}

/** What a token reads (its row) or what reads it (its column). */
export type Direction = 'reads' | 'readBy';

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

/** The mean, entry by entry, of vectors of one length (the rows of several pinned tokens). */
export function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const [first, ...others] = vectors;
  if (first === undefined) return new Float32Array(0);
  if (others.length === 0) return first;
  const mean = Float32Array.from(first);
  for (const next of others) for (let i = 0; i < mean.length; i++) mean[i] += next[i];
  for (let i = 0; i < mean.length; i++) mean[i] /= vectors.length;
  return mean;
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

/** Row and column marginals: mean weight that each key gets over the queries that can read it, and the sum of each query's row. */
export function marginals(pattern: Pattern, isCausal: boolean): { readonly rowSums: Float32Array; readonly columnMeans: Float32Array } {
  const { numQueries, numKeys, weights } = pattern;
  const rowSums = new Float32Array(numQueries);
  const columnMeans = new Float32Array(numKeys);
  const offset = numKeys - numQueries;
  for (let query = 0; query < numQueries; query++) {
    let sum = 0;
    for (let key = 0; key < numKeys; key++) {
      const weight = weights[query * numKeys + key];
      sum += weight;
      columnMeans[key] += weight;
    }
    rowSums[query] = sum;
  }
  for (let key = 0; key < numKeys; key++) {
    const readers = isCausal ? Math.min(numQueries, numQueries - (key - offset)) : numQueries;
    if (readers > 0) columnMeans[key] /= readers;
  }
  return { rowSums, columnMeans };
}

/** The keys that are sinks: α_k = mean_{i ≥ k} A_ik above `threshold` (Gu et al. 2024, arXiv 2410.10781). */
export function sinkKeys(pattern: Pattern, isCausal: boolean, threshold = 0.3): number[] {
  const { columnMeans } = marginals(pattern, isCausal);
  const sinks: number[] = [];
  columnMeans.forEach((mean, key) => {
    if (mean > threshold) sinks.push(key);
  });
  return sinks;
}

/** Reduces a pattern to at most `size` rows and columns by the maximum of each block, so that a single hot cell stays visible. */
export function maxPool(pattern: Pattern, size: number): Pattern {
  const rows = Math.min(size, pattern.numQueries);
  const columns = Math.min(size, pattern.numKeys);
  const pooled = new Float32Array(rows * columns);
  const columnOf = new Int32Array(pattern.numKeys);
  for (let key = 0; key < pattern.numKeys; key++) columnOf[key] = Math.floor((key * columns) / pattern.numKeys);
  for (let query = 0; query < pattern.numQueries; query++) {
    const rowStart = Math.floor((query * rows) / pattern.numQueries) * columns;
    const from = query * pattern.numKeys;
    for (let key = 0; key < pattern.numKeys; key++) {
      const cell = rowStart + columnOf[key];
      const weight = pattern.weights[from + key];
      if (weight > pooled[cell]) pooled[cell] = weight;
    }
  }
  return { numQueries: rows, numKeys: columns, weights: pooled };
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
