import type { PlainText } from '../base/safeText';
import type { Component } from './head';

/** A token that is asked about. */
export interface AskedToken {
  readonly id: number;
  readonly text: PlainText;
}

/** What adds to a logit directly, and how much of it that is. */
export interface WrittenPart {
  /** What is embedded; heads of a layer together, without biases; an MLP, or what stands in its place; all that is added whatever is read. */
  readonly kind: 'embedding' | 'heads' | 'mlp' | 'bias';
  /** Of heads: where. Of MLPs the layer is their number, in the order of the graph. */
  readonly component?: Component;
  readonly layer?: number;
  /** In logits. */
  readonly value: number;
}

/** What the heads of one layer write. */
export interface WrittenLayer {
  readonly component: Component;
  readonly layer: number;
  readonly numHeads: number;
  readonly numKeys: number;
  /** `sources[head * numKeys + key]`, in logits: what a head writes for what it reads at each token. */
  readonly sources: Float32Array;
}

/** The logit of a token at a place, or the difference of two, as the sum of what adds to it directly. */
export interface Writes {
  /** The place of the token that is predicted, in this stream: the number of tokens for what would come next. */
  readonly stream: number;
  readonly position: number;
  readonly token: AskedToken;
  readonly against: AskedToken | undefined;
  /** By the model's own run: of `token`, less that of `against`. */
  readonly logit: number;
  /** What the parts miss of it. */
  readonly missing: number;
  /** What the file does to logits before it gives them, which is left out. */
  readonly behind: 'nothing' | 'softCap' | 'scale';
  readonly parts: readonly WrittenPart[];
  readonly layers: readonly WrittenLayer[];
}

/** What each head writes: `[head]` of a layer, in logits. */
export function headsOf({ numHeads, numKeys, sources }: WrittenLayer): Float64Array {
  return Float64Array.from({ length: numHeads }, (_, head) => {
    let sum = 0;
    for (let key = 0; key < numKeys; key++) sum += sources[head * numKeys + key];
    return sum;
  });
}

/** A head with what it writes. */
export interface WrittenHead {
  readonly component: Component;
  readonly layer: number;
  readonly head: number;
  readonly value: number;
}

/** All heads, those that write most first, for or against. */
export function strongestWriters({ layers }: Pick<Writes, 'layers'>): WrittenHead[] {
  return layers
    .flatMap((own) =>
      Array.from(headsOf(own), (value, head) => ({ component: own.component, layer: own.layer, head, value })),
    )
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
}
