import { ExplorerError } from '../../base/errors';
import { relationIds } from '../../model/relations/relation';
import { relationPairs } from '../../model/relations/relationPairs';
import { SyntaxFacts } from '../../model/relations/syntaxTree';
import type { TokenStream } from '../../model/token';
import type { RelationsResult } from '../../model/relations/relationsParams';
import type { RelationsParams } from '../../protocol';
import { grammarNames, grammarOf } from '../syntax/grammars';
import type { CodeParser } from '../syntax/parseCode';
import type { HeldLayer } from '../weights/heldLayer';
import { readRelations } from '../weights/readRelations';

/** What heads of layers over a program read along its relations, and their pairs. Throws `noGrammar`, `codeNotParsed` and the signal's reason. */
export async function measureRelations(
  layers: readonly HeldLayer[],
  { language, isCausal, text, starts, ends, definitions }: RelationsParams,
  parser: CodeParser,
  signal: AbortSignal,
): Promise<RelationsResult> {
  const grammar = grammarOf(language);
  if (grammar === undefined) throw new ExplorerError('noGrammar', [language, grammarNames]);
  if (starts.length !== ends.length || layers.some(({ numQueries }) => numQueries !== starts.length))
    throw new ExplorerError('invalidArgument', ['tokens', 'they are not those of the run']);
  const tree = await parser.parse(text, grammar);
  signal.throwIfAborted();
  const stream: TokenStream = {
    role: 'source',
    text,
    tokens: Array.from(starts, (start, position) => ({
      id: 0,
      piece: '',
      start,
      end: ends[position],
      isSpecial: ends[position] <= start,
    })),
  };
  const pairs = relationPairs(stream, new SyntaxFacts(tree, text), isCausal, definitions);
  const listed = relationIds.map((id) => pairs[id]);
  return {
    table: {
      relations: relationIds,
      numPairs: listed.map(({ keys }) => keys.length),
      values: await readRelations(layers, listed, signal),
    },
    pairs: listed,
  };
}
