/** The tokens of a text; all arrays have the same length. */
export interface Encoding {
  readonly ids: Int32Array;
  /** Pieces of the vocabulary (for an unknown piece of a Unigram model, the text itself). */
  readonly tokens: readonly string[];
  /** First UTF-16 code unit of each token in the text. */
  readonly starts: Int32Array;
  /** One past the last UTF-16 code unit of each token in the text. */
  readonly ends: Int32Array;
  /** 1 for a token that the post-processor added. */
  readonly isSpecial: Uint8Array;
}

/** Tokens while they are put together. */
export interface TokenRun {
  readonly ids: number[];
  readonly tokens: string[];
  readonly starts: number[];
  readonly ends: number[];
  readonly isSpecial: number[];
}

export function emptyRun(): TokenRun {
  return { ids: [], tokens: [], starts: [], ends: [], isSpecial: [] };
}

/** Tokens that stand for no text. */
export function specialRun(ids: readonly number[], tokens: readonly string[]): TokenRun {
  return { ids: [...ids], tokens: [...tokens], starts: ids.map(() => 0), ends: ids.map(() => 0), isSpecial: ids.map(() => 1) };
}

/** One encoding of all runs in order. */
export function joinRuns(runs: readonly TokenRun[]): Encoding {
  const length = runs.reduce((sum, run) => sum + run.ids.length, 0);
  const encoding = { ids: new Int32Array(length), tokens: runs.flatMap((run) => run.tokens), starts: new Int32Array(length), ends: new Int32Array(length), isSpecial: new Uint8Array(length) };
  let at = 0;
  for (const run of runs) {
    encoding.ids.set(run.ids, at);
    encoding.starts.set(run.starts, at);
    encoding.ends.set(run.ends, at);
    encoding.isSpecial.set(run.isSpecial, at);
    at += run.ids.length;
  }
  return encoding;
}
