import type { JsonFields } from '../jsonFields';
import { regExpPattern } from '../pattern';
import { splitAt } from '../splitBehavior';
import type { PreTokenizer } from './preTokenizer';

/** GPT-2's words: contractions, letters, numbers, anything else, and white space that leaves its last space to the next word. */
const words = regExpPattern(
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu,
);

/** Cuts a piece as GPT-2 does and writes its bytes in the byte-level alphabet. */
export function readByteLevel(fields: JsonFields): PreTokenizer {
  const addsSpace = fields.boolean('add_prefix_space', true);
  const usesWords = fields.boolean('use_regex', true);
  if (!addsSpace && !usesWords) return { cut: undefined, writesBytes: true };
  return {
    cut: (piece, emit) => {
      const current = addsSpace && !piece.text.startsWith(' ') ? piece.prepend(' ') : piece;
      if (usesWords) splitAt(current, words(current.text), 'Isolated', emit);
      else emit(current, 0, current.text.length);
    },
    writesBytes: true,
  };
}
