import { plain, type PlainText } from '../base/safeText';
import type { ModelAnswer } from './modelInfo';
import { visibleText, type TokenStream } from './token';
import { tokensOfUnit, unitAt, unitsOf } from './units';

/** Tokens that are named of each prediction, the most probable first. */
export const numAlternatives = 5;

/**
 * What a model predicts at places of one of its texts, by its own softmax at temperature 1. A causal model predicts each token from those
 * before it; a masked language model what stood where the mask token stands; a classifier of tokens the label of each, which stand in the
 * place of alternatives, without any surprisal.
 */
export interface TokenPredictions {
  readonly kind: 'next' | 'masked' | 'tokenLabels';
  /** The stream whose tokens are predicted. */
  readonly stream: number;
  /** Positions of the tokens that are predicted, ascending; the number of tokens for the one that would come next. */
  readonly positions: Int32Array;
  /** −log₂ p of the token that stands there, in bits; NaN where none does. */
  readonly surprisal: Float32Array;
  /** Its place among all tokens by probability, from 1; 0 where none stands there. */
  readonly ranks: Int32Array;
  /** −Σ p log₂ p over the vocabulary, in bits. */
  readonly entropy: Float32Array;
  /** Alternatives of each place. */
  readonly count: number;
  /** `[positions, count]`, the most probable first: their ids, their probabilities, and how they are to be read. */
  readonly ids: Int32Array;
  readonly probabilities: Float32Array;
  readonly texts: readonly PlainText[];
  /** Number of tokens, or labels, that a probability is shared among. */
  readonly vocabularySize: number;
}

/** What a classifier says of its whole input: one list of labels for each question that it answers, the most probable first. */
interface LabelPredictions {
  readonly kind: 'labels';
  readonly questions: readonly (readonly ModelAnswer[])[];
}

/** What a model predicts. */
export type Predictions = TokenPredictions | LabelPredictions;

/** One place's prediction. */
export interface TokenPrediction {
  readonly position: number;
  /** Undefined where no token stands there. */
  readonly actual: { readonly surprisal: number; readonly rank: number } | undefined;
  readonly entropy: number;
  readonly alternatives: readonly { readonly id: number; readonly text: PlainText; readonly probability: number }[];
}

/** The prediction of the token at a position; undefined where there is none. */
export function predictionAt(predictions: TokenPredictions, position: number): TokenPrediction | undefined {
  const at = predictions.positions.indexOf(position);
  if (at < 0) return undefined;
  const { surprisal, ranks, entropy, count, ids, probabilities, texts } = predictions;
  return {
    position,
    actual: ranks[at] === 0 ? undefined : { surprisal: surprisal[at], rank: ranks[at] },
    entropy: entropy[at],
    alternatives: Array.from({ length: count }, (_, i) => ({
      id: ids[at * count + i],
      text: texts[at * count + i],
      probability: probabilities[at * count + i],
    })),
  };
}

/** The predictions of both, of a place that is in both those of the second. */
export function joinPredictions(first: TokenPredictions, second: TokenPredictions): TokenPredictions {
  const places = new Map<number, readonly [TokenPredictions, number]>();
  for (const each of [first, second]) each.positions.forEach((position, at) => places.set(position, [each, at]));
  const ordered = [...places].sort(([a], [b]) => a - b).map(([, place]) => place);
  const { count } = second;
  const rows = (of: (each: TokenPredictions) => ArrayLike<number>): number[] =>
    ordered.flatMap(([each, at]) => Array.from({ length: count }, (_, i) => of(each)[at * count + i]));
  return {
    ...second,
    positions: Int32Array.from([...places.keys()].sort((a, b) => a - b)),
    surprisal: Float32Array.from(ordered, ([each, at]) => each.surprisal[at]),
    ranks: Int32Array.from(ordered, ([each, at]) => each.ranks[at]),
    entropy: Float32Array.from(ordered, ([each, at]) => each.entropy[at]),
    ids: Int32Array.from(rows(({ ids }) => ids)),
    probabilities: Float32Array.from(rows(({ probabilities }) => probabilities)),
    texts: ordered.flatMap(([{ texts }, at]) => texts.slice(at * count, (at + 1) * count)),
  };
}

/** The surprisal of each token of a text, for colours. */
export interface SurprisalHeat extends Pick<TokenPredictions, 'kind' | 'stream'> {
  /** In bits, one for each of the text's first tokens; 0 where there is none. */
  readonly bits: Float32Array;
  /** What full depth stands for: the bits of a guess among all tokens alike. */
  readonly ceiling: number;
  /** How many tokens have one. */
  readonly numTokens: number;
}

/** The surprisal of each of the first `count` tokens of the stream that is predicted; undefined where labels are predicted. */
export function surprisalHeat(predictions: Predictions, count: number): SurprisalHeat | undefined {
  if (predictions.kind === 'labels' || predictions.kind === 'tokenLabels') return undefined;
  const { kind, stream, positions, surprisal, vocabularySize } = predictions;
  const bits = new Float32Array(count);
  let numTokens = 0;
  positions.forEach((position, at) => {
    if (position >= count || Number.isNaN(surprisal[at])) return;
    bits[position] = Math.max(0, surprisal[at]);
    numTokens++;
  });
  return { kind, stream, bits, ceiling: Math.log2(vocabularySize), numTokens };
}

/** A mean over tokens of a text. */
export interface MeanSurprisal {
  /** In bits. */
  readonly surprisal: number;
  readonly numTokens: number;
}

/** The mean surprisal of a text's own tokens: special tokens, and what a chat template adds, are none. Undefined where no token has one. */
export function meanSurprisal(
  { positions, surprisal }: TokenPredictions,
  { tokens }: Pick<TokenStream, 'tokens'>,
): MeanSurprisal | undefined {
  let [sum, numTokens] = [0, 0];
  positions.forEach((position, at) => {
    const token = tokens[position] as TokenStream['tokens'][number] | undefined;
    if (token === undefined || token.isSpecial || token.template !== undefined || Number.isNaN(surprisal[at])) return;
    sum += surprisal[at];
    numTokens++;
  });
  return numTokens === 0 ? undefined : { surprisal: sum / numTokens, numTokens };
}

/** The word that a token is a part of: a number then belongs to that part alone. */
export interface PartOfWord {
  readonly word: PlainText;
  /** From 1. */
  readonly part: number;
  readonly of: number;
}

/** Which part of a word each token of a text is; undefined where it is a whole one, or none. */
export function wordParts(stream: TokenStream): (position: number) => PartOfWord | undefined {
  const units = unitsOf(stream, 'word');
  return (position) => {
    if (units === undefined || position >= stream.tokens.length) return undefined;
    const [from, to] = tokensOfUnit(units, unitAt(units, position));
    if (to - from < 2) return undefined;
    const word = Array.from({ length: to - from }, (_, i) => visibleText(stream, from + i)).join('');
    if (!/[\p{L}\p{N}]/u.test(word)) return undefined;
    return { word: plain(word.replace(/^·+/, '')), part: position - from + 1, of: to - from };
  };
}
