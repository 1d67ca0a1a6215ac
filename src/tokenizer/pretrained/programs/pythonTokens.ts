import { AddedToken } from '../../addedTokens';
import type { AddedFinder, AddedPiece } from '../../addedPieces';
import type { Pieces } from '../../models/model';
import { NormalizedString } from '../../normalizedString';
import { Trie } from '../../trie';
import { mostSearchSteps, TooCostlyError } from '../../workBounds';
import { contentOf, type InitArguments, specialTokenNames, type TokenValue } from '../initArguments';

/** What Python's `str.strip` takes off. */
const blanksBefore = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const blankAfter = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** A text without the blanks around it, as Python's `str.strip` makes it. */
export function withoutBlanks(text: string): string {
  const start = blanksBefore.exec(text)?.[0].length ?? 0;
  let end = text.length;
  while (end > start && blankAfter.test(text[end - 1])) end--;
  return text.slice(start, end);
}

/** A part of a text, half-open. */
interface Part {
  start: number;
  end: number;
}

/** Strips the neighbours of an added token, or gives it to one of them where it is to be a word by itself and is none. */
function applyFlags(text: string, token: AddedToken, own: Part, [left, right]: readonly (Part | undefined)[]): void {
  if (token.stripsRight && right !== undefined)
    right.start += blanksBefore.exec(text.slice(right.start, right.end))?.[0].length ?? 0;
  if (token.stripsLeft && left !== undefined)
    while (left.end > left.start && blankAfter.test(text[left.end - 1])) left.end--;
  if (!token.isSingleWord) return;
  if (left !== undefined && left.end > left.start && text[left.end - 1] !== ' ') {
    left.end = own.end;
    own.start = own.end;
  } else if (right !== undefined && right.end > right.start && text[right.start] !== ' ') {
    right.start = own.start;
    own.end = own.start;
  }
}

/** What a program names: tokens by name with its defaults, and those without a name. */
export interface ProgramTokens {
  readonly named: ReadonlyMap<string, TokenValue | null>;
  readonly extras: readonly TokenValue[];
  /** Tokens that it holds from the start, with their ids. */
  readonly own?: readonly (readonly [number, AddedToken])[];
}

/**
 * The added tokens of a tokenizer that is a program in the reference library (`PythonBackend` of transformers): how they get their ids, and how a text
 * is cut at them. Flags strip the neighbours, and nothing is normalised.
 */
export class PythonTokens implements AddedFinder {
  readonly #pieces: Pieces;
  readonly #tokens = new Map<number, AddedToken>();
  readonly #ids = new Map<string, number>();
  readonly #trie = new Trie();
  readonly #cuts: boolean;
  readonly #special: ReadonlySet<string>;
  /** Its special tokens by name. */
  readonly named: ReadonlyMap<string, string>;

  /** @param apart pieces that a text is cut at though they are no added tokens. */
  constructor(
    init: InitArguments,
    { named, extras, own = [] }: ProgramTokens,
    pieces: Pieces,
    apart: readonly string[],
  ) {
    this.#pieces = pieces;
    this.#cuts = init.raw('split_special_tokens') !== true;
    for (const [id, token] of [...own, ...init.addedById]) this.#tokens.set(id, token);
    for (const [id, { content }] of this.#tokens) this.#ids.set(content, id);
    const special = new Map<string, string>();
    for (const name of specialTokenNames) {
      const value = named.get(name) ?? null;
      if (value !== null) special.set(name, contentOf(value));
    }
    for (const [name, value] of [...named, ...init.ownTokens])
      if (value !== null && !special.has(name)) special.set(name, contentOf(value));
    this.named = special;
    // The number of pieces, with those that are added, is the next id.
    let nextId = pieces.size + [...this.#ids.keys()].filter((content) => pieces.idOf(content) === undefined).length;
    this.#special = new Set([...special.values(), ...extras.map(contentOf)]);
    for (const content of this.#special) {
      if (content === '' || this.#ids.has(content)) continue;
      const id = pieces.idOf(content) ?? nextId++;
      this.#ids.set(content, id);
      this.#tokens.set(id, new AddedToken(content, { isSpecial: true }));
    }
    for (const piece of apart) if (piece !== '') this.#trie.set(piece, 0);
    for (const { content } of this.#tokens.values()) if (content !== '') this.#trie.set(content, 0);
  }

  get maxId(): number {
    return [...this.#tokens.keys()].reduce((most, id) => Math.max(most, id), -1);
  }

  get specialContents(): string[] {
    return [...this.#tokens]
      .filter(([id]) => this.isSpecial(id))
      .sort(([a], [b]) => a - b)
      .map(([, { content }]) => content);
  }

  contentOf(id: number): string | undefined {
    return this.#tokens.get(id)?.content;
  }

  decodedFormOf(id: number): string | undefined {
    return this.contentOf(id);
  }

  /** What has a name, or stands in the list of extra tokens: here flags do not count. */
  isSpecial(id: number): boolean {
    const token = this.#tokens.get(id);
    return token !== undefined && this.#special.has(token.content);
  }

  /** The id of an added token. */
  ownIdOf(content: string): number | undefined {
    return this.#ids.get(content);
  }

  /** The id of a token, of the vocabulary's own as well. */
  idOf(content: string): number | undefined {
    return this.#ids.get(content) ?? this.#pieces.idOf(content);
  }

  extract(text: string): AddedPiece[] {
    const string = NormalizedString.of(text);
    if (text === '') return [];
    if (!this.#cuts) return [{ string, addedId: undefined }];
    const parts = this.#split(text);
    const idAt = (part: Part): number | undefined => this.#ids.get(text.slice(part.start, part.end));
    parts.forEach((part, i) => {
      const id = part.start < part.end ? idAt(part) : undefined;
      const token = id === undefined ? undefined : this.#tokens.get(id);
      if (token !== undefined) applyFlags(text, token, part, [parts[i - 1], parts[i + 1]]);
    });
    return parts.flatMap((part) =>
      part.start < part.end ? [{ string: string.slice(part.start, part.end), addedId: idAt(part) }] : [],
    );
  }

  /** Cuts a text at what the trie holds: the leftmost first, and of these the longest. */
  #split(text: string): Part[] {
    const parts: Part[] = [];
    const mostSteps = this.#trie.steps + mostSearchSteps(text.length);
    let start = 0;
    for (let at = 0; at < text.length;) {
      const end = this.#trie.longestMatch(text, at);
      if (this.#trie.steps > mostSteps) throw new TooCostlyError('its added tokens are too long and too much alike');
      if (end === -1) {
        at++;
        continue;
      }
      if (start < at) parts.push({ start, end: at });
      parts.push({ start: at, end });
      at = start = end;
    }
    if (start < text.length) parts.push({ start, end: text.length });
    return parts;
  }
}
