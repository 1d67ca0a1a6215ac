import { ExplorerError } from '../../base/errors';
import { joinPlain, plain } from '../../base/safeText';
import type { Notice } from '../../model/modelInfo';
import type { SecondText, Token, TokenStream } from '../../model/token';
import type { Encoding } from '../../tokenizer/tokenizer';
import type { ChatEncoding } from './chatTemplate';
import { cutNotice, mostTokens, unitsPerToken, type TokenLimits } from '../limits/tokenLimits';

/** The tokens of a text, cut to what the model and the user allow. */
export interface TokenizedText {
  readonly stream: TokenStream;
  readonly notices: readonly Notice[];
}

/** Cuts texts into tokens: a tokenizer, or one that puts the text into a chat first. */
export interface TokenEncoder {
  encode(text: string): Encoding | ChatEncoding;
  /** Whether the first part of a text tells nothing of the whole. */
  readonly readsWhole?: boolean;
  /** How the special token of the vocabulary that an id is that of is written; undefined where it is none. */
  specialOf(id: number): string | undefined;
}

/**
 * Tokenises a text and cuts it to the limits, keeping the special tokens that close it.
 * Throws `noTokens` where nothing but special tokens came out, `tokenizerMismatch` where an id is beyond the model's vocabulary.
 */
export function tokenizeText(tokenizer: TokenEncoder, text: string, limits: TokenLimits): TokenizedText {
  const bound = mostTokens(limits);
  let tried =
    tokenizer.readsWhole === true || limits.cutsLeft === true
      ? text.length
      : Math.min(text.length, bound * unitsPerToken);
  let encoding = tokenizer.encode(text.slice(0, tried));
  // A text longer than it needs to be is not tokenised to its end: one more token than the bound settles that it is cut.
  while (tried < text.length && encoding.ids.length <= bound) {
    tried = Math.min(text.length, tried * 2);
    encoding = tokenizer.encode(text.slice(0, tried));
  }
  const numTokens = encoding.ids.length;
  const tokens = toTokens(encoding, limits.numTypes);
  const notices: Notice[] = [];
  let kept = tokens;
  if (numTokens > bound) {
    const closing = countClosing(tokens);
    const opening = limits.cutsLeft === true ? countOpening(tokens) : Math.max(0, bound - closing);
    const from =
      limits.cutsLeft === true ? Math.max(opening, numTokens - Math.max(0, bound - opening)) : numTokens - closing;
    kept = [...tokens.slice(0, opening), ...tokens.slice(from)].slice(0, bound);
    const total = tried < text.length ? Math.round((numTokens * text.length) / tried) : numTokens;
    notices.push(cutNotice(limits, bound, tried < text.length ? `≈ ${total}` : total));
  }
  checkTokens(tokens, kept, limits);
  notices.push(...specialNotices(tokenizer, { text, tokens: kept }));
  const end = Math.max(...kept.map((token) => token.end));
  return { stream: { role: 'source', text: numTokens > bound ? text.slice(0, end) : text, tokens: kept }, notices };
}

/** Throws `noTokens` where nothing but special tokens came out, `tokenizerMismatch` where an id or a type is beyond what the model knows. */
export function checkTokens(
  all: readonly Token[],
  kept: readonly Token[],
  { vocabularySize = Infinity, numTypes, modelName }: TokenLimits,
): void {
  if (!all.some((token) => token.end > token.start || !token.isSpecial)) throw new ExplorerError('noTokens');
  const foreign = kept.find(({ id }) => id >= vocabularySize);
  if (foreign !== undefined) throw new ExplorerError('tokenizerMismatch', [foreign.id, vocabularySize]);
  const typed = kept.find(({ typeId }) => typeId !== undefined && typeId >= numTypes);
  if (typed !== undefined) throw new ExplorerError('tokenTypeUnknown', [typed.typeId ?? 0, modelName, numTypes]);
}

/** Different special tokens of a text that are named. */
const maxNamed = 3;

/** What is to be said where a text spells special tokens of the vocabulary; those that are added to it, and what is unknown, spell nothing. */
export function specialNotices(
  tokenizer: Pick<TokenEncoder, 'specialOf'>,
  { text, tokens }: Pick<TokenStream, 'text' | 'tokens'>,
): Notice[] {
  // What is unknown has the text for its piece, and the special token's id.
  const spelt = ({ id, start, end }: Token): string | undefined => {
    const special = end > start ? tokenizer.specialOf(id)?.trim() : undefined;
    return special !== undefined && text.slice(start, end).trim().toLowerCase() === special.toLowerCase()
      ? special
      : undefined;
  };
  const written = [...new Set(tokens.flatMap((token) => spelt(token) ?? []))];
  if (written.length === 0) return [];
  const named = written.slice(0, maxNamed).map((piece) => plain(piece));
  return [
    { code: 'specialInText', args: [joinPlain(written.length > maxNamed ? [...named, plain('…')] : named, ', ')] },
  ];
}

/** Tokens of an encoding; one that the tokenizer added stands where it is in the sequence, not at offset zero. Offsets of a second text are moved to where it begins; types are left out where the model knows none. */
export function toTokens(encoding: Encoding | ChatEncoding, numTypes: number, second?: SecondText): Token[] {
  const { ids, tokens, starts, ends, isSpecial, typeIds } = encoding;
  const templates = 'templates' in encoding ? encoding.templates : [];
  const roles = 'roles' in encoding ? (encoding.roles ?? []) : [];
  let place = 0;
  return tokens.map((piece, i): Token => {
    const moved = second !== undefined && i >= second.from ? second.start : 0;
    const isAdded = isSpecial[i] === 1 && starts[i] === ends[i];
    place = isAdded ? Math.max(place, moved) : ends[i] + moved;
    const start = isAdded ? place : starts[i] + moved;
    const token = { id: ids[i], piece, start, end: place, isSpecial: isSpecial[i] === 1 };
    const [template, role, typeId] = [templates[i], roles[i], numTypes === 0 ? 0 : typeIds[i]];
    // Most tokens have none of these, and there are many.
    if (template === undefined && role === undefined && typeId === 0) return token;
    return {
      ...token,
      ...(template === undefined ? {} : { template }),
      ...(role === undefined ? {} : { role }),
      ...(typeId === 0 ? {} : { typeId }),
    };
  });
}

/** Number of special tokens at the start that the tokenizer added. */
function countOpening(tokens: readonly Token[]): number {
  const first = tokens.findIndex(({ isSpecial, start, end }) => !isSpecial || start !== end);
  return first === -1 ? tokens.length : first;
}

/** Number of special tokens at the end that the tokenizer added (they stand for no text). */
function countClosing(tokens: readonly Token[]): number {
  let count = 0;
  while (
    count < tokens.length &&
    tokens[tokens.length - 1 - count].isSpecial &&
    tokens[tokens.length - 1 - count].end === tokens[tokens.length - 1 - count].start
  )
    count++;
  return count;
}
