import { jsonText, type TerminalText } from '../base/terminalText';
import { ModelTokenizer } from '../engine/text/modelTokenizer';
import { nodeFileAccess } from '../engine/files/nodeFileAccess.node';
import { specialNotices } from '../engine/text/tokenizeText';
import { noticeText } from '../model/modelInfo';
import { deadlines } from './deadlines';

/** JSON of a text's tokens: ids, tokens, offsets (UTF-16, half-open), which are special (1), and what the editor would tell of the tokenizer and of special tokens in the text. */
export async function tokenize(tokenizerPath: string, text: string): Promise<TerminalText> {
  const tokenizer = await ModelTokenizer.open({ path: tokenizerPath }, nodeFileAccess, deadlines);
  const { ids, tokens, starts, ends, isSpecial } = tokenizer.encode(text);
  const offsets = Array.from(starts, (start, position) => [start, ends[position]]);
  const spelt = specialNotices(tokenizer, {
    text,
    tokens: tokens.map((piece, i) => ({
      id: ids[i],
      piece,
      start: starts[i],
      end: ends[i],
      isSpecial: isSpecial[i] === 1,
    })),
  });
  return jsonText({
    ids: [...ids],
    tokens,
    offsets,
    special: [...isSpecial],
    notices: [...tokenizer.notices, ...spelt].map(noticeText),
  });
}
