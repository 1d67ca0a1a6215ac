/** What a model's pieces are read from, as far as a class can take them. */
export interface VocabularySource {
  /** Pieces with their ids (an object of JSON, or a map), or pieces with their scores; undefined where there is none. */
  readonly vocabulary: Readonly<Record<string, unknown>> | ReadonlyMap<string, number> | readonly unknown[] | undefined;
  readonly merges: readonly unknown[] | undefined;
  /** SentencePiece's compiled rules, as base64 or as bytes. */
  readonly characterMap: string | Uint8Array | undefined;
}
