import { type JsonFields, Nesting, readSequence, UnsupportedPartError } from '../jsonFields';
import { readPattern } from '../pattern';
import { marks } from '../unicode/characters';
import { lazy } from '../unicode/codePointSet';
import { readBertNormalizer } from './bert';
import { toByteLevel } from './byteLevel';
import { lowercase } from './lowercase';
import { normalizeNmt } from './nmt';
import { toNormalForm } from './normalForm';
import type { Normalizer } from './normalizer';
import { readPrecompiled } from './precompiled';

const markedRuns = lazy(() => new RegExp(`[${marks().members}]+`, 'gu'));

/** Builds the normalizer that a tokenizer.json describes. */
export function readNormalizer(fields: JsonFields, nesting = new Nesting()): Normalizer {
  const type = fields.string('type');
  switch (type) {
    case 'Sequence': {
      const parts = readSequence(fields, 'normalizers', nesting, readNormalizer);
      return (piece) => parts.reduce((current, normalize) => normalize(current), piece);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (piece) => toNormalForm(piece, type);
    case 'Lowercase':
      return lowercase;
    case 'Strip': {
      const isLeft = fields.boolean('strip_left', true);
      const isRight = fields.boolean('strip_right', true);
      return (piece) => piece.strip(isLeft, isRight);
    }
    case 'StripAccents':
      return (piece) => piece.remove(markedRuns());
    case 'Replace': {
      const pattern = readPattern(fields.object('pattern'));
      const content = fields.string('content');
      return (piece) => {
        const matches = pattern(piece.text);
        return matches.isMatch.includes(true) ? piece.replace(matches, content) : piece;
      };
    }
    case 'Prepend': {
      const text = fields.string('prepend');
      return (piece) => piece.prepend(text);
    }
    case 'BertNormalizer':
      return readBertNormalizer(fields);
    case 'Precompiled':
      return readPrecompiled(fields);
    case 'Nmt':
      return normalizeNmt;
    case 'ByteLevel':
      return toByteLevel;
    default:
      throw new UnsupportedPartError(`the normalizer ${type}`);
  }
}
