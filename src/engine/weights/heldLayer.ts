import type { Component, LayerInfo } from '../../model/head';
import { weightsOf, type Pattern } from '../../model/pattern';

/** What is known of a head without reading its rows. */
export interface HeadSummary {
  /** Maxima of blocks, row-major, the last of a row or column perhaps smaller. */
  readonly pooled: Pattern;
  /** Queries and keys of a block. */
  readonly block: readonly [number, number];
  /** The sum of each key's column. */
  readonly columnSums: Float64Array;
}

/** The attention of one layer of a run, however it is held. Heads, queries and keys are within its shape: callers see to it. */
export interface HeldLayer {
  readonly component: Component;
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  readonly held: LayerInfo['held'];
  /** Bytes that it holds. */
  readonly bytes: number;
  /** Whether its numbers are differences, on both sides of zero: of several the largest by size counts, with its sign. */
  readonly isSigned?: boolean;
  /** Rows [from, to) of a head: `weights[(query - from) * numKeys + key]`, perhaps a view into what is held, so never to be changed. Throws the signal's reason, `outOfMemory` or `runtimeFailed`. */
  rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array>;
  /** What reads one key in a head, length numQueries, in an array of its own. Throws the signal's reason. */
  column(head: number, key: number, signal?: AbortSignal): Promise<Float32Array>;
  /** Where it is there, all rows need not be read for the small picture of a head. */
  summary?(head: number): HeadSummary | undefined;
  /** Called once, when nobody will read the layer again. */
  release?(): void;
}

/** The attention of all heads of a layer: `weights[(head * numQueries + query) * numKeys + key]`. */
export interface WholeWeights extends Pattern {
  readonly numHeads: number;
}

/** A layer held in full precision. */
export class WholeLayer implements HeldLayer {
  readonly held = 'whole';
  readonly numHeads: number;
  readonly numQueries: number;
  readonly numKeys: number;
  /** See {@link WholeWeights}. */
  readonly weights: Float32Array;

  constructor(
    readonly component: Component,
    { numHeads, numQueries, numKeys, weights }: WholeWeights,
  ) {
    this.numHeads = numHeads;
    this.numQueries = numQueries;
    this.numKeys = numKeys;
    this.weights = weights;
  }

  get bytes(): number {
    return this.weights.byteLength;
  }

  async rows(head: number, from: number, to: number): Promise<Float32Array> {
    const first = head * this.numQueries;
    return this.weights.subarray((first + from) * this.numKeys, (first + to) * this.numKeys);
  }

  async column(head: number, key: number): Promise<Float32Array> {
    const { numQueries, numKeys } = this;
    return weightsOf({ numQueries, numKeys, weights: await this.rows(head, 0, numQueries) }, key, 'readBy');
  }
}

/** A layer of which nothing is held. */
export function absentLayer(component: Component): HeldLayer {
  return new WholeLayer(component, { numHeads: 0, numQueries: 0, numKeys: 0, weights: new Float32Array(0) });
}
