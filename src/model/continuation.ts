/** How tokens are drawn: from the softmax of scores divided by the temperature, of the most probable ones whose shares come to `topP`. */
export interface Sampling {
  /** Above 0. */
  readonly temperature: number;
  /** In (0, 1]; 1: all. */
  readonly topP: number;
  /** The same numbers come of the same seed. */
  readonly seed: number;
}

/** A text that a model goes on with: tokens that are given, and how many more it writes. */
export interface Continuation {
  /** Ids of what was written before, or chosen in its place. */
  readonly written: readonly number[];
  readonly tokens: number;
  /** Undefined: greedily, the most probable token each time. */
  readonly sampling: Sampling | undefined;
}

/** What is to be known of tokens that a model has written after a text. */
export interface WrittenFacts {
  /** The position of the first of them. */
  readonly from: number;
  readonly sampling: Sampling | undefined;
  /** What each was drawn with, of all that could be drawn; null where it was given. Written greedily: its share at temperature 1. */
  readonly shares: readonly (number | null)[];
  /** The piece that ended the text, where the model wrote that. */
  readonly ending: string | undefined;
}

/** The most tokens that are written at a time. */
export const mostContinued = 256;
