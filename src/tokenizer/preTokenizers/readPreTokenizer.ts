import { type JsonFields, Nesting, readSequence, TokenizerFormatError, UnsupportedPartError } from '../jsonFields';
import type { NormalizedString } from '../normalizedString';
import { characterPattern, invertedPattern, type Pattern, readPattern, regExpPattern } from '../pattern';
import { toByteLevel } from '../normalizers/byteLevel';
import { type Emit, emitMatches, partOf, splitAt, type SplitBehavior, splitBehaviors } from '../splitBehavior';
import { codePointAt, isNumeric, isWhitespace, punctuation, skipCodePoints } from '../unicode/characters';
import { lazy } from '../unicode/codePointSet';
import { readByteLevel } from './byteLevel';
import { readMetaspace } from './metaspace';
import { cutter, type PreTokenizer } from './preTokenizer';
import { splitByScript } from './unicodeScripts';

/** Builds the pre-tokenizer that a tokenizer.json describes. */
export function readPreTokenizer(fields: JsonFields, nesting = new Nesting()): PreTokenizer {
  const type = fields.string('type');
  switch (type) {
    case 'Sequence':
      return chain(readSequence(fields, 'pretokenizers', nesting, readPreTokenizer));
    case 'ByteLevel':
      return readByteLevel(fields);
    case 'Metaspace':
      return readMetaspace(fields);
    case 'Whitespace':
      return splitter(
        invertedPattern(
          regExpPattern(
            /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
          ),
        ),
        'Removed',
      );
    case 'WhitespaceSplit':
      return cutter((piece, emit) => emitMatches(piece, spacesOrNot, emit, isNoSpace));
    case 'BertPreTokenizer':
      return cutter((piece, emit) => emitMatches(piece, bertWords(), emit, isNoSpace));
    case 'Punctuation':
      return splitter(punctuationPattern, fields.oneOf('behavior', splitBehaviors, 'Isolated'));
    case 'Digits':
      return splitter(
        characterPattern(isNumeric),
        fields.boolean('individual_digits', false) ? 'Isolated' : 'Contiguous',
      );
    case 'Split': {
      const pattern = readPattern(fields.object('pattern'));
      return splitter(
        fields.boolean('invert', false) ? invertedPattern(pattern) : pattern,
        fields.oneOf('behavior', splitBehaviors),
      );
    }
    case 'CharDelimiterSplit': {
      const delimiter = codePointAt(fields.character('delimiter'), 0);
      return splitter(
        characterPattern((codePoint) => codePoint === delimiter),
        'Removed',
      );
    }
    case 'FixedLength': {
      const length = fields.integer('length', 5);
      if (length === 0) throw new TokenizerFormatError(`"${fields.path}.length" is 0`);
      return cutter((piece, emit) => cutToLength(piece, length, emit));
    }
    case 'UnicodeScripts':
      return cutter(splitByScript);
    default:
      throw new UnsupportedPartError(`the pre-tokenizer ${type}`);
  }
}

const spacesOrNot = /\P{White_Space}+|\p{White_Space}+/gu;
const isNoSpace = (unit: number): boolean => !isWhitespace(unit);
/** Punctuation, each by itself, and words between white space and punctuation. */
const bertWords = lazy(
  () => new RegExp(`[${punctuation().members}]|[^\\p{White_Space}${punctuation().members}]+|\\p{White_Space}+`, 'gu'),
);

const punctuationPattern: Pattern = (text) => {
  const set = punctuation();
  return characterPattern((codePoint) => set.has(codePoint))(text);
};

function splitter(pattern: Pattern, behavior: SplitBehavior): PreTokenizer {
  return cutter((piece, emit) => splitAt(piece, pattern(piece.text), behavior, emit));
}

/** Feeds what each part emits to the next one. */
function chain(parts: readonly PreTokenizer[]): PreTokenizer {
  return parts.reduce(join, { cut: undefined, writesBytes: false });
}

function join(first: PreTokenizer, second: PreTokenizer): PreTokenizer {
  if (second.cut === undefined && !(first.writesBytes && second.writesBytes))
    return { cut: first.cut, writesBytes: first.writesBytes || second.writesBytes };
  const next = second.cut ?? ((piece, emit) => emit(piece, 0, piece.text.length));
  const written = (piece: NormalizedString): NormalizedString => (first.writesBytes ? toByteLevel(piece) : piece);
  if (first.cut === undefined && !first.writesBytes) return second;
  return {
    cut: (piece, emit) => {
      if (first.cut === undefined) next(written(piece), emit);
      else first.cut(piece, (part, start, end, prefix) => next(written(partOf(part, start, end, prefix)), emit));
    },
    writesBytes: second.writesBytes,
  };
}

function cutToLength(piece: NormalizedString, length: number, emit: Emit): void {
  for (let start = 0; start < piece.text.length;) {
    const end = skipCodePoints(piece.text, start, length);
    emit(piece, start, end);
    start = end;
  }
}
