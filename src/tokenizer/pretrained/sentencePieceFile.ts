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
  control = 3,
  userDefined = 4,
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
  };
  while (reader.next()) {
    if (reader.field === 1) {
      if (pieces.length === maxPieces) throw new TokenizerFormatError('it has more pieces than any tokenizer');
      pieces.push(readPiece(inside()));
    } else if (reader.field === 2) {
      readTrainer(inside(), model);
    } else if (reader.field === 3) {
      const rules = inside();
      while (rules.next())
        if (rules.field === 2) model.characterMap = bytes.subarray(rules.range().start, rules.range().end);
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

/** The fields of `TrainerSpec`. */
function readTrainer(reader: WireReader, model: ModelFields): void {
  // A negative number of 32 bits is written as one of 64.
  const id = (): number => Math.max(-1, reader.integer());
  while (reader.next()) {
    switch (reader.field) {
      case 3:
        model.kind = reader.unsigned();
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
