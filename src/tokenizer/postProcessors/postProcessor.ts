import type { TokenRun } from '../encoding';

/** What a post-processor works on. */
interface PostProcessing {
  /** The texts that offsets refer to: one, or two. */
  readonly texts: readonly string[];
  readonly addsSpecialTokens: boolean;
}

/** Adds special tokens to the tokens of a text and adjusts offsets. */
export type PostProcessor = (runs: readonly TokenRun[], processing: PostProcessing) => readonly TokenRun[];
