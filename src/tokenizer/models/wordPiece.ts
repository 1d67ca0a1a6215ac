import type { JsonFields } from '../jsonFields';
import { Trie } from '../trie';
import { countCodePoints } from '../unicode/characters';
import { mostSearchSteps, TooCostlyError } from '../workBounds';
import type { Model, WordTokens } from './model';
import { missingUnknown, Vocabulary, wholeWord } from './vocabulary';

/** Reads a WordPiece model: the longest piece first, from the left. */
export function readWordPiece(fields: JsonFields): Model {
  return new WordPiece(Vocabulary.read(fields.object('vocab')), {
    unknown: fields.string('unk_token', '[UNK]'),
    prefix: fields.string('continuing_subword_prefix', '##'),
    maxCharacters: fields.integer('max_input_chars_per_word', 100),
  });
}

interface WordPieceOptions {
  readonly unknown: string;
  /** What pieces inside of a word start with in the vocabulary. */
  readonly prefix: string;
  /** Words of more code points are unknown. */
  readonly maxCharacters: number;
}

class WordPiece implements Model {
  readonly vocabulary: Vocabulary;
  readonly #options: WordPieceOptions;
  readonly #pieces = new Trie();
  /** Node of the pieces that go on inside of a word. */
  readonly #inside: number;

  constructor(vocabulary: Vocabulary, options: WordPieceOptions) {
    this.vocabulary = vocabulary;
    this.#options = options;
    for (const [piece, id] of vocabulary.entries()) this.#pieces.set(piece, id);
    this.#inside = this.#pieces.nodeOf(options.prefix);
  }

  tokenize(word: string): WordTokens {
    const { maxCharacters } = this.#options;
    if (word.length > maxCharacters && countCodePoints(word) > maxCharacters) return this.#unknown(word);
    const ids: number[] = [];
    const pieces: string[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    const mostSteps = this.#pieces.steps + mostSearchSteps(word.length);
    for (let start = 0; start < word.length;) {
      const end =
        start === 0
          ? this.#pieces.longestMatch(word, 0)
          : this.#inside === -1
            ? -1
            : this.#pieces.longestMatch(word, start, this.#inside);
      if (this.#pieces.steps > mostSteps) throw new TooCostlyError('its pieces are too long and too much alike');
      if (end === -1) return this.#unknown(word);
      const id = this.#pieces.lastValue;
      ids.push(id);
      pieces.push(start === 0 ? word.slice(0, end) : this.#options.prefix + word.slice(start, end));
      starts.push(start);
      ends.push(end);
      start = end;
    }
    return { ids, pieces, starts, ends };
  }

  #unknown(word: string): WordTokens {
    const id = this.vocabulary.idOf(this.#options.unknown);
    if (id === undefined) throw missingUnknown();
    return wholeWord(id, this.#options.unknown, word);
  }
}
