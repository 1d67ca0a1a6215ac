import { plainLines } from '../../base/safeText';
import type { Token, TokenStream } from '../../model/token';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { GenerationRules, WrittenIds } from './generation';
import type { TargetOpening } from './languages';

/** UTF-16 units of a written target: of honest vocabularies 128 tokens have far fewer. */
const maxWritten = 20_000;

/** The text of ids as it may be shown: what cannot be seen, and what would turn the text around, becomes visible. It is the model's, not the person's. */
function visibleTarget(tokenizer: Tokenizer, ids: readonly number[]): string {
  return plainLines(tokenizer.decode(ids), maxWritten);
}

/** The target that a model wrote: the text of its ids, made visible, with the place of each token in it. Special tokens stand for no text. */
export function writtenTarget(tokenizer: Tokenizer, { ids, endId }: WrittenIds): TokenStream {
  const read = ids.filter((id) => !tokenizer.isSpecial(id));
  const text = visibleTarget(tokenizer, read);
  const places = placesOf(tokenizer, read, text);
  let place = 0;
  let next = 0;
  const tokens = ids.map((id): Token => {
    const piece = tokenizer.tokenOf(id) ?? `[${id}]`;
    if (tokenizer.isSpecial(id)) return { id, piece, start: place, end: place, isSpecial: true };
    const { start, end } = places[next++];
    place = end;
    return { id, piece, start, end, isSpecial: false };
  });
  return {
    role: 'target',
    text,
    tokens,
    target: { isWritten: true, ending: endId === undefined ? undefined : (tokenizer.tokenOf(endId) ?? `[${endId}]`) },
  };
}

/**
 * Where each of the ids stands in their text: what grows when it is added. Tokens that are parts of one character all have
 * its place.
 */
function placesOf(tokenizer: Tokenizer, ids: readonly number[], text: string): { start: number; end: number }[] {
  let settled = 0;
  return ids.map((_, i) => {
    const start = settled;
    const grown = visibleTarget(tokenizer, ids.slice(0, i + 1));
    let common = start;
    while (common < grown.length && grown[common] === text[common]) common++;
    settled = common;
    // The start of a character is there, and its other bytes come with the tokens after.
    const isPartial = common < grown.length && common < text.length;
    return { start, end: isPartial ? common + String.fromCodePoint(text.codePointAt(common) ?? 0).length : common };
  });
}

/**
 * The person's own target, as a decoder reads it in training: the start token, then the text with the tokens that the
 * tokenizer puts before it (the language that is known, or forced first, in their place), without the end.
 */
export function givenTarget(
  tokenizer: Tokenizer,
  text: string,
  { startId, endIds, forcedFirstId }: Pick<GenerationRules, 'startId' | 'endIds' | 'forcedFirstId'>,
  language?: TargetOpening,
): TokenStream {
  const { ids, tokens, starts, ends, isSpecial } = tokenizer.encode(text);
  const all = tokens.map((piece, i): Token => ({
    id: ids[i],
    piece,
    start: starts[i],
    end: ends[i],
    isSpecial: isSpecial[i] === 1,
  }));
  const isAdded = (token: Token): boolean => token.isSpecial && token.start === token.end;
  const from = all.findIndex((token) => !isAdded(token));
  const to = all.findLastIndex((token) => !isAdded(token)) + 1;
  const [before, own, after] = from < 0 ? [all, [], []] : [all.slice(0, from), all.slice(from, to), all.slice(to)];
  const special = (id: number): Token => ({
    id,
    piece: tokenizer.tokenOf(id) ?? `[${id}]`,
    start: 0,
    end: 0,
    isSpecial: true,
  });
  const first = language === undefined ? forcedFirstId : language.openingId;
  const opening =
    language !== undefined && first === undefined
      ? []
      : first !== undefined
        ? [special(first)]
        : before
            .filter((token) => token.id !== startId && !endIds.has(token.id))
            .map((token) => ({ ...token, start: 0, end: 0 }));
  const [endId] = [...after.map((token) => token.id).filter((id) => endIds.has(id)), ...endIds];
  return {
    role: 'target',
    text,
    tokens: [special(language?.startId ?? startId), ...opening, ...own],
    target: { isWritten: false, ending: endId === undefined ? undefined : (tokenizer.tokenOf(endId) ?? `[${endId}]`) },
  };
}
