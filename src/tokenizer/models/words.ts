import { writeBytes } from '../normalizers/byteLevel';
import { unitLength } from '../unicode/characters';
import type { Model, WordTokens } from './model';
import { WordCache } from './wordCache';

/** Cuts words into tokens, each word once: texts say most of theirs again. */
export class Words {
  readonly #model: Model;
  readonly #writesBytes: boolean;
  readonly #cache = new WordCache();

  /** @param writesBytes whether the model's words are those of the text in the byte-level alphabet. */
  constructor(model: Model, writesBytes: boolean) {
    this.#model = model;
    this.#writesBytes = writesBytes;
  }

  /** The tokens of a word that is not empty; positions are those of the word as it is given. Throws as `Model.tokenize`. */
  tokensOf(word: string): WordTokens {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    const tokens = this.#writesBytes ? this.#tokensOfBytes(word) : this.#model.tokenize(word);
    this.#cache.set(word, tokens);
    return tokens;
  }

  #tokensOfBytes(word: string): WordTokens {
    const { text, counts } = writeBytes(word);
    const tokens = this.#model.tokenize(text);
    if (counts === undefined) return tokens;
    const starts: number[] = [];
    const ends: number[] = [];
    let end = 0;
    for (let i = 0; i < counts.length; i++) {
      const start = end;
      end += unitLength(word.codePointAt(start) ?? 0);
      for (let byte = 0; byte < counts[i]; byte++) {
        starts.push(start);
        ends.push(end);
      }
    }
    return { ...tokens, starts: tokens.starts.map((at) => starts[at]), ends: tokens.ends.map((at) => ends[at - 1]) };
  }
}
