import type { EncodePairOptions, PairEncoding, PairForm } from '../../tokenizer/tokenizer';
import { ExplorerError } from '../../base/errors';
import type { Notice } from '../../model/modelInfo';
import { cutNotice, mostTokens, unitsPerToken, type TokenLimits } from '../limits/tokenLimits';
import { checkTokens, specialNotices, toTokens, type TokenEncoder, type TokenizedText } from './tokenizeText';

/** Cuts two texts into the tokens of one input. */
export interface PairEncoder extends Pick<TokenEncoder, 'specialOf'> {
  readonly pairForm: PairForm;
  encodePair(first: string, second: string, options?: EncodePairOptions): PairEncoding;
}

/**
 * Tokenises two texts as a pair and cuts them to the limits, the longer one first, as the reference library's strategy `longest_first` does.
 * Throws `pairNotRead` where tokenizer and model would not know one text from the other, `noTokens`, `tokenizerMismatch` and `tokenTypeUnknown`.
 */
export function tokenizePair(
  tokenizer: PairEncoder,
  texts: readonly [first: string, second: string],
  limits: TokenLimits,
): TokenizedText {
  const { isSeparated, isTyped } = tokenizer.pairForm;
  if (!isSeparated && !(isTyped && limits.numTypes > 1))
    throw new ExplorerError('pairNotRead', [limits.modelName, 'its tokenizer has no form that tells two texts apart']);
  const bound = mostTokens(limits);
  // Of long texts no more is tokenised than settles that they are cut.
  const cutsLeft = limits.cutsLeft === true;
  const tried = texts.map(({ length }) => (cutsLeft ? length : Math.min(length, bound * unitsPerToken)));
  const encode = (): PairEncoding =>
    tokenizer.encodePair(
      texts[0].slice(0, tried[0]),
      texts[1].slice(0, tried[1]),
      bound === Infinity ? {} : { maxLength: bound, cutsLeft },
    );
  let encoding = encode();
  const isShort = (i: number): boolean => tried[i] < texts[i].length && encoding.counts[i].all <= bound;
  while (isShort(0) || isShort(1)) {
    for (const i of [0, 1]) if (isShort(i)) tried[i] = Math.min(texts[i].length, tried[i] * 2);
    encoding = encode();
  }
  const ends = [0, 1].map((i) =>
    !cutsLeft && encoding.counts[i].kept < encoding.counts[i].all ? lastEnd(encoding, i) : texts[i].length,
  );
  const second = { start: ends[0], from: encoding.secondFrom };
  const tokens = toTokens(encoding, limits.numTypes, second).slice(0, bound);
  const own = (i: number): number =>
    tokens.filter((token, at) => at >= second.from === (i === 1) && (token.end > token.start || !token.isSpecial))
      .length;
  if (own(0) === 0 || own(1) === 0) throw new ExplorerError('noTokens');
  checkTokens(tokens, tokens, limits);
  const text = texts[0].slice(0, ends[0]) + texts[1].slice(0, ends[1]);
  const notices = [
    { code: 'asPair', args: [limits.modelName] } as const,
    ...cutNotices(
      encoding,
      limits,
      tried.map((units, i) => texts[i].length / Math.max(1, units)),
    ),
  ];
  return {
    stream: { role: 'source', text, tokens, second },
    notices: [...notices, ...specialNotices(tokenizer, { text, tokens })],
  };
}

/** Where what is kept of a text ends. */
function lastEnd({ starts, ends, isSpecial, secondFrom }: PairEncoding, text: number): number {
  const [from, to] = text === 0 ? [0, secondFrom] : [secondFrom, ends.length];
  let last = 0;
  for (let i = from; i < to; i++) if (isSpecial[i] === 0 || ends[i] > starts[i]) last = Math.max(last, ends[i]);
  return last;
}

/** What is to be said where a pair is cut. `factors` are how many times as long each text is as what was tokenised of it. */
function cutNotices({ counts, ids }: PairEncoding, limits: TokenLimits, factors: readonly number[]): Notice[] {
  if (counts.every(({ all, kept }) => all === kept)) return [];
  const all = counts.map((count, i) => (factors[i] > 1 ? `≈ ${Math.round(count.all * factors[i])}` : count.all));
  const numAdded = ids.length - counts.reduce((sum, { kept }) => sum + kept, 0);
  const total = Math.round(counts.reduce((sum, count, i) => sum + count.all * factors[i], numAdded));
  return [
    cutNotice(limits, mostTokens(limits), factors.some((factor) => factor > 1) ? `≈ ${total}` : total),
    { code: 'pairCut', args: [counts[0].kept, all[0], counts[1].kept, all[1]] },
  ];
}
