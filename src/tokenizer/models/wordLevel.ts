import type { JsonFields } from '../jsonFields';
import type { Model, WordTokens } from './model';
import { missingUnknown, Vocabulary, wholeWord } from './vocabulary';

/** Reads a model whose vocabulary holds whole words. */
export function readWordLevel(fields: JsonFields): Model {
  return new WordLevel(Vocabulary.read(fields.object('vocab')), fields.string('unk_token', '<unk>'));
}

class WordLevel implements Model {
  readonly vocabulary: Vocabulary;
  readonly #unknown: string;

  constructor(vocabulary: Vocabulary, unknown: string) {
    this.vocabulary = vocabulary;
    this.#unknown = unknown;
  }

  tokenize(word: string): WordTokens {
    const id = this.vocabulary.idOf(word);
    if (id !== undefined) return wholeWord(id, word, word);
    const unknownId = this.vocabulary.idOf(this.#unknown);
    if (unknownId === undefined) throw missingUnknown();
    return wholeWord(unknownId, this.#unknown, word);
  }
}
