import type { HeadRef } from './head';
import { strongest, weightsOf, type Pattern, type WeightedPosition } from './pattern';

/** A key that a token reads, with the head that reads it most. */
export interface HeadSource extends WeightedPosition {
  readonly head: HeadRef;
}

/** The strongest weight of each cell over heads of one shape, which are added one at a time, and the head that has it. */
export class StrongestHeads {
  readonly #heads: HeadRef[] = [];
  #maxima: Pattern | undefined;
  #owners = new Uint32Array(0);

  /** Adds a head with its pattern; where two are equal the first one stays. */
  add(head: HeadRef, pattern: Pattern): void {
    const index = this.#heads.push(head) - 1;
    if (this.#maxima === undefined) {
      this.#maxima = { ...pattern, weights: Float32Array.from(pattern.weights) };
      this.#owners = new Uint32Array(pattern.weights.length);
      return;
    }
    const { weights } = this.#maxima;
    const owners = this.#owners;
    for (let cell = 0; cell < weights.length; cell++) {
      if (!(pattern.weights[cell] > weights[cell])) continue;
      weights[cell] = pattern.weights[cell];
      owners[cell] = index;
    }
  }

  /** At most `count` keys that a query reads, those that any head reads most first. */
  reads(query: number, count: number): HeadSource[] {
    const maxima = this.#maxima;
    if (maxima === undefined) return [];
    return strongest(weightsOf(maxima, query, 'reads'), count).map((source) => ({
      ...source,
      head: this.#heads[this.#owners[query * maxima.numKeys + source.position]],
    }));
  }
}
