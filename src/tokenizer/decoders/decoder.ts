/** Turns the pieces of tokens back into parts of a text. */
export type Decoder = (pieces: readonly string[]) => readonly string[];
