import type { PlainText } from '../../base/safeText';
import { withVisibleBlanks } from '../../model/token';
import type { Tokenizer } from '../../tokenizer/tokenizer';

/** A token of the vocabulary as a reader should see it: what it says, with its blanks; its piece where it is special or a part of a character. */
export function tokenText(tokenizer: Tokenizer, id: number): PlainText {
  return withVisibleBlanks(writtenText(tokenizer, id));
}

/** What a token says within a text; its piece where it is special or a part of a character. */
export function writtenText(tokenizer: Tokenizer, id: number): string {
  const piece = tokenizer.tokenOf(id);
  if (piece === undefined) return `[${id}]`;
  if (tokenizer.isSpecial(id)) return piece;
  const text = tokenizer.decode([id], { skipSpecialTokens: false });
  if (text === '' || text.includes('\ufffd')) return piece;
  // What stands at the beginning of a text loses its blank.
  return piece.startsWith('▁') && !/^\s/.test(text) ? ` ${text}` : text;
}
