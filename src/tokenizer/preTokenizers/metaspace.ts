import { type JsonFields, TokenizerFormatError } from '../jsonFields';
import { literalPattern } from '../pattern';
import { splitAt } from '../splitBehavior';
import type { PreTokenizer } from './preTokenizer';

const spaces = literalPattern(' ');

/** SentencePiece's spaces: writes them as a visible character, may put one in front, and cuts before each. */
export function readMetaspace(fields: JsonFields): PreTokenizer {
  const replacement = fields.character('replacement');
  const splits = fields.boolean('split', true);
  const scheme = readPrependScheme(fields);
  const replacements = literalPattern(replacement);
  return (piece, emit) => {
    let current = piece.text.includes(' ') ? piece.replace(spaces(piece.text), replacement) : piece;
    const isPrepended = scheme === 'always' || (scheme === 'first' && current.originalStart === 0);
    if (isPrepended && !current.text.startsWith(replacement)) current = current.prepend(replacement);
    if (splits) splitAt(current, replacements(current.text), 'MergedWithNext', emit);
    else emit(current);
  };
}

/** When the visible space is put in front: of every piece, of the text's first one, or never. */
export function readPrependScheme(fields: JsonFields): 'always' | 'first' | 'never' {
  const scheme = fields.oneOf('prepend_scheme', ['always', 'first', 'never'], 'always');
  // Files of before 2024 have this field alone.
  if (!fields.has('add_prefix_space') || fields.boolean('add_prefix_space')) return scheme;
  if (fields.has('prepend_scheme') && scheme !== 'never') throw new TokenizerFormatError(`"${fields.path}" contradicts itself about its prefix space`);
  return 'never';
}
