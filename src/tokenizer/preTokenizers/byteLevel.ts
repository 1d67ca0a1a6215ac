import type { JsonFields } from '../jsonFields';
import { toByteLevel } from '../normalizers/byteLevel';
import { regExpPattern } from '../pattern';
import { splitAt } from '../splitBehavior';
import type { PreTokenizer } from './preTokenizer';

/** GPT-2's words: contractions, letters, numbers, anything else, and white space that leaves its last space to the next word. */
const words = regExpPattern(/'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu);

/** Cuts a piece as GPT-2 does and writes its bytes in the byte-level alphabet. */
export function readByteLevel(fields: JsonFields): PreTokenizer {
  const addsSpace = fields.boolean('add_prefix_space', true);
  const usesWords = fields.boolean('use_regex', true);
  return (piece, emit) => {
    const current = addsSpace && !piece.text.startsWith(' ') ? piece.prepend(' ') : piece;
    if (usesWords) splitAt(current, words(current.text), 'Isolated', (word) => emit(toByteLevel(word)));
    else emit(toByteLevel(current));
  };
}
