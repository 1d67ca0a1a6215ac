import { plain } from '../../base/safeText';
import { SyntaxFacts } from '../../model/relations/syntaxTree';
import type { Program } from '../../model/relations/relationsParams';
import type { TextSymbol } from '../../model/units';
import { grammarOf } from '../syntax/grammars';
import type { CodeParser } from '../syntax/parseCode';

/** What an outline of a program would list, by the grammar of its language; nothing where there is none, or no parser. Throws `codeNotParsed`. */
export async function codeSymbols(
  { language, text }: Pick<Program, 'language' | 'text'>,
  parser: CodeParser | undefined,
): Promise<readonly TextSymbol[]> {
  const grammar = grammarOf(language);
  if (grammar === undefined || parser === undefined) return [];
  const facts = new SyntaxFacts(await parser.parse(text, grammar), text);
  return facts.symbols().map(({ start, end, name }) => ({ start, end, name: plain(name) }));
}
