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
  /** Token types, as the post-processor makes them: mostly 0, and 1 for the second of two texts. */
  readonly typeIds: Int32Array;
}

/** The tokens of two texts; offsets are those of the text that a token belongs to. */
export interface PairEncoding extends Encoding {
  /** Index of the first token that belongs to the second text, with what the post-processor puts before it. */
  readonly secondFrom: number;
  /** Numbers of tokens that the texts have and that are kept, the post-processor's left out. */
  readonly counts: readonly TextCounts[];
}

/** How many tokens a text has, and how many of them are kept. */
interface TextCounts {
  readonly all: number;
  readonly kept: number;
}

/** Tokens while they are put together. */
export interface TokenRun {
  readonly ids: number[];
  readonly tokens: string[];
  readonly starts: number[];
  readonly ends: number[];
  readonly isSpecial: number[];
  /** The type of all tokens, or of each. */
  readonly typeIds: number | readonly number[];
  /** Which text it is of, or stands by: 0 or 1. */
  readonly text: 0 | 1;
}

/** No tokens yet, of a text of which nobody has said a type: the second of two has another than the first. */
export function emptyRun(text: 0 | 1 = 0): TokenRun {
  return { ids: [], tokens: [], starts: [], ends: [], isSpecial: [], typeIds: text, text };
}

/** Tokens that stand for no text. */
export function specialRun(ids: readonly number[], tokens: readonly string[], typeId = 0, text: 0 | 1 = 0): TokenRun {
  return {
    ids: [...ids],
    tokens: [...tokens],
    starts: ids.map(() => 0),
    ends: ids.map(() => 0),
    isSpecial: ids.map(() => 1),
    typeIds: typeId,
    text,
  };
}

/** The types of a run's tokens, one each. */
export function typesOf({ ids, typeIds }: TokenRun): readonly number[] {
  return typeof typeIds === 'number' ? ids.map(() => typeIds) : typeIds;
}

/** The first tokens of a run, or the last ones. */
export function cutRun(run: TokenRun, length: number, isLast = false): TokenRun {
  if (length >= run.ids.length) return run;
  const from = isLast ? run.ids.length - length : 0;
  const to = from + length;
  return {
    ids: run.ids.slice(from, to),
    tokens: run.tokens.slice(from, to),
    starts: run.starts.slice(from, to),
    ends: run.ends.slice(from, to),
    isSpecial: run.isSpecial.slice(from, to),
    typeIds: typeof run.typeIds === 'number' ? run.typeIds : run.typeIds.slice(from, to),
    text: run.text,
  };
}

/** All lists in order: at once, as a function that is called for each member of long lists takes its time. */
export function joined<T>(lists: readonly (readonly T[])[]): T[] {
  return ([] as T[]).concat(...lists);
}

/** One encoding of all runs in order. */
export function joinRuns(runs: readonly TokenRun[]): Encoding {
  const length = runs.reduce((sum, run) => sum + run.ids.length, 0);
  const encoding = {
    ids: new Int32Array(length),
    tokens: joined(runs.map((run) => run.tokens)),
    starts: new Int32Array(length),
    ends: new Int32Array(length),
    isSpecial: new Uint8Array(length),
    typeIds: new Int32Array(length),
  };
  let at = 0;
  for (const run of runs) {
    encoding.ids.set(run.ids, at);
    encoding.starts.set(run.starts, at);
    encoding.ends.set(run.ends, at);
    encoding.isSpecial.set(run.isSpecial, at);
    if (typeof run.typeIds === 'number') encoding.typeIds.fill(run.typeIds, at, at + run.ids.length);
    else encoding.typeIds.set(run.typeIds, at);
    at += run.ids.length;
  }
  return encoding;
}
