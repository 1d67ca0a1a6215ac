import { ExplorerError } from '../base/errors';
import { joinPlain, plain } from '../base/safeText';
import type { Notice } from '../model/modelInfo';
import type { Token, TokenStream } from '../model/token';
import type { Encoding } from '../tokenizer/tokenizer';
import type { ChatEncoding } from './chatTemplate';

/** The tokens of a text, cut to what the model and the user allow. */
export interface TokenizedText {
  readonly stream: TokenStream;
  readonly notices: readonly Notice[];
}

/** What bounds the number of tokens; 0 or undefined where nothing does. */
export interface TokenLimits {
  readonly modelName: string;
  readonly contextLength: number | undefined;
  /** Length that the model file is made for, if it takes no other. */
  readonly fixedLength: number | undefined;
  readonly tokenLimit: number;
  /** The most tokens whose attention can be held. */
  readonly memoryLimit: number;
  readonly vocabularySize: number | undefined;
}

/** Cuts texts into tokens: a tokenizer, or one that puts the text into a chat first. */
export interface TokenEncoder {
  encode(text: string): Encoding | ChatEncoding;
  /** Whether the first part of a text tells nothing of the whole. */
  readonly readsWhole?: boolean;
  /** How the special token of the vocabulary that an id is that of is written; undefined where it is none. */
  specialOf(id: number): string | undefined;
}

/** UTF-16 units of text that are tried per allowed token before the rest of a long text is looked at. */
const unitsPerToken = 24;

/**
 * Tokenises a text and cuts it to the limits, keeping the special tokens that close it.
 * Throws `noTokens` where nothing but special tokens came out, `tokenizerMismatch` where an id is beyond the model's vocabulary.
 */
export function tokenizeText(tokenizer: TokenEncoder, text: string, limits: TokenLimits): TokenizedText {
  const bound = Math.min(...[limits.contextLength, limits.fixedLength, limits.tokenLimit, limits.memoryLimit].map((limit) => (limit !== undefined && limit > 0 ? limit : Infinity)));
  let tried = tokenizer.readsWhole === true ? text.length : Math.min(text.length, bound * unitsPerToken);
  let encoding = tokenizer.encode(text.slice(0, tried));
  // A text longer than it needs to be is not tokenised to its end: one more token than the bound settles that it is cut.
  while (tried < text.length && encoding.ids.length <= bound) {
    tried = Math.min(text.length, tried * 2);
    encoding = tokenizer.encode(text.slice(0, tried));
  }
  const numTokens = encoding.ids.length;
  const tokens = toTokens(encoding);
  if (!tokens.some((token) => token.end > token.start || !token.isSpecial)) throw new ExplorerError('noTokens');
  const notices: Notice[] = [];
  let kept = tokens;
  if (numTokens > bound) {
    const closing = countClosing(tokens);
    kept = [...tokens.slice(0, Math.max(0, bound - closing)), ...tokens.slice(numTokens - closing)].slice(0, bound);
    const total = tried < text.length ? Math.round((numTokens * text.length) / tried) : numTokens;
    const about = tried < text.length ? `≈ ${total}` : total;
    if (bound === limits.fixedLength) notices.push({ code: 'cutToShape', args: [bound, about] });
    else if (bound === limits.contextLength) notices.push({ code: 'cutToContext', args: [bound, about, limits.modelName] });
    else if (bound === limits.tokenLimit) notices.push({ code: 'cutToLimit', args: [bound, about] });
    else notices.push({ code: 'cutToMemory', args: [bound, about] });
  }
  const { vocabularySize } = limits;
  const foreign = vocabularySize === undefined ? undefined : kept.find((token) => token.id >= vocabularySize);
  if (foreign !== undefined && vocabularySize !== undefined) throw new ExplorerError('tokenizerMismatch', [foreign.id, vocabularySize]);
  notices.push(...specialNotices(tokenizer, { text, tokens: kept }));
  const end = Math.max(...kept.map((token) => token.end));
  return { stream: { role: 'source', text: numTokens > bound ? text.slice(0, end) : text, tokens: kept }, notices };
}

/** Different special tokens of a text that are named. */
const maxNamed = 3;

/** What is to be said where a text spells special tokens of the vocabulary; those that are added to it, and what is unknown, spell nothing. */
export function specialNotices(tokenizer: Pick<TokenEncoder, 'specialOf'>, { text, tokens }: Pick<TokenStream, 'text' | 'tokens'>): Notice[] {
  // What is unknown has the text for its piece, and the special token's id.
  const spelt = ({ id, start, end }: Token): string | undefined => {
    const special = end > start ? tokenizer.specialOf(id)?.trim() : undefined;
    return special !== undefined && text.slice(start, end).trim().toLowerCase() === special.toLowerCase() ? special : undefined;
  };
  const written = [...new Set(tokens.flatMap((token) => spelt(token) ?? []))];
  if (written.length === 0) return [];
  const named = written.slice(0, maxNamed).map((piece) => plain(piece));
  return [{ code: 'specialInText', args: [joinPlain(written.length > maxNamed ? [...named, plain('…')] : named, ', ')] }];
}

/** Tokens of an encoding; one that the tokenizer added stands where it is in the sequence, not at offset zero. */
function toTokens(encoding: Encoding | ChatEncoding): Token[] {
  const { ids, tokens, starts, ends, isSpecial } = encoding;
  const templates = 'templates' in encoding ? encoding.templates : [];
  let place = 0;
  return tokens.map((piece, i): Token => {
    const isAdded = isSpecial[i] === 1 && starts[i] === ends[i];
    if (!isAdded) place = ends[i];
    return { id: ids[i], piece, start: isAdded ? place : starts[i], end: isAdded ? place : ends[i], isSpecial: isSpecial[i] === 1, ...(templates[i] === undefined ? {} : { template: templates[i] }) };
  });
}

/** Number of special tokens at the end that the tokenizer added (they stand for no text). */
function countClosing(tokens: readonly Token[]): number {
  let count = 0;
  while (count < tokens.length && tokens[tokens.length - 1 - count].isSpecial && tokens[tokens.length - 1 - count].end === tokens[tokens.length - 1 - count].start) count++;
  return count;
}
