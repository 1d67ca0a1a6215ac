import { type JsonFields, Nesting, readSequence, TokenizerFormatError, UnsupportedPartError } from '../jsonFields';
import type { NormalizedString } from '../normalizedString';
import { characterPattern, invertedPattern, type Pattern, readPattern, regExpPattern } from '../pattern';
import { type Emit, splitAt, type SplitBehavior, splitBehaviors } from '../splitBehavior';
import { codePointAt, isNumeric, isWhitespace, punctuation, skipCodePoints } from '../unicode/characters';
import { readByteLevel } from './byteLevel';
import { readMetaspace } from './metaspace';
import type { PreTokenizer } from './preTokenizer';
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
      return splitter(invertedPattern(regExpPattern(/[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu)), 'Removed');
    case 'WhitespaceSplit':
      return splitter(characterPattern(isWhitespace), 'Removed');
    case 'BertPreTokenizer':
      return chain([splitter(characterPattern(isWhitespace), 'Removed'), splitter(punctuationPattern, 'Isolated')]);
    case 'Punctuation':
      return splitter(punctuationPattern, fields.oneOf('behavior', splitBehaviors, 'Isolated'));
    case 'Digits':
      return splitter(characterPattern(isNumeric), fields.boolean('individual_digits', false) ? 'Isolated' : 'Contiguous');
    case 'Split': {
      const pattern = readPattern(fields.object('pattern'));
      return splitter(fields.boolean('invert', false) ? invertedPattern(pattern) : pattern, fields.oneOf('behavior', splitBehaviors));
    }
    case 'CharDelimiterSplit': {
      const delimiter = codePointAt(fields.character('delimiter'), 0);
      return splitter(characterPattern((codePoint) => codePoint === delimiter), 'Removed');
    }
    case 'FixedLength': {
      const length = fields.integer('length', 5);
      if (length === 0) throw new TokenizerFormatError(`"${fields.path}.length" is 0`);
      return (piece, emit) => cutToLength(piece, length, emit);
    }
    case 'UnicodeScripts':
      return splitByScript;
    default:
      throw new UnsupportedPartError(`the pre-tokenizer ${type}`);
  }
}

const punctuationPattern: Pattern = (text) => {
  const set = punctuation();
  return characterPattern((codePoint) => set.has(codePoint))(text);
};

function splitter(pattern: Pattern, behavior: SplitBehavior): PreTokenizer {
  return (piece, emit) => splitAt(piece, pattern(piece.text), behavior, emit);
}

/** Feeds what each part emits to the next one. */
function chain(parts: readonly PreTokenizer[]): PreTokenizer {
  return parts.reduceRight<PreTokenizer>(
    (next, part) => (piece, emit) => part(piece, (word) => next(word, emit)),
    (piece, emit) => emit(piece),
  );
}

function cutToLength(piece: NormalizedString, length: number, emit: Emit): void {
  for (let start = 0; start < piece.text.length; ) {
    const end = skipCodePoints(piece.text, start, length);
    emit(piece.slice(start, end));
    start = end;
  }
}
