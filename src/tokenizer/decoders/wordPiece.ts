import type { JsonFields } from '../jsonFields';
import type { Decoder } from './decoder';

/** English clean-ups that undo the spaces which the pre-tokenizer put in, in this order. */
const cleanUps = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const;

/** Joins WordPiece pieces: a space before each that does not continue a word. */
export function readWordPieceDecoder(fields: JsonFields): Decoder {
  const prefix = fields.string('prefix', '##');
  const cleansUp = fields.boolean('cleanup', true);
  return (pieces) =>
    pieces.map((piece, i) => {
      const part = i === 0 ? piece : piece.startsWith(prefix) ? piece.slice(prefix.length) : ` ${piece}`;
      return cleansUp ? cleanUps.reduce((text, [from, to]) => text.replaceAll(from, to), part) : part;
    });
}
