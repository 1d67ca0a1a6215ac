/** The tokens of one word; positions are UTF-16 code units of the word. */
export interface WordTokens {
  readonly ids: readonly number[];
  readonly pieces: readonly string[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** The pieces of a vocabulary and their ids. */
export interface Pieces {
  idOf(piece: string): number | undefined;
  pieceOf(id: number): string | undefined;
  /** Number of pieces. */
  readonly size: number;
  /** Highest id, -1 where there is none. */
  readonly maxId: number;
}

/** Cuts words into the pieces of its vocabulary. */
export interface Model {
  readonly vocabulary: Pieces;
  /** Whether no token reaches over a place where a space of SentencePiece (▁) follows another character: long words may be cut there. */
  readonly mayCutAtSpaces?: boolean;
  /** The tokens of a word that is not empty. Throws `TokenizerFormatError` where the text needs an unknown token and there is none. */
  tokenize(word: string): WordTokens;
}
