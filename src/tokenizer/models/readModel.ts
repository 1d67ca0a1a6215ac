import { type JsonFields, UnsupportedPartError } from '../jsonFields';
import { readBpe } from './bpe';
import type { Model } from './model';
import { readUnigram } from './unigram';
import { readWordLevel } from './wordLevel';
import { readWordPiece } from './wordPiece';

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
