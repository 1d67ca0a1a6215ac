import type { JsonFields } from '../jsonFields';
import { UnsupportedPartError } from '../jsonFields';
import { readBpe } from './bpe';
import { readUnigram } from './unigram';
import { readWordLevel } from './wordLevel';
import { readWordPiece } from './wordPiece';

/** The tokens of one word; positions are UTF-16 code units of the word. */
export interface WordTokens {
  readonly ids: readonly number[];
  readonly pieces: readonly string[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Cuts words into the pieces of its vocabulary. */
export interface Model {
  /** Throws `TokenizerFormatError` where the text needs an unknown token and there is none. */
  tokenize(word: string): WordTokens;
  idOf(piece: string): number | undefined;
  pieceOf(id: number): string | undefined;
  /** Number of pieces. */
  readonly size: number;
  /** Highest id, -1 where there is none. */
  readonly maxId: number;
}

/** Builds the model that a tokenizer.json describes. */
export function readModel(fields: JsonFields): Model {
  const type = fields.has('type') ? fields.string('type') : guessType(fields);
  switch (type) {
    case 'BPE':
      return readBpe(fields);
    case 'WordPiece':
      return readWordPiece(fields);
    case 'Unigram':
      return readUnigram(fields);
    case 'WordLevel':
      return readWordLevel(fields);
    default:
      throw new UnsupportedPartError(`the tokenizer model ${type}`);
  }
}

/** Old files do not name the model's type. */
function guessType(fields: JsonFields): string {
  if (fields.has('merges')) return 'BPE';
  if (Array.isArray(fields.raw('vocab'))) return 'Unigram';
  return fields.has('continuing_subword_prefix') ? 'WordPiece' : 'WordLevel';
}
