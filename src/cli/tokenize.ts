import { jsonText, type TerminalText } from '../base/terminalText';
import { ModelTokenizer } from '../engine/modelTokenizer';
import { nodeFileAccess } from '../engine/nodeFileAccess.node';
import { deadlines } from './deadlines';

/** JSON of a text's tokens: ids, tokens, offsets (UTF-16, half-open) and which are special (1). */
export async function tokenize(tokenizerPath: string, text: string): Promise<TerminalText> {
  const tokenizer = await ModelTokenizer.open({ path: tokenizerPath }, nodeFileAccess, deadlines);
  const { ids, tokens, starts, ends, isSpecial } = tokenizer.encode(text);
  const offsets = Array.from(starts, (start, position) => [start, ends[position]]);
  return jsonText({ ids: [...ids], tokens, offsets, special: [...isSpecial] });
}
