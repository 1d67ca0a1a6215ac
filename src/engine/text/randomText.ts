import { ExplorerError } from '../../base/errors';
import type { Token, TokenStream } from '../../model/token';
import type { RandomText } from '../../protocol';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import { mostTokens, type TokenLimits } from '../limits/tokenLimits';

/** With fewer tokens that come twice a metric of induction says nothing. */
const leastTokens = 8;

/**
 * Random tokens of the vocabulary, each another, that come twice (Olsson et al. 2022), within the special tokens that the tokenizer puts around a text;
 * a target has its start token before them. Throws `randomTooShort`.
 */
export function randomText(
  tokenizer: Tokenizer,
  { numTokens, seed }: RandomText,
  limits: TokenLimits,
  opening?: readonly Token[],
): TokenStream {
  const [before, after] = opening === undefined ? frameOf(tokenizer) : [opening, []];
  const known = Math.min(tokenizer.vocabularySize, limits.vocabularySize ?? Infinity);
  const room = Math.floor((mostTokens(limits) - before.length - after.length) / 2);
  const ids = drawn(tokenizer, known, Math.min(numTokens, room), seed);
  if (ids.length < leastTokens) throw new ExplorerError('randomTooShort', [limits.modelName, ids.length]);
  let text = '';
  const own = [...ids, ...ids].map((id): Token => {
    const piece = tokenizer.tokenOf(id) ?? '';
    const start = text.length;
    text += piece;
    return { id, piece, start, end: text.length, isSpecial: false };
  });
  const closing = after.map((token) => ({ ...token, start: text.length, end: text.length }));
  return { role: opening === undefined ? 'source' : 'target', text, tokens: [...before, ...own, ...closing] };
}

/** The special tokens before and after a text. */
function frameOf(tokenizer: Tokenizer): readonly [readonly Token[], readonly Token[]] {
  const { ids, tokens, starts, ends, isSpecial } = tokenizer.encode('a');
  const all = tokens.map((piece, i): Token => ({ id: ids[i], piece, start: 0, end: 0, isSpecial: isSpecial[i] === 1 }));
  const isOwn = (_: Token, i: number): boolean => ends[i] > starts[i] || !all[i].isSpecial;
  const first = all.findIndex(isOwn);
  return first < 0 ? [all, []] : [all.slice(0, first), all.slice(all.findLastIndex(isOwn) + 1)];
}

/** So many different ids at most, none of a special token or of none. */
function drawn(tokenizer: Tokenizer, known: number, count: number, seed: number): number[] {
  const next = generator(seed);
  const found = new Set<number>();
  // A vocabulary that is mostly special, or hardly larger than what is wanted, is drawn from for a while and no longer.
  for (let tries = 0; found.size < count && tries < 64 * count; tries++) {
    const id = Math.floor(next() * known);
    if (!tokenizer.isSpecial(id) && tokenizer.tokenOf(id) !== undefined) found.add(id);
  }
  return [...found];
}

/** Numbers in [0, 1) that look random, the same for the same seed (mulberry32, by Tommy Ettinger, in the public domain). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
