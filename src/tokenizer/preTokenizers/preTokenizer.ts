import type { NormalizedString } from '../normalizedString';
import type { Emit } from '../splitBehavior';

/** Cuts a piece into words. */
export interface PreTokenizer {
  /** Emits the words in order; empty ones are left out. Undefined where a piece stays whole. */
  readonly cut: ((piece: NormalizedString, emit: Emit) => void) | undefined;
  /** Whether the words still have to be written in the byte-level alphabet: that is done once for words that come again. */
  readonly writesBytes: boolean;
}

/** One that cuts, and changes nothing else. */
export function cutter(cut: (piece: NormalizedString, emit: Emit) => void): PreTokenizer {
  return { cut, writesBytes: false };
}
