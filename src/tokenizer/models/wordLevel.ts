import type { JsonFields } from '../jsonFields';
import type { Model, WordTokens } from './model';
import { missingUnknown, Vocabulary, wholeWord } from './vocabulary';

/** Reads a model whose vocabulary holds whole words. */
export function readWordLevel(fields: JsonFields): Model {
  return new WordLevel(Vocabulary.read(fields.object('vocab')), fields.string('unk_token', '<unk>'));
}

class WordLevel implements Model {
  readonly #vocabulary: Vocabulary;
  readonly #unknown: string;

  constructor(vocabulary: Vocabulary, unknown: string) {
    this.#vocabulary = vocabulary;
    this.#unknown = unknown;
  }

  get size(): number {
    return this.#vocabulary.size;
  }

  get maxId(): number {
    return this.#vocabulary.maxId;
  }

  idOf(piece: string): number | undefined {
    return this.#vocabulary.idOf(piece);
  }

  pieceOf(id: number): string | undefined {
    return this.#vocabulary.pieceOf(id);
  }

  tokenize(word: string): WordTokens {
    const id = this.idOf(word);
    if (id !== undefined) return wholeWord(id, word, word);
    const unknownId = this.idOf(this.#unknown);
    if (unknownId === undefined) throw missingUnknown();
    return wholeWord(unknownId, this.#unknown, word);
  }
}
