import type { PlainText } from '../../base/safeText';
import { headsOf, type Component, type ComponentInfo, type HeadRef } from '../head';
import type { Alignment } from './alignTokens';
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

/** With what a run is compared. */
export interface ComparedWith {
  readonly otherId: number;
  readonly pairing: Pairing;
}

/** Asks how far the heads of a component of a run are from those of another run. */
export interface CompareParams {
  readonly runId: number;
  readonly component: Component;
  readonly compared: ComparedWith;
}

/** What of a text and another one were put together. */
interface ComparedText extends Pick<Alignment, 'kind' | 'unitsOfA' | 'unitsOfB'> {
  readonly numTokens: readonly [a: number, b: number];
  readonly numUnits: number;
  readonly numCommon: number;
  /** The first tokens of units that B has not. */
  readonly onlyInA: readonly number[];
  /** Tokens of B that A has not: the first of them, as they are to be read, and how many there are. */
  readonly onlyInB: readonly PlainText[];
  readonly numOnlyInB: number;
}

/** The numbers of each pair of heads; `query` and `key` are tokens of A, where the change is largest. */
export const comparedValues = [
  'jensenShannon',
  'meanAbsolute',
  'largest',
  'query',
  'key',
  'unalignedA',
  'unalignedB',
] as const;

/** How far the heads of a component are apart in two runs. */
export interface Comparison {
  /** Of each stream that both have. */
  readonly texts: readonly ComparedText[];
  readonly numHeads: readonly [a: number, b: number];
  readonly areHeadsAlike: boolean;
  /** `[pair, 4]`: layer and head of A, layer and head of B; in A's reading order. */
  readonly heads: Int32Array;
  /** `[pair, value]`, as {@link comparedValues} names them. */
  readonly values: Float32Array;
  /** The largest |B − A| of any pair. */
  readonly largest: number;
}

/** What each number that is told of two heads means, and where it comes from. */
export const differenceSentences = {
  jensenShannon:
    'Jensen–Shannon divergence of the rows of both heads, in bits, the mean over the tokens that both texts have: 0 where they read the same, at most 1 (Lin 1991).',
  meanAbsolute: 'Mean of |B − A| over all pairs of tokens that both texts have and can be read.',
  largest: 'The largest change of one weight, B − A.',
  unaligned: 'How much of a row lies on tokens that the other text has not; rows are not divided by what is left.',
} as const;

/** How far heads are apart, to three significant digits: two precisions of a model often differ by very little. */
export function distanceText(distance: number): string {
  if (Number.isNaN(distance)) return '–';
  if (distance === 0) return '0';
  return distance >= 0.001 ? distance.toPrecision(3) : distance.toExponential(1);
}

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
