import { isId } from '../../jsonFields';
import type { Part } from '../parts';
import { ReferenceFailure } from '../referenceFailure';
import type { VocabularySource } from '../vocabularySource';

/** The ids of a source's pieces: those of a list of pieces and scores are their places. */
function idsOf({ vocabulary }: VocabularySource): VocabularySource['vocabulary'] {
  if (!Array.isArray(vocabulary)) return vocabulary ?? new Map();
  return new Map(
    (vocabulary as readonly unknown[]).map((entry, id): [string, number] => [
      String(Array.isArray(entry) ? (entry as readonly unknown[])[0] : entry),
      id,
    ]),
  );
}

/** A byte-pair encoding of a source's pieces and merges. */
export function bpe(source: VocabularySource, options: Part = {}): Part {
  return { type: 'BPE', vocab: idsOf(source), merges: source.merges ?? [], ...options };
}

/** A WordPiece model of a source's pieces. */
export function wordPiece(source: VocabularySource, unknown: string): Part {
  return {
    type: 'WordPiece',
    vocab: idsOf(source),
    unk_token: unknown,
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
  };
}

/** A source's pieces with their scores. Throws where it has none. */
export function scoredPieces({ vocabulary }: VocabularySource): readonly (readonly [string, number])[] {
  if (!Array.isArray(vocabulary)) throw new ReferenceFailure('its vocabulary has no scores');
  return vocabulary as readonly (readonly [string, number])[]; // checked by the model's reader
}

/** A Unigram model of a source's pieces. Throws where they do not hold the unknown token's id. */
export function unigram(pieces: readonly (readonly [string, number])[], unknownId: number): Part {
  if (!isId(unknownId) || unknownId >= pieces.length)
    throw new ReferenceFailure('its vocabulary lacks the unknown token');
  return { type: 'Unigram', vocab: pieces, unk_id: unknownId, byte_fallback: false };
}
