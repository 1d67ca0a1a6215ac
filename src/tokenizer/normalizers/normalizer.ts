import type { NormalizedString } from '../normalizedString';

/** Rewrites a text and keeps the places of its characters. */
export type Normalizer = (piece: NormalizedString) => NormalizedString;
