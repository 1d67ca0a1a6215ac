import { specialRun, type TokenRun } from '../encoding';
import { isId, JsonFields, TokenizerFormatError, UnsupportedPartError } from '../jsonFields';
import { mostUnits, TooCostlyError } from '../workBounds';
import type { PostProcessor } from './postProcessor';

/** Puts special tokens around the text as the template for one sequence says. */
export function readTemplate(fields: JsonFields): PostProcessor {
  const specialTokens = readSpecialTokens(fields.object('special_tokens'));
  const pieces = fields.array('single').map((value, i) => readPiece(new JsonFields(value, `${fields.path}.single[${i}]`), specialTokens));
  return (runs, { addsSpecialTokens }) => {
    // After another template there are several runs; the reference library stops there.
    if (runs.length !== 1) throw new UnsupportedPartError('two templates in a row');
    const numTokens = pieces.reduce((sum, piece) => sum + (piece === 'text' ? runs[0].ids.length : piece.ids.length), 0);
    if (numTokens > mostUnits(runs[0].ids.length)) throw new TooCostlyError('its template makes far too many tokens');
    return pieces.flatMap((piece): readonly TokenRun[] => {
      if (piece === 'text') return runs;
      return addsSpecialTokens ? [specialRun(piece.ids, piece.tokens)] : [];
    });
  };
}

interface SpecialTokens {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

function readSpecialTokens(fields: JsonFields): Map<string, SpecialTokens> {
  return new Map(
    fields.entries().map(([name, value]) => {
      const entry = new JsonFields(value, `${fields.path}.${name}`);
      const ids = entry.array('ids').filter(isId);
      const tokens = entry.array('tokens').filter((token) => typeof token === 'string');
      if (ids.length !== entry.array('ids').length || tokens.length !== entry.array('tokens').length || ids.length !== tokens.length) {
        throw new TokenizerFormatError(`"${entry.path}" does not hold as many ids as tokens`);
      }
      return [name, { ids, tokens }];
    }),
  );
}

function readPiece(fields: JsonFields, specialTokens: ReadonlyMap<string, SpecialTokens>): 'text' | SpecialTokens {
  if (fields.has('Sequence')) {
    if (fields.object('Sequence').string('id') !== 'A') throw new TokenizerFormatError(`"${fields.path}" uses a second text`);
    return 'text';
  }
  const name = fields.object('SpecialToken').string('id');
  const tokens = specialTokens.get(name);
  if (tokens === undefined) throw new TokenizerFormatError(`"${fields.path}" uses "${name}", which is not among the special tokens`);
  return tokens;
}
