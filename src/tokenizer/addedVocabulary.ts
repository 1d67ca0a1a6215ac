import type { AddedFinder, AddedPiece } from './addedPieces';
import type { AddedTokens } from './addedTokens';
import { NormalizedString } from './normalizedString';
import type { Normalizer } from './normalizers/normalizer';
import { Trie } from './trie';
import { isWhitespace } from './unicode/characters';
import { mostSearchSteps, mostUnits, TooCostlyError, WrittenUnits } from './workBounds';

const endsInWord = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const startsInWord = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** Finds the tokens that were added to a model's vocabulary, special ones among them. */
export class AddedVocabulary implements AddedFinder {
  readonly #tokens: AddedTokens;
  readonly #normalizedForms = new Map<number, string>();
  readonly #plain = new Trie();
  readonly #normalized = new Trie();
  readonly #normalizer: Normalizer | undefined;
  readonly #findsSpecial: boolean;
  readonly alike: readonly string[];

  /** @param findsSpecial whether special tokens that the text itself spells are found. */
  constructor(tokens: AddedTokens, normalizer: Normalizer | undefined, findsSpecial = true) {
    this.#tokens = tokens;
    this.#normalizer = normalizer;
    this.#findsSpecial = findsSpecial;
    const all = [...tokens.entries()];
    const numUnits = all.reduce((sum, [, { content }]) => sum + content.length, 0);
    const written = new WrittenUnits(numUnits);
    let formUnits = 0;
    for (const [id, token] of all) {
      if (!token.isNormalized || normalizer === undefined) continue;
      const form = normalizer(NormalizedString.of(token.content, written)).text;
      if ((formUnits += form.length) > mostUnits(numUnits))
        throw new TooCostlyError('its normalizer makes the added tokens far too long');
      this.#normalizedForms.set(id, form);
    }
    const byForm = new Map<string, string[]>();
    for (const [id, token] of all) {
      const form = token.isNormalized ? (this.#normalizedForms.get(id) ?? token.content) : token.content;
      if (form !== '') (token.isNormalized ? this.#normalized : this.#plain).set(form, id);
      if (form === '' || !token.isNormalized) continue;
      const alike = byForm.get(form);
      if (alike === undefined) byForm.set(form, [token.content]);
      else alike.push(token.content);
    }
    this.alike = [...byForm.values()].filter(({ length }) => length > 1).flat();
  }

  /** Highest id, -1 where there is none. */
  get maxId(): number {
    return this.#tokens.maxId;
  }

  /** The contents of all special tokens, in the order of their ids. */
  get specialContents(): string[] {
    return [...this.#tokens.entries()].flatMap(([, { content, isSpecial }]) => (isSpecial ? [content] : []));
  }

  contentOf(id: number): string | undefined {
    return this.#tokens.at(id)?.content;
  }

  /** The content as the decoder wants it: normalised where it was looked for so. */
  decodedFormOf(id: number): string | undefined {
    return this.#normalizedForms.get(id) ?? this.contentOf(id);
  }

  isSpecial(id: number): boolean {
    return this.#tokens.isSpecial(id);
  }

  /** Finds the added tokens of a text and normalises what is between them; empty pieces are left out. */
  extract(text: string): AddedPiece[] {
    const pieces: AddedPiece[] = [];
    for (const piece of this.#split(NormalizedString.of(text), this.#plain)) {
      if (piece.addedId !== undefined) {
        pieces.push(piece);
      } else {
        const normalized = this.#normalizer?.(piece.string) ?? piece.string;
        for (const part of this.#split(normalized, this.#normalized)) pieces.push(part);
      }
    }
    return pieces;
  }

  #split(string: NormalizedString, trie: Trie): AddedPiece[] {
    const { text } = string;
    const pieces: AddedPiece[] = [];
    const push = (start: number, end: number, addedId: number | undefined): void => {
      if (start < end) pieces.push({ string: string.slice(start, end), addedId });
    };
    const mostSteps = trie.steps + mostSearchSteps(text.length);
    const firstUnit = trie.firstUnits();
    let pieceStart = 0;
    let blanksEnd = 0; // of the white space that was last looked through
    for (let from = 0; from < text.length;) {
      firstUnit.lastIndex = from;
      const candidate = firstUnit.exec(text);
      if (candidate === null) break;
      from = candidate.index;
      const matchEnd = trie.longestMatch(text, from);
      if (trie.steps > mostSteps) throw new TooCostlyError('its added tokens are too long and too much alike');
      if (matchEnd === -1) {
        from++;
        continue;
      }
      const id = trie.lastValue;
      const token = this.#tokens.at(id);
      let start = from;
      let end = matchEnd;
      from = matchEnd;
      if (
        token === undefined ||
        (!this.#findsSpecial && this.#tokens.isSpecial(id)) ||
        (token.isSingleWord && touchesWord(text, start, end))
      )
        continue;
      if (token.stripsLeft) {
        while (start > pieceStart && isWhitespace(text.charCodeAt(start - 1))) start--;
        // The token before may have taken the space that this one starts with.
        start = Math.max(start, pieceStart);
      }
      if (token.stripsRight) {
        // Tokens of white space meet the same run of it again and again.
        if (end < blanksEnd) end = blanksEnd;
        else while (end < text.length && isWhitespace(text.charCodeAt(end))) end++;
        blanksEnd = end;
      }
      push(pieceStart, start, undefined);
      push(start, end, id);
      pieceStart = end;
    }
    push(pieceStart, text.length, undefined);
    return pieces;
  }
}

function touchesWord(text: string, start: number, end: number): boolean {
  // Two code units hold any character.
  return endsInWord.test(text.slice(Math.max(0, start - 2), start)) || startsInWord.test(text.slice(end, end + 2));
}
