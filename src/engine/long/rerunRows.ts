import { ExplorerError } from '../../base/errors';
import type { SharedWork } from '../limits/sharedWork';
import type { Rows } from './recomputedLayer';

/** Rows that come at a time, of all heads: whoever looks at one looks at its neighbours next, and at other heads. */
const numNeighbours = 32;

/** Weights that are kept for whoever asks next: `[heads, rows, keys]`. */
export interface KeptWeights {
  readonly bytes: number;
  readonly weights: Float32Array;
}

/** Exact rows that the run itself gave: what comes of running its part again must equal them. */
interface GivenRows {
  /** `[heads, queries.length, keys]` */
  readonly weights: Float32Array;
  readonly queries: readonly number[];
  /** The most that they may differ. */
  readonly tolerance: number;
}

/** What rows of a layer are had with. */
export interface RerunParts {
  /** Tells the layer from others whose weights are kept beside its own. */
  readonly name: string;
  readonly shape: readonly [numHeads: number, numQueries: number, numKeys: number];
  /** Runs the layer again for some heads whole, or some rows of all. */
  readonly run: (
    wanted: { readonly heads: readonly number[] } | { readonly rows: readonly number[] },
  ) => Promise<Float32Array>;
  readonly given: GivenRows;
  readonly kept: SharedWork<KeptWeights>;
  /** Bytes of weights that may come at a time. */
  readonly mostBytes: number;
}

/** Rows of a layer's attention as the model computes them when the part of it up to that layer's weights is run again. */
export class RerunRows implements Rows {
  readonly numHeads: number;
  readonly numKeys: number;
  readonly #numQueries: number;
  readonly #parts: RerunParts;
  /** Heads that come at a time. */
  readonly #numTogether: number;
  /** The first of the heads that were read whole last. */
  #latest: number | undefined;

  constructor(parts: RerunParts) {
    [this.numHeads, this.#numQueries, this.numKeys] = parts.shape;
    this.#parts = parts;
    const headBytes = 4 * this.#numQueries * this.numKeys;
    this.#numTogether = Math.min(this.numHeads, Math.max(1, Math.floor(parts.mostBytes / headBytes)));
  }

  async rows(head: number, from: number, to: number): Promise<Float32Array> {
    const first = from - (from % numNeighbours);
    const firstHead = head - (head % this.#numTogether);
    // Whoever reads a head band by band ends with a short one.
    if (to > first + numNeighbours || this.#numQueries <= numNeighbours || this.#latest === firstHead) {
      this.#latest = firstHead;
      return this.#part(await this.#heads(firstHead), head - firstHead, [from, to, this.#numQueries]);
    }
    const numRows = Math.min(numNeighbours, this.#numQueries - first) + this.#parts.given.queries.length;
    return this.#part(await this.#neighbours(first), head, [from - first, to - first, numRows]);
  }

  /** Rows [from, to) of one of the matrices of so many rows. */
  #part(weights: Float32Array, matrix: number, [from, to, numRows]: readonly [number, number, number]): Float32Array {
    return weights.subarray((matrix * numRows + from) * this.numKeys, (matrix * numRows + to) * this.numKeys);
  }

  /** All rows of the heads that come together, from one on. */
  #heads(first: number): Promise<Float32Array> {
    const heads = Array.from({ length: Math.min(this.#numTogether, this.numHeads - first) }, (_, i) => first + i);
    return this.#get(`heads ${first}`, async () => {
      const weights = await this.#run({ heads }, heads.length * this.#numQueries);
      heads.forEach((each, i) => this.#check(weights, i * this.#numQueries, each, this.#parts.given.queries));
      return weights;
    });
  }

  /** Rows from one on of every head; behind them those that the run gave itself. */
  #neighbours(first: number): Promise<Float32Array> {
    const { queries } = this.#parts.given;
    const numRows = Math.min(numNeighbours, this.#numQueries - first);
    const rows = [...Array.from({ length: numRows }, (_, i) => first + i), ...queries];
    return this.#get(`rows ${first}`, async () => {
      const weights = await this.#run({ rows }, this.numHeads * rows.length);
      for (let head = 0; head < this.numHeads; head++)
        this.#check(weights, head * rows.length + numRows, head, [...queries.keys()]);
      return weights;
    });
  }

  async #get(name: string, make: () => Promise<Float32Array>): Promise<Float32Array> {
    const { kept } = this.#parts;
    const { weights } = await kept.get(`${this.#parts.name}/${name}`, async () => {
      const made = await make();
      return { weights: made, bytes: made.byteLength };
    });
    return weights;
  }

  async #run(wanted: Parameters<RerunParts['run']>[0], numRows: number): Promise<Float32Array> {
    const weights = await this.#parts.run(wanted);
    if (weights.length !== numRows * this.numKeys) throw differs('it has another shape');
    return weights;
  }

  /** Throws `runtimeFailed` where rows of a head are not those that the run gave; `places` tells where they are, in rows from `start` on. */
  #check(weights: Float32Array, start: number, head: number, places: readonly number[]): void {
    const { given } = this.#parts;
    places.forEach((place, i) => {
      const at = (start + place) * this.numKeys;
      const wanted = (head * places.length + i) * this.numKeys;
      for (let key = 0; key < this.numKeys; key++) {
        const difference = Math.abs(weights[at + key] - given.weights[wanted + key]);
        if (!(difference <= given.tolerance))
          throw differs(`a weight differs by ${difference.toPrecision(2)} from what it was`);
      }
    });
  }
}

function differs(how: string): ExplorerError {
  return new ExplorerError('runtimeFailed', [`a layer of this text was run again, and ${how}`]);
}
