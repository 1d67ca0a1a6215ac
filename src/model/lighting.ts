import type { ComponentInfo } from './head';
import { marginals, meanOf, sinkKeys, strongest, type Direction, type Pattern, type WeightedPosition } from './pattern';
import type { TokenRef } from './token';
import type { PinnedMean } from './viewState';

/** What one token, or the mean of several, reads or is read by. */
export interface Lighting {
  /** The tokens that look, all of one stream. */
  readonly tokens: readonly TokenRef[];
  readonly direction: Direction;
  /** The stream that the weights are over, and one weight for each of its tokens. */
  readonly stream: number;
  readonly weights: Float32Array;
  /** With what weights they are drawn, where that is another: sinks are faded. */
  readonly drawn?: Float32Array;
  /** The strongest of what is drawn. */
  readonly maximum: number;
}

/** The direction in which a stream's tokens can be looked at: the one asked for, the only one there is, or none. */
export function directionOf(component: ComponentInfo, stream: number, direction: Direction): Direction | undefined {
  const reads = component.queryStream === stream;
  const isRead = component.keyStream === stream;
  if (reads && isRead) return direction;
  return reads ? 'reads' : isRead ? 'readBy' : undefined;
}

/** Whose weights over which stream a look at tokens asks for. */
export type Look = Omit<Lighting, 'weights' | 'drawn' | 'maximum'>;

/** What a look at tokens asks for in a pattern of this size; tokens of another stream than the first's are left out. Undefined where the component has no such weights. */
export function lookAt(
  { numQueries, numKeys }: { readonly numQueries: number; readonly numKeys: number },
  component: ComponentInfo,
  tokens: readonly TokenRef[],
  direction: Direction,
): Look | undefined {
  const [first] = tokens;
  if (first === undefined) return undefined;
  const way = directionOf(component, first.stream, direction);
  if (way === undefined) return undefined;
  const length = way === 'reads' ? numQueries : numKeys;
  const looking = tokens.filter(
    ({ stream, position }) => stream === first.stream && position >= 0 && position < length,
  );
  return looking.length === 0
    ? undefined
    : { tokens: looking, direction: way, stream: way === 'reads' ? component.keyStream : component.queryStream };
}

/** Whether a query can read a key: in a causal component only one at its own position or before. */
export function canRead({ isCausal }: Pick<ComponentInfo, 'isCausal'>, query: number, key: number): boolean {
  return !isCausal || key <= query;
}

/** For a mean over those tokens alone that can read another one, or be read by it: which those are. Undefined where all of them count. */
export function countsInMean(
  component: Pick<ComponentInfo, 'isCausal'>,
  { tokens, direction }: Pick<Look, 'tokens' | 'direction'>,
  mean: PinnedMean,
): ((token: number, other: number) => boolean) | undefined {
  if (mean === 'all' || !component.isCausal || tokens.length < 2) return undefined;
  return (token, other) =>
    direction === 'reads'
      ? canRead(component, tokens[token].position, other)
      : canRead(component, other, tokens[token].position);
}

/** What a look sees: the mean of its tokens' weights, one vector for each, over all of them or over those that count. */
export function lightingFrom(
  look: Look,
  vectors: readonly Float32Array[],
  counts?: (token: number, other: number) => boolean,
): Lighting {
  const weights = meanOf(vectors, counts);
  let maximum = 0;
  for (const weight of weights) if (weight > maximum) maximum = weight;
  return { ...look, weights, maximum };
}

/** The largest of some numbers by size. */
export function largestOf(numbers: Float32Array): number {
  let largest = 0;
  for (const number of numbers) if (Math.abs(number) > largest) largest = Math.abs(number);
  return largest;
}

/** The largest differences, with their signs, of at least `threshold`; the rest is told by size. */
export function changesOf(lighting: Lighting, count: number, threshold: number): Sources {
  const sizes = sourcesOf({ ...lighting, weights: lighting.weights.map(Math.abs) }, count, threshold, []);
  return {
    ...sizes,
    strongest: sizes.strongest.map(({ position }) => ({ position, weight: lighting.weights[position] })),
  };
}

/** The strongest of a lighting, and where the rest of its weight is. */
export interface Sources {
  readonly strongest: readonly WeightedPosition[];
  /** How many others have weight, and how much together. */
  readonly restCount: number;
  readonly restWeight: number;
  /** How much of all weight is on sink tokens; 0 where the direction is `readBy`. */
  readonly sinkWeight: number;
  readonly totalWeight: number;
}

/** At most `count` sources of at least `threshold`, with what is left out. */
export function sourcesOf(lighting: Lighting, count: number, threshold: number, sinks: readonly number[]): Sources {
  const { weights } = lighting;
  const found = strongest(weights, count, threshold);
  let total = 0;
  let positive = 0;
  for (const weight of weights) {
    if (!(weight > 0)) continue;
    total += weight;
    positive++;
  }
  const shown = found.reduce((sum, { weight }) => sum + weight, 0);
  const sinkWeight = lighting.direction === 'reads' ? sinks.reduce((sum, key) => sum + (weights[key] ?? 0), 0) : 0;
  return {
    strongest: found,
    restCount: positive - found.length,
    restWeight: Math.max(0, total - shown),
    sinkWeight,
    totalWeight: total,
  };
}

/** Fewer readers than this say nothing: a head that reads the statement it is in would seem to have a sink in each. */
const minReaders = 64;

/** Whether a text is long enough for sinks to be told from what is read for its place. */
export function hasEnoughQueries(numQueries: number): boolean {
  return numQueries >= minReaders;
}

/** Whether a component over so many queries can have sinks: in what one text reads of another, a key that many read is an alignment. */
export function hasSinks({ queryStream, keyStream }: ComponentInfo, numQueries: number): boolean {
  return queryStream === keyStream && hasEnoughQueries(numQueries);
}

/** The sink keys of a self-attention's pattern: much read by queries all over the text. */
export function provenSinks(pattern: Pattern, isCausal: boolean): number[] {
  return provenSinksAmong(marginals(pattern, isCausal).columnMeans, pattern.numQueries, isCausal);
}

/**
 * The same from the means of the pattern's columns: at the end of a causal pattern a column's mean is over a few neighbours,
 * and any local head would seem to have sinks there.
 */
export function provenSinksAmong(columnMeans: Float32Array, numQueries: number, isCausal: boolean): number[] {
  const enough = Math.max(minReaders, Math.ceil(numQueries / 8));
  return sinkKeys(columnMeans).filter((key) => (isCausal ? columnMeans.length - key : numQueries) >= enough);
}

/** Fewer readers than this are not even worth a word. */
const fewReaders = 8;

/** The keys that draw as much as a sink does and are none: read often, by too few queries or from another text. */
export function oftenRead(
  columnMeans: Float32Array,
  { numQueries, isCausal }: { readonly numQueries: number; readonly isCausal: boolean },
  sinks: readonly number[],
): number[] {
  return sinkKeys(columnMeans).filter(
    (key) => !sinks.includes(key) && (isCausal ? columnMeans.length - key : numQueries) >= fewReaders,
  );
}
