import type { NormalizedString } from '../normalizedString';
import type { Emit } from '../splitBehavior';

/** Cuts a piece into words, which it emits in order; empty ones are left out. */
export type PreTokenizer = (piece: NormalizedString, emit: Emit) => void;
