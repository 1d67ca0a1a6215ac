import type { WordTokens } from './model';

/** Number of words in each of the two halves of a cache. */
const halfSize = 10_000;

/** Words of at least this many UTF-16 code units are not remembered: they hardly come again. */
const maxCachedLength = 256;

/** The tokens of words that were met lately: at least the last ten thousand, at most twice as many. Two maps that take turns cost less than an order by use. */
export class WordCache {
  #young = new Map<string, WordTokens>();
  #old = new Map<string, WordTokens>();

  get(word: string): WordTokens | undefined {
    const tokens = this.#young.get(word);
    if (tokens !== undefined) return tokens;
    const old = this.#old.get(word);
    if (old !== undefined) this.#add(word, old);
    return old;
  }

  set(word: string, tokens: WordTokens): void {
    if (word.length < maxCachedLength) this.#add(word, tokens);
  }

  #add(word: string, tokens: WordTokens): void {
    if (this.#young.size >= halfSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(word, tokens);
  }
}
