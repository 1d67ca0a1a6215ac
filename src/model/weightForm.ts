import type { ComparedWith } from './compare/comparison';
import type { MethodChoiceId, MethodId } from './methods';
import type { ComparedView, PatternForm, SinkMode } from './patternForm';

/** In which form the engine hands out weights: without sinks, or of tokens put together; where it is missing, as the model has them. */
export interface WeightForm {
  readonly method: MethodId;
  /** Of a method that is told of some tokens alone, which: the last one where there are none. */
  readonly tokens?: readonly number[] | undefined;
  readonly isCausal: boolean;
  readonly sinks: SinkMode;
  readonly isRenormalized: boolean;
  /** Whether there can be sinks: queries and keys are the tokens of one text. */
  readonly canHaveSinks: boolean;
  /** The first token of each unit; undefined: each token is one. */
  readonly queries?: Int32Array | undefined;
  readonly keys?: Int32Array | undefined;
  /** Where two runs are compared: the weights of the other one at the tokens of this one, or how much more they are; then all else is as the model has it. */
  readonly compared?: (ComparedWith & { readonly shows: ComparedView }) | undefined;
}

/** What the engine is asked to hand out in another form. */
export interface OfWeightForm {
  readonly form?: WeightForm | undefined;
}

/** What the panel asks to see in another form. */
export interface OfForm {
  readonly form?: PatternForm | undefined;
}

/** What was taken out of the rows of a pattern. */
export interface SinkMass {
  /** The sink tokens of any of its heads, each found in its own head. */
  readonly sinks: readonly number[];
  /** How much of each row lies on sinks: Σ_{k∈S} A_ik of each head's own sinks S, as the mean of the heads and of a unit's tokens; `[numQueries]`. */
  readonly removed: Float32Array;
}

/** The strongest single weight within a cell of units: a sum over keys and a mean over queries hide a token that alone is read. */
export interface StrongestCell {
  readonly query: number;
  readonly key: number;
  readonly weight: number;
}

/** What there is to know of a component's numbers by a method. */
export interface Weighing {
  /** What full depth of colour stands for: 1 of shares; of lengths the largest number of any of its heads in this run. */
  readonly ceiling: number;
  /**
   * How far what the heads write and what the projection gave lie apart at most, as a part of the largest number; 0 where the sum is exact but
   * for arithmetic. More where a model rounds numbers on the way.
   */
  readonly difference: number;
  /** Of a method with the residual, for each layer, how much of a token comes from others in the mean: its mixing ratio; NaN of a layer without attention. */
  readonly mixing?: readonly number[];
}

/** Of each method that cannot be had of a component, in a clause, why. */
export type MethodReasons = Readonly<Partial<Record<MethodChoiceId, string>>>;
