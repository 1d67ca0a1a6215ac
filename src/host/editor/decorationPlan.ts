import { strongest } from '../../model/pattern';
import type { Token } from '../../model/token';
import { depthOf, type ViewState } from '../../model/viewState';

/** Ranges that are lit at most, strongest first. */
export const maxHighlights = 40;

/** The same while a person types: the editor draws them anew at every key. */
export const maxLiveHighlights = 16;

/** Depths of colour that are told apart in the editor: each has one decoration type. */
export const numDepths = 16;

/** A stretch of the explained text that is lit, with the weight of its strongest token. */
export interface Highlight {
  readonly start: number;
  readonly end: number;
  readonly weight: number;
  /** In [0, numDepths). */
  readonly bucket: number;
  /** Of the weight, in [0, 1]. */
  readonly depth: number;
}

/** The stretches to light up for one weight per token: at most `most`, strongest first, none that stands for no text or is next to nothing. */
export function planHighlights(
  tokens: readonly Token[],
  weights: Float32Array,
  { scale, threshold }: Pick<ViewState, 'scale' | 'threshold'>,
  most = maxHighlights,
): Highlight[] {
  const ranked = strongest(weights, weights.length, threshold);
  const maximum = ranked[0]?.weight ?? 0;
  const highlights: Highlight[] = [];
  const taken = new Set<string>();
  for (const { position, weight } of ranked) {
    if (highlights.length === most) break;
    const token = tokens[position];
    if (token === undefined || token.start === token.end) continue;
    // Tokens that share a character share its place: the strongest, which comes first, stands for it.
    const place = `${token.start}-${token.end}`;
    if (taken.has(place)) continue;
    taken.add(place);
    const depth = depthOf(weight, scale, maximum);
    const bucket = bucketOf(depth);
    if (bucket !== undefined) highlights.push({ start: token.start, end: token.end, weight, bucket, depth });
  }
  return highlights;
}

/** Depths from which a bar above a lit stretch, or in high contrast the outline around it, is so many pixels thick: over a selection, whose colour is like the weights', these alone tell them apart. */
const barSteps = [0.01, 0.1, 0.4] as const;

/** The bucket of a depth in [0, 1]; none where the depth is next to nothing: a frame around it would look like one around much. */
export function bucketOf(depth: number): number | undefined {
  return depth >= barSteps[0] ? Math.min(numDepths - 1, Math.ceil(depth * numDepths) - 1) : undefined;
}

/** How many thicknesses of bars there are. */
export const numBars = barSteps.length;

/** The bar above a lit stretch of a selection, in [0, numBars); none where the depth is next to nothing. */
export function barOf(depth: number): number | undefined {
  const thickness = barSteps.filter((step) => depth >= step).length;
  return thickness === 0 ? undefined : thickness - 1;
}

/** The depth that a bucket's colour stands for: its middle, and full depth for the last. */
export function depthOfBucket(bucket: number): number {
  return bucket === numDepths - 1 ? 1 : (bucket + 0.5) / numDepths;
}
