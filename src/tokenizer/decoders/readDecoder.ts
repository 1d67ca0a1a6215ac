import { type JsonFields, Nesting, readSequence, UnsupportedPartError } from '../jsonFields';
import { readPattern } from '../pattern';
import { mostUnits, TooCostlyError } from '../workBounds';
import { readPrependScheme } from '../preTokenizers/metaspace';
import { decodeByteFallback, decodeByteLevel } from './bytes';
import type { Decoder } from './decoder';
import { readWordPieceDecoder } from './wordPiece';

/** Builds the decoder that a tokenizer.json describes. */
export function readDecoder(fields: JsonFields, nesting = new Nesting()): Decoder {
  const type = fields.string('type');
  switch (type) {
    case 'Sequence': {
      const parts = readSequence(fields, 'decoders', nesting, readDecoder);
      return (pieces) => {
        const most = mostUnits(unitsOf(pieces));
        return parts.reduce((current, decode) => checked(decode(current), most), pieces);
      };
    }
    case 'ByteLevel':
      return decodeByteLevel;
    case 'ByteFallback':
      return decodeByteFallback;
    case 'Fuse':
      return (pieces) => [pieces.join('')];
    case 'WordPiece':
      return readWordPieceDecoder(fields);
    case 'Metaspace':
      return readMetaspaceDecoder(fields);
    case 'BPEDecoder': {
      const suffix = fields.string('suffix', '</w>');
      return (pieces) => pieces.map((piece, i) => piece.replaceAll(suffix, i === pieces.length - 1 ? '' : ' '));
    }
    case 'Replace':
      return readReplaceDecoder(fields);
    case 'Strip':
      return readStripDecoder(fields);
    case 'CTC':
      return readCtcDecoder(fields);
    default:
      throw new UnsupportedPartError(`the decoder ${type}`);
  }
}

function readMetaspaceDecoder(fields: JsonFields): Decoder {
  const replacement = fields.character('replacement');
  const hasPrefix = readPrependScheme(fields) !== 'never';
  return (pieces) => pieces.map((piece, i) => piece.replaceAll(replacement, i === 0 && hasPrefix ? '' : ' '));
}

function readReplaceDecoder(fields: JsonFields): Decoder {
  const pattern = readPattern(fields.object('pattern'));
  const content = fields.string('content');
  return (pieces) => {
    const most = mostUnits(unitsOf(pieces));
    let units = 0;
    return pieces.map((piece) => {
      const { ends, isMatch } = pattern(piece);
      units += piece.length + content.length * isMatch.filter(Boolean).length;
      if (units > most) throw tooLong();
      return ends.map((end, i) => (isMatch[i] ? content : piece.slice(i === 0 ? 0 : ends[i - 1], end))).join('');
    });
  };
}

function unitsOf(pieces: readonly string[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

function checked(pieces: readonly string[], most: number): readonly string[] {
  if (unitsOf(pieces) > most) throw tooLong();
  return pieces;
}

function tooLong(): TooCostlyError {
  return new TooCostlyError('its decoder makes the text far too long');
}

/** Takes at most `start` and `stop` of a character off the ends of each piece. */
function readStripDecoder(fields: JsonFields): Decoder {
  const content = fields.character('content');
  const maxStart = fields.integer('start');
  const maxEnd = fields.integer('stop');
  return (pieces) =>
    pieces.map((piece) => {
      let start = 0;
      let end = piece.length;
      for (let i = 0; i < maxStart && piece.startsWith(content, start) && start < end; i++) start += content.length;
      for (let i = 0; i < maxEnd && end - content.length >= start && piece.endsWith(content, end); i++)
        end -= content.length;
      return piece.slice(start, end);
    });
}

/** Drops repetitions and padding of a speech model (connectionist temporal classification). */
function readCtcDecoder(fields: JsonFields): Decoder {
  const padding = fields.string('pad_token', '<pad>');
  const delimiter = fields.string('word_delimiter_token', '|');
  const cleanUp = readWordPieceDecoder(fields);
  const cleansUp = fields.boolean('cleanup', true);
  return (pieces) =>
    pieces
      .filter((piece, i) => piece !== pieces[i - 1])
      .map((piece) => piece.replaceAll(padding, ''))
      .map((piece) => (cleansUp ? cleanUp([piece])[0].replaceAll(delimiter, ' ') : piece))
      .filter((piece) => piece !== '');
}
