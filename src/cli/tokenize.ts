import { readFile } from 'node:fs/promises';
import { ExplorerError } from '../base/errors';
import { jsonText, type TerminalText } from '../base/terminalText';
import { Tokenizer } from '../tokenizer/tokenizer';

/** JSON of a text's tokens: ids, tokens, offsets (UTF-16, half-open) and which are special (1). */
export async function tokenize(tokenizerPath: string, text: string): Promise<TerminalText> {
  let json: string;
  try {
    json = await readFile(tokenizerPath, 'utf8');
  } catch (error) {
    throw new ExplorerError('fileNotFound', [tokenizerPath], { cause: error });
  }
  const { ids, tokens, starts, ends, isSpecial } = Tokenizer.fromJson(json, tokenizerPath).encode(text);
  const offsets = Array.from(starts, (start, position) => [start, ends[position]]);
  return jsonText({ ids: [...ids], tokens, offsets, special: [...isSpecial] });
}
