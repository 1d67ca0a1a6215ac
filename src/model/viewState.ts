import type { Direction } from './pattern';
import type { HeadSelection } from './head';
import { plainForm, type PatternForm } from './patternForm';
import type { TokenRef } from './token';

/** The colour maps that can be chosen. */
export const colourMaps = ['blue', 'orange', 'viridis', 'cividis', 'magma'] as const;
/** The name of a colour map. */
export type ColourMap = (typeof colourMaps)[number];

/** How a weight can become a depth of colour; the numbers shown are always the weights themselves. */
export const scales = ['absolute', 'row', 'log'] as const;
/** One of these ways. */
export type Scale = (typeof scales)[number];

/** What the mean of several tokens is over: all of them, or for each other token those that can read it or be read by it. */
export const pinnedMeans = ['all', 'seeing'] as const;
/** One of them. */
export type PinnedMean = (typeof pinnedMeans)[number];

/** What colours the tokens of the texts: the weights of what is looked at, or the surprisal of each token. */
export const lights = ['weights', 'surprisal'] as const;
/** What the panel and the editor show of a run; both read it and neither changes it in place. */
export interface ViewState extends PatternForm {
  readonly selection: HeadSelection;
  readonly direction: Direction;
  readonly scale: Scale;
  readonly light: (typeof lights)[number];
  /** Weights below are not drawn or listed; in [0, 1], of lengths as a part of the largest. */
  readonly threshold: number;
  /** The pinned tokens; the rows of several are averaged. */
  readonly pinned: readonly TokenRef[];
  readonly pinnedMean: PinnedMean;
  /** The tokens that heads are asked about beside the pinned ones: how much do these read those? */
  readonly marked: readonly TokenRef[];
}

/** The view of a run that nobody has touched yet. */
export const initialView: ViewState = {
  ...plainForm,
  selection: { component: 'self', heads: [{ layer: 0, head: 0 }], aggregation: 'mean' },
  direction: 'reads',
  scale: 'absolute',
  light: 'weights',
  threshold: 0,
  pinned: [],
  pinnedMean: 'all',
  marked: [],
};

/** Smallest weight that the logarithmic scale still tells from zero. */
export const logFloor = 1e-4;

/** The same of a difference, below zero where that is; its maximum is that of sizes. */
export function signedDepthOf(difference: number, scale: Scale, rowMaximum: number, ceiling: number): number {
  return Math.sign(difference) * depthOf(Math.abs(difference), scale, rowMaximum, ceiling);
}

/**
 * The depth of colour in [0, 1] of a weight: the weight, its share of the row's maximum, or its logarithm from 1e-4 to 1.
 * @param ceiling what full depth stands for, where weights are no shares of one.
 */
export function depthOf(weight: number, scale: Scale, rowMaximum: number, ceiling = 1): number {
  if (ceiling !== 1 && ceiling > 0) return depthOf(weight / ceiling, scale, rowMaximum / ceiling);
  if (!(weight > 0)) return 0;
  switch (scale) {
    case 'absolute':
      return Math.min(1, weight);
    case 'row':
      return rowMaximum > 0 ? Math.min(1, weight / rowMaximum) : 0;
    case 'log':
      return Math.min(1, Math.max(0, 1 - Math.log(weight) / Math.log(logFloor)));
  }
}
