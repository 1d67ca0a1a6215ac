import { specialRun, type TokenRun } from '../encoding';
import { isId, JsonFields, TokenizerFormatError, UnsupportedPartError } from '../jsonFields';
import { mostUnits, TooCostlyError } from '../workBounds';
import type { PostProcessor } from './postProcessor';

/** Puts special tokens around one text, or two, and gives types, as the template for so many says. */
export function readTemplate(fields: JsonFields): PostProcessor {
  const specialTokens = readSpecialTokens(fields.object('special_tokens'));
  const read = (key: 'single' | 'pair'): readonly TemplatePiece[] =>
    fields.array(key).map((value, i) => readPiece(new JsonFields(value, `${fields.path}.${key}[${i}]`), specialTokens));
  const single = read('single');
  if (single.some(({ text }) => text === 1))
    throw new TokenizerFormatError(`"${fields.path}.single" uses a second text`);
  let pair: readonly TemplatePiece[] | undefined;
  return (runs, { texts, addsSpecialTokens }) => {
    // After another template there are more runs; the reference library stops there.
    if (runs.length !== texts.length) throw new UnsupportedPartError('two templates in a row');
    const pieces = runs.length === 1 ? single : (pair ??= read('pair'));
    const numTokens = pieces.reduce(
      (sum, piece) => sum + (piece.text === undefined ? piece.ids.length : runs[piece.text].ids.length),
      0,
    );
    if (numTokens > mostUnits(runs.reduce((sum, { ids }) => sum + ids.length, 0)))
      throw new TooCostlyError('its template makes far too many tokens');
    let current: 0 | 1 = 0;
    return pieces.flatMap((piece): readonly TokenRun[] => {
      if (piece.text === undefined)
        return addsSpecialTokens ? [specialRun(piece.ids, piece.tokens, piece.typeId, current)] : [];
      current = piece.text;
      return [{ ...runs[piece.text], typeIds: piece.typeId }];
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
      if (
        ids.length !== entry.array('ids').length ||
        tokens.length !== entry.array('tokens').length ||
        ids.length !== tokens.length
      ) {
        throw new TokenizerFormatError(`"${entry.path}" does not hold as many ids as tokens`);
      }
      return [name, { ids, tokens }];
    }),
  );
}

/** A part of a template: a text, or special tokens. */
type TemplatePiece = { readonly typeId: number } & (
  { readonly text: 0 | 1 } | ({ readonly text: undefined } & SpecialTokens)
);

function readPiece(fields: JsonFields, specialTokens: ReadonlyMap<string, SpecialTokens>): TemplatePiece {
  if (fields.has('Sequence')) {
    const sequence = fields.object('Sequence');
    return { text: sequence.oneOf('id', ['A', 'B']) === 'A' ? 0 : 1, typeId: sequence.integer('type_id', 0) };
  }
  const special = fields.object('SpecialToken');
  const name = special.string('id');
  const tokens = specialTokens.get(name);
  if (tokens === undefined)
    throw new TokenizerFormatError(`"${fields.path}" uses "${name}", which is not among the special tokens`);
  return { ...tokens, text: undefined, typeId: special.integer('type_id', 0) };
}
