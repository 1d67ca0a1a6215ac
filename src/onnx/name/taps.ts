import type { OutputProjection } from '../follow/outputProjection';
import type { Branch } from '../follow/residual';
import type { Suffix } from './site';

/**
 * A tensor that holds features of each head at each position: queries, keys or values. Its axes other than those named are, in their
 * order, items of the batch and heads; fewer heads than the attention has are each read by as many of its heads, one after the other.
 */
export interface HeadTensor {
  /** One of the graph's own, or one that the taps' suffix makes. */
  readonly tensor: string;
  /** Counted from the end where it is negative, else from the start. */
  readonly positionAxis: number;
  readonly featureAxis: number;
  /** Where a tensor of three dimensions has the features of all heads side by side: how many heads are meant, how many come before them, and how many there are. */
  readonly merged?: { readonly numHeads: number; readonly first: number; readonly all: number };
}

/** Scores as the graph has them before its normaliser: scaled, biased, capped and masked as far as the graph has done it by then. */
export interface ScoreTensor {
  readonly tensor: string;
  readonly queryAxis: number;
  readonly keyAxis: number;
  /** Whether the operator writes 0 where a key may not be read. */
  readonly isZeroWhereMasked: boolean;
}

/** What stands beside what heads write, as tensors of single precision that `suffix` makes. */
export interface ResidualTaps {
  /** The tokens before the attention. */
  readonly stream: string;
  /** Whether these are the tokens that are read; else those that read, of another text. */
  readonly isOfKeys: boolean;
  /** What the projection's output goes through before it is added; undefined where it is added as it is. */
  readonly branch: Branch | undefined;
  /** Whether the projection gives its rows in another order than that of the tokens, as windows. */
  readonly isMoved: boolean;
  /** Of tensors with a row for each token, those of the graph whose rows stand where theirs do. */
  readonly origins: ReadonlyMap<string, string>;
  /** The norm behind the sum of both, in post-norm models; otherwise, in a clause, why there is none. */
  readonly norm:
    | {
        /** What it is given, and what it gives. */
        readonly sum: string;
        readonly output: string;
        /** γ and β, each undefined where there is none. */
        readonly scale: string | undefined;
        readonly shift: string | undefined;
        readonly epsilon: number | string;
      }
    | string;
  readonly suffix: Suffix;
}

/** Where the parts of an attention are in its graph; each otherwise, in a clause, why it cannot be told. */
export interface SiteTaps {
  /** Operands of the scores' product, as the graph has them there: rotated, normalised, scaled or not. */
  readonly queries: HeadTensor | string;
  readonly keys: HeadTensor | string;
  readonly scores: ScoreTensor | string;
  /** What the weights weight. */
  readonly values: HeadTensor | string;
  readonly projection: OutputProjection | string;
  readonly residual: ResidualTaps | string;
  /** What is to be added to the graph for these tensors, beside the site's own suffix. */
  readonly suffix: Suffix;
  /** … and for the projection's weight. */
  readonly weightSuffix: Suffix;
}
