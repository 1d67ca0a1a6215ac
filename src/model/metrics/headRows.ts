/** The rows of one head's pattern, one after the other; what several metrics ask of a row is computed once. */
export class HeadRows {
  /** The query whose row it is now. */
  query = -1;
  /** Rows as they came, of which `weights[start + key]` is the one that it is now. */
  weights: Float32Array = new Float32Array(0);
  start = 0;
  readonly numKeys: number;
  readonly isCausal: boolean;
  /** Keys beyond are hidden from the query by a causal mask. */
  numReadable = 0;
  readonly #offset: number;
  #entropy = NaN;
  #distance = NaN;
  #squaredDistance = NaN;

  constructor(shape: { readonly numQueries: number; readonly numKeys: number }, isCausal: boolean) {
    this.numKeys = shape.numKeys;
    this.isCausal = isCausal;
    this.#offset = shape.numKeys - shape.numQueries;
  }

  /** Goes to a query's row. */
  goTo(query: number, weights: Float32Array, start: number): void {
    this.query = query;
    this.weights = weights;
    this.start = start;
    this.numReadable = this.isCausal ? Math.max(0, Math.min(this.numKeys, query + this.#offset + 1)) : this.numKeys;
    this.#entropy = NaN;
    this.#distance = NaN;
  }

  /** A_ij of the row's query; 0 where there is no such key. */
  at(key: number): number {
    return key >= 0 && key < this.numKeys ? this.weights[this.start + key] : 0;
  }

  /** −Σ_j A_ij log A_ij, in nats. */
  get entropy(): number {
    if (Number.isNaN(this.#entropy)) {
      let entropy = 0;
      for (let at = this.start, end = at + this.numReadable; at < end; at++) {
        const weight = this.weights[at];
        if (weight > 0) entropy -= weight * Math.log(weight);
      }
      this.#entropy = entropy;
    }
    return this.#entropy;
  }

  /** Σ_j A_ij |i − j|, in tokens. */
  get distance(): number {
    this.#measureDistances();
    return this.#distance;
  }

  /** Σ_j A_ij (i − j)², in tokens squared. */
  get squaredDistance(): number {
    this.#measureDistances();
    return this.#squaredDistance;
  }

  #measureDistances(): void {
    if (!Number.isNaN(this.#distance)) return;
    let [first, second] = [0, 0];
    for (let key = 0; key < this.numReadable; key++) {
      const weight = this.weights[this.start + key];
      if (!(weight > 0)) continue;
      const far = weight * Math.abs(this.query - key);
      first += far;
      second += far * Math.abs(this.query - key);
    }
    this.#distance = first;
    this.#squaredDistance = second;
  }
}
