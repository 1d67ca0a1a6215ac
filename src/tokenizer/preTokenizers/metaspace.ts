import { type JsonFields, TokenizerFormatError } from '../jsonFields';
import type { NormalizedString } from '../normalizedString';
import { literalPattern } from '../pattern';
import { emitMatches } from '../splitBehavior';
import { codePointAt } from '../unicode/characters';
import { cutter, type PreTokenizer } from './preTokenizer';

const spaces = literalPattern(' ');

/** SentencePiece's spaces: writes them as a visible character, may put one in front, and cuts before each. */
export function readMetaspace(fields: JsonFields): PreTokenizer {
  const replacement = fields.character('replacement');
  const splits = fields.boolean('split', true);
  const scheme = readPrependScheme(fields);
  const words = new RegExp(
    `${escaped(replacement)}(?:(?!${escaped(replacement)})[^])*|(?:(?!${escaped(replacement)})[^])+`,
    'gu',
  );
  return cutter((piece, emit) => {
    const current = piece.text.includes(' ') ? replaceSpaces(piece, replacement) : piece;
    const { text } = current;
    const prefix =
      (scheme === 'always' || (scheme === 'first' && current.originalStart === 0)) && !text.startsWith(replacement)
        ? replacement
        : undefined;
    if (splits && text.includes(replacement))
      emitMatches(prefix === undefined ? current : current.prepend(prefix), words, emit);
    else emit(current, 0, text.length, prefix);
  });
}

const escaped = (character: string): string => `\\u{${codePointAt(character, 0).toString(16)}}`;

function replaceSpaces(piece: NormalizedString, replacement: string): NormalizedString {
  return replacement.length === 1
    ? piece.withText(piece.text.replaceAll(' ', replacement))
    : piece.replace(spaces(piece.text), replacement);
}

/** When the visible space is put in front: of every piece, of the text's first one, or never. */
export function readPrependScheme(fields: JsonFields): 'always' | 'first' | 'never' {
  const scheme = fields.oneOf('prepend_scheme', ['always', 'first', 'never'], 'always');
  // Files of before 2024 have this field alone.
  if (!fields.has('add_prefix_space') || fields.boolean('add_prefix_space')) return scheme;
  if (fields.has('prepend_scheme') && scheme !== 'never')
    throw new TokenizerFormatError(`"${fields.path}" contradicts itself about its prefix space`);
  return 'never';
}
