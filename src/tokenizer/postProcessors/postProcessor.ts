import type { TokenRun } from '../encoding';

/** What a post-processor works on. */
export interface PostProcessing {
  /** The text that offsets refer to. */
  readonly text: string;
  readonly addsSpecialTokens: boolean;
}

/** Adds special tokens to the tokens of a text and adjusts offsets. */
export type PostProcessor = (runs: readonly TokenRun[], processing: PostProcessing) => readonly TokenRun[];
