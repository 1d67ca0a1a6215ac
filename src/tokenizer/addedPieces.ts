import type { NormalizedString } from './normalizedString';

/** A piece of the text; one that is an added token has its id. */
export interface AddedPiece {
  readonly string: NormalizedString;
  readonly addedId: number | undefined;
}

/** Finds in a text the tokens that were added to a model's vocabulary, special ones among them. */
export interface AddedFinder {
  /** Highest id, -1 where there is none. */
  readonly maxId: number;
  /** The contents of all special tokens, in the order of their ids. */
  readonly specialContents: string[];
  contentOf(id: number): string | undefined;
  /** The content as the decoder wants it. */
  decodedFormOf(id: number): string | undefined;
  isSpecial(id: number): boolean;
  /** Those that are one text once they are normalised, of which the reference library takes any. */
  readonly alike?: readonly string[];
  /** Finds the added tokens of a text and normalises what is between them; empty pieces are left out. */
  extract(text: string): AddedPiece[];
}
