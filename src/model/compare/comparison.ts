import { headsOf, type ComponentInfo, type HeadRef } from '../head';
import type { HeadDifference } from './headDifference';

/** Which head of B stands beside one of A: the one of its layer and index, as in two precisions of one model; or the one whose rows are nearest. */
export const pairings = ['index', 'nearest'] as const;
/** One of these ways. */
export type Pairing = (typeof pairings)[number];

/** A head of A with the one of B that it is compared with. */
export interface ComparedHead {
  readonly head: HeadRef;
  readonly other: HeadRef;
  readonly difference: HeadDifference;
}

/** What each number that is told of two heads means, and where it comes from. */
export const differenceSentences = {
  jensenShannon:
    'Jensen–Shannon divergence of the rows of both heads, in bits, the mean over the tokens that both texts have: 0 where they read the same, at most 1 (Lin 1991).',
  meanAbsolute: 'Mean of |B − A| over all pairs of tokens that both texts have and can be read.',
  largest: 'The largest change of one weight, B − A.',
  unaligned: 'How much of a row lies on tokens that the other text has not; rows are not divided by what is left.',
} as const;

/** The heads that changed most first, those without a divergence last. */
export function byChange(heads: readonly ComparedHead[]): ComparedHead[] {
  const sizeOf = ({ difference: { jensenShannon } }: ComparedHead): number =>
    Number.isNaN(jensenShannon) ? -1 : jensenShannon;
  return [...heads].sort(
    (a, b) => sizeOf(b) - sizeOf(a) || b.difference.meanAbsolute - a.difference.meanAbsolute || inOrder(a.head, b.head),
  );
}

/** The pairs of heads with the same layer and index in two components, in reading order. */
export function pairsByIndex(a: ComponentInfo, b: ComponentInfo): (readonly [HeadRef, HeadRef])[] {
  return headsOf(a)
    .filter(({ layer, head }) => head < (b.layers[layer]?.numHeads ?? 0))
    .map((head) => [head, head]);
}

/** Whether two components have as many heads in each layer. */
export function haveSameHeads(a: ComponentInfo, b: ComponentInfo): boolean {
  return a.layers.length === b.layers.length && a.layers.every(({ numHeads }, i) => numHeads === b.layers[i].numHeads);
}

const inOrder = (a: HeadRef, b: HeadRef): number => a.layer - b.layer || a.head - b.head;
