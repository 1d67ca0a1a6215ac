import { jsonText, type TerminalText } from '../base/terminalText';
import { nodeFileAccess } from '../engine/nodeFileAccess.node';
import { Tokenizer } from '../tokenizer/tokenizer';

/** JSON of a text's tokens: ids, tokens, offsets (UTF-16, half-open) and which are special (1). */
export async function tokenize(tokenizerPath: string, text: string): Promise<TerminalText> {
  const json = new TextDecoder().decode(await nodeFileAccess.read(tokenizerPath, 'tokenizer'));
  const { ids, tokens, starts, ends, isSpecial } = Tokenizer.fromJson(json, tokenizerPath).encode(text);
  const offsets = Array.from(starts, (start, position) => [start, ends[position]]);
  return jsonText({ ids: [...ids], tokens, offsets, special: [...isSpecial] });
}
