import { ExplorerError } from '../../base/errors';
import { WireReader } from '../../base/wireReader';
import { TokenizerFormatError } from '../jsonFields';
import { maxPieces } from '../workBounds';

/** How SentencePiece cuts words. */
export const enum SentencePieceKind {
  unigram = 1,
  bpe = 2,
}

/** What a piece of SentencePiece is. */
export const enum PieceType {
  normal = 1,
  unknown = 2,
  control = 3,
  userDefined = 4,
  unused = 5,
  byte = 6,
}

/** A model of SentencePiece (`ModelProto` of sentencepiece_model.proto), as far as tokens depend on it. */
export interface SentencePieceModel {
  readonly pieces: readonly { readonly piece: string; readonly score: number; readonly type: number }[];
  readonly kind: number;
  readonly hasByteFallback: boolean;
  readonly unknownId: number;
  /** The piece that begins, ends, stands for what is unknown; undefined where the model has none. */
  readonly bos: string | undefined;
  readonly eos: string | undefined;
  readonly unknown: string;
  readonly hasUnknown: boolean;
  /** The compiled rules of its normaliser; empty where it has none. */
  readonly characterMap: Uint8Array;
  /** Whether a space is put before a text, or after it. */
  readonly addsSpace: boolean;
  readonly hasSpaceAfter: boolean;
  /** Whether spaces around a text are dropped, and several in a row become one. */
  readonly removesSpaces: boolean;
  /** Whether spaces are written as ▁. */
  readonly showsSpaces: boolean;
}

/** Reads a file of SentencePiece. Throws `TokenizerFormatError` where it is none. */
export function readSentencePiece(bytes: Uint8Array, name: string): SentencePieceModel {
  try {
    return readModel(new WireReader(bytes, name));
  } catch (error) {
    if (!(error instanceof ExplorerError)) throw error;
    throw new TokenizerFormatError(`${name} is no file of SentencePiece`, { cause: error });
  }
}

/** Fields of the file while it is read. */
interface ModelFields {
  kind: number;
  hasByteFallback: boolean;
  unknownId: number;
  bosId: number;
  eosId: number;
  unknown: string;
  bos: string;
  eos: string;
  characterMap: Uint8Array;
  addsSpace: boolean;
  hasSpaceAfter: boolean;
  removesSpaces: boolean;
  showsSpaces: boolean;
}

function readModel(reader: WireReader): SentencePieceModel {
  const { bytes } = reader;
  const inside = (): WireReader => {
    const { start, end } = reader.range();
    return new WireReader(bytes, 'the tokenizer', start, end);
  };
  const pieces: { piece: string; score: number; type: number }[] = [];
  const model: ModelFields = {
    kind: 1,
    hasByteFallback: false,
    unknownId: 0,
    bosId: 1,
    eosId: 2,
    unknown: '<unk>',
    bos: '<s>',
    eos: '</s>',
    characterMap: new Uint8Array(),
    addsSpace: true,
    hasSpaceAfter: false,
    removesSpaces: true,
    showsSpaces: true,
  };
  while (reader.next()) {
    if (reader.field === 1) {
      if (pieces.length === maxPieces) throw new TokenizerFormatError('it has more pieces than any tokenizer');
      pieces.push(readPiece(inside()));
    } else if (reader.field === 2) {
      readTrainer(inside(), model);
    } else if (reader.field === 3) {
      readNormalizer(inside(), model, bytes);
    }
  }
  if (pieces.length === 0) throw new TokenizerFormatError('it holds no pieces');
  const { bosId, eosId, bos, eos, ...rest } = model;
  return {
    ...rest,
    pieces,
    bos: bosId >= 0 ? bos : undefined,
    eos: eosId >= 0 ? eos : undefined,
    hasUnknown: model.unknownId >= 0,
  };
}

function readPiece(reader: WireReader): { piece: string; score: number; type: number } {
  const read = { piece: '', score: 0, type: 1 };
  while (reader.next()) {
    if (reader.field === 1) read.piece = reader.text();
    else if (reader.field === 2) read.score = reader.float();
    else if (reader.field === 3) read.type = reader.unsigned();
  }
  return read;
}

/** The fields of `NormalizerSpec`. */
function readNormalizer(reader: WireReader, model: ModelFields, bytes: Uint8Array): void {
  while (reader.next()) {
    switch (reader.field) {
      case 2: {
        const { start, end } = reader.range();
        model.characterMap = bytes.subarray(start, end);
        break;
      }
      case 3:
        model.addsSpace = reader.unsigned() !== 0;
        break;
      case 4:
        model.removesSpaces = reader.unsigned() !== 0;
        break;
      case 5:
        model.showsSpaces = reader.unsigned() !== 0;
        break;
    }
  }
}

/** The fields of `TrainerSpec`. */
function readTrainer(reader: WireReader, model: ModelFields): void {
  // A negative number of 32 bits is written as one of 64.
  const id = (): number => Math.max(-1, reader.integer());
  while (reader.next()) {
    switch (reader.field) {
      case 3:
        model.kind = reader.unsigned();
        break;
      case 24:
        model.hasSpaceAfter = reader.unsigned() !== 0;
        break;
      case 35:
        model.hasByteFallback = reader.unsigned() !== 0;
        break;
      case 40:
        model.unknownId = id();
        break;
      case 41:
        model.bosId = id();
        break;
      case 42:
        model.eosId = id();
        break;
      case 45:
        model.unknown = reader.text() || '<unk>';
        break;
      case 46:
        model.bos = reader.text() || '<s>';
        break;
      case 47:
        model.eos = reader.text() || '</s>';
        break;
    }
  }
}
