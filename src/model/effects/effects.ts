import type { PlainText } from '../../base/safeText';
import type { Component, HeadRef } from '../head';

/** What a silent head hands on in place of what it read: zeros, or the mean of what it reads over the positions of this text. */
export const silencings = ['zero', 'mean'] as const;
/** One of them. */
export type Silencing = (typeof silencings)[number];

/** Heads that hand on nothing of what they read: their weighted values are replaced before the output projection, which keeps its bias. */
interface SilentHeads {
  readonly kind: 'silence';
  readonly component: Component;
  readonly heads: readonly HeadRef[];
  readonly by: Silencing;
}

/** Weights that heads do not read along: of one cell, of all queries that read a key, or of all keys that a query reads. */
interface BlockedCells {
  readonly kind: 'block';
  readonly component: Component;
  readonly heads: readonly HeadRef[];
  /** The row; all rows where it is missing. One of both is given. */
  readonly query?: number | undefined;
  /** The column; all columns where it is missing. */
  readonly key?: number | undefined;
  /** Whether what is left of a row is divided by its sum: the blocked weight then goes elsewhere; otherwise it is gone. Of a row of which nothing is left, nothing is read either way. */
  readonly isRenormalized: boolean;
}

/**
 * Heads that hand on what they have read in the plain run of another text: their weighted values are put in the place of those of this run
 * (activation patching: Vig et al. 2020, arXiv 2004.12265; Wang et al. 2022, arXiv 2211.00593). Both texts have as many tokens.
 */
interface SwappedHeads {
  readonly kind: 'swap';
  readonly component: Component;
  readonly heads: readonly HeadRef[];
}

/** One thing that is other in a run than the model has it. Several stack: each is made in the run that those before it have changed. */
export type Intervention = SilentHeads | BlockedCells | SwappedHeads;

/** What a scan puts in the place of what each head reads: zeros, its mean, or what it reads in the other text. */
export const replacements = [...silencings, 'swap'] as const;
/** One of them. */
export type Replacement = (typeof replacements)[number];

/** A prediction that is asked about: by its measure, an experiment's effect is a difference. */
export type EffectQuestion =
  | {
      /** The natural logarithm of the probability of a token; or, against another, the difference of their logits, ln p(token) − ln p(against). */
      readonly kind: 'token';
      /** The position of the token that is predicted; the number of tokens for the one that would come next. A masked language model has it masked. */
      readonly position: number;
      /** An id, or what a token of the vocabulary says: a text that is exactly one of its tokens. */
      readonly token: number | string;
      readonly against?: number | string | undefined;
    }
  | {
      /**
       * The mean of −ln p over the text's own tokens, each after those before it. Of a masked language model, over every seventh of them,
       * all of which are masked at once.
       */
      readonly kind: 'loss';
    }
  | {
      /** Of a classifier: the natural logarithm of the probability of a label, or the difference of two labels' logits. */
      readonly kind: 'label';
      /** By its place in config.json, or as it is called there. */
      readonly label: number | string;
      readonly against?: number | string | undefined;
    };

/** What of an experiment is measured: all that follows runs again, or only what the heads add to the final sum reaches the end, everything between unchanged. */
export const effectPaths = ['total', 'direct'] as const;
/** One of them. */
export type EffectPath = (typeof effectPaths)[number];

/** A token or label of the question, in one run. */
export interface AskedChoice {
  readonly id: number;
  readonly text: PlainText;
  readonly probability: number;
  /** Its place by probability, from 1. */
  readonly rank: number;
}

/** The prediction in one run, without or with the interventions. */
export interface EffectSide {
  /** The question's measure, in nats. */
  readonly value: number;
  /** The token or label that is asked about, and the one that it is compared with; none of a mean loss. */
  readonly choices: readonly AskedChoice[];
  /** The most probable ones, with what is predicted in all; none of a mean loss. */
  readonly alternatives: readonly AskedChoice[];
}

/** What is asked, with texts in the place of what named them. */
export interface ResolvedQuestion {
  readonly kind: EffectQuestion['kind'];
  /** The stream whose tokens are predicted; of labels the first. */
  readonly stream: number;
  /** Positions of the tokens whose prediction is measured: one, or those of a mean; none of labels. */
  readonly positions: Int32Array;
  /** Positions that are masked in both runs. */
  readonly masked: readonly number[];
}

/** What an experiment did to a prediction: the plain run and the intervened run, side by side. */
export interface EffectAnswer {
  readonly path: EffectPath;
  readonly question: ResolvedQuestion;
  readonly interventions: readonly Intervention[];
  readonly plain: EffectSide;
  readonly intervened: EffectSide;
  /** `intervened.value − plain.value`, in nats: below zero where the heads had made a token likelier, above where they had lowered a loss. */
  readonly effect: number;
  /** The same question to the plain run of the other text, with what is written of it as it is here; undefined where nothing is swapped. */
  readonly other?: EffectSide | undefined;
}

/** Two predictions that are nearer than this, in nats, do not differ: a share of it would be of the runs' rounding. */
const leastDifference = 1e-4;

/** An effect as a share of the difference between two runs, `effect ÷ (other − plain)`; undefined where both predict the same. */
export function shareOf(effect: number, plain: EffectSide, other: EffectSide): number | undefined {
  const difference = other.value - plain.value;
  return Math.abs(difference) < leastDifference ? undefined : effect / difference;
}

/** Whether two predictions differ, so that effects can be a share of their difference. */
export function isShared(plain: EffectSide, other: EffectSide): boolean {
  return shareOf(0, plain, other) !== undefined;
}

/** What silencing, or swapping, each head by itself does to a prediction, of all heads of some components. */
export interface HeadEffects {
  readonly path: EffectPath;
  readonly by: Replacement;
  readonly question: ResolvedQuestion;
  readonly plain: EffectSide;
  /** As {@link EffectAnswer.other}. */
  readonly other?: EffectSide | undefined;
  readonly layers: readonly LayerEffects[];
  /** In a clause, why heads are taken one after the other and not as items of a batch; undefined where they are, or where that is not for the model's sake. */
  readonly oneByOne?: PlainText | undefined;
  /** Layers that nothing can be told of, with the reason in a clause. */
  readonly failed: readonly { readonly component: Component; readonly layer: number; readonly reason: PlainText }[];
}

/** The effects of one layer's heads. */
export interface LayerEffects {
  readonly component: Component;
  readonly layer: number;
  /** `intervened − plain` of each head, in nats. */
  readonly effects: Float32Array;
  /** Of heads that are swapped, these as shares of the difference between both texts, `[numHeads]`; NaN where both predict the same. */
  readonly shares?: Float32Array | undefined;
}
