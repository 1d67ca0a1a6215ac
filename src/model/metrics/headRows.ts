import { naturalLog } from './naturalLog';

/** The rows of one head's pattern, one after the other; what several metrics ask of a row is computed once, in one pass over it. */
export class HeadRows {
  /** The query whose row it is now. */
  query = -1;
  /** Rows as they came, of which `weights[start + key]` is the one that it is now. */
  weights: Float32Array = new Float32Array(0);
  start = 0;
  /** The bits of `weights`. */
  #bits: Int32Array = new Int32Array(0);
  readonly numKeys: number;
  readonly isCausal: boolean;
  /** Keys beyond are hidden from the query by a causal mask. */
  numReadable = 0;
  readonly #offset: number;
  readonly #columnSums: Float64Array;
  #isMeasured = true;
  readonly #measured = new Float64Array(3);
  #entropy = 0;
  #distance = 0;
  #squaredDistance = 0;

  constructor(shape: { readonly numQueries: number; readonly numKeys: number }, isCausal: boolean) {
    this.numKeys = shape.numKeys;
    this.isCausal = isCausal;
    this.#offset = shape.numKeys - shape.numQueries;
    this.#columnSums = new Float64Array(shape.numKeys);
  }

  /** Goes to a query's row. */
  goTo(query: number, weights: Float32Array, start: number): void {
    this.query = query;
    if (weights !== this.weights) this.#bits = new Int32Array(weights.buffer, weights.byteOffset, weights.length);
    this.weights = weights;
    this.start = start;
    this.numReadable = this.isCausal ? Math.max(0, Math.min(this.numKeys, query + this.#offset + 1)) : this.numKeys;
    this.#isMeasured = false;
  }

  /** A_ij of the row's query; 0 where there is no such key. */
  at(key: number): number {
    return key >= 0 && key < this.numKeys ? this.weights[this.start + key] : 0;
  }

  /** −Σ_j A_ij log A_ij, in nats. */
  get entropy(): number {
    this.#measure();
    return this.#entropy;
  }

  /** Σ_j A_ij |i − j|, in tokens. */
  get distance(): number {
    this.#measure();
    return this.#distance;
  }

  /** Σ_j A_ij (i − j)², in tokens squared. */
  get squaredDistance(): number {
    this.#measure();
    return this.#squaredDistance;
  }

  /** Σ_i A_ij of each column over the rows so far; to be asked for at every row. */
  get columnSums(): Float64Array {
    this.#measure();
    return this.#columnSums;
  }

  #measure(): void {
    if (this.#isMeasured) return;
    this.#isMeasured = true;
    measureRow(this, this.#bits, this.#columnSums, this.#measured);
    [this.#entropy, this.#distance, this.#squaredDistance] = this.#measured;
  }
}

/** Adds a row to the sums of its columns, and puts what is asked of it (−Σ w log w, Σ w |i − j|, Σ w |i − j|²) into `measured`. On the way of every cell of a corpus: plain loops over locals. */
function measureRow(
  { query, weights, start, numReadable }: Pick<HeadRows, 'query' | 'weights' | 'start' | 'numReadable'>,
  bits: Int32Array,
  sums: Float64Array,
  measured: Float64Array,
): void {
  let entropy = 0;
  let distance = 0;
  let squaredDistance = 0;
  for (let key = 0; key < numReadable; key++) {
    const weight = weights[start + key];
    if (!(weight > 0)) continue;
    sums[key] += weight;
    entropy -= weight * naturalLog(bits[start + key]);
    const far = Math.abs(query - key);
    const moment = weight * far;
    distance += moment;
    squaredDistance += moment * far;
  }
  measured[0] = entropy;
  measured[1] = distance;
  measured[2] = squaredDistance;
}
