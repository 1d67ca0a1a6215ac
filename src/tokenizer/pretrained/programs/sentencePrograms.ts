import type { AddedPiece } from '../../addedPieces';
import { TokenizerFormatError, UnsupportedPartError } from '../../jsonFields';
import type { Pieces } from '../../models/model';
import { sentenceNormalizer } from '../../sentencePiece/normalizeSentence';
import { SentenceModel } from '../../sentencePiece/sentenceModel';
import type { InitArguments } from '../initArguments';
import type { ReadFile } from '../openVocabulary';
import { template } from '../parts';
import { ReferenceFailure } from '../referenceFailure';
import { m2m100Languages, wmt21Languages } from '../referenceNames';
import { PieceType, readSentencePiece } from '../sentencePieceFile';
import { readVocabularyJson } from '../textFiles';
import { extraTokens, namedTokens, type ProgramParts, type SideParts, type TokenizerProgram } from './program';
import { PythonTokens, withoutBlanks } from './pythonTokens';

/** A vocabulary of a vocab.json. */
function piecesOf(ids: ReadonlyMap<string, number>): Pieces {
  const pieces = new Map([...ids].map(([piece, id]) => [id, piece]));
  return {
    idOf: (piece) => ids.get(piece),
    pieceOf: (id) => pieces.get(id),
    size: ids.size,
    maxId: [...ids.values()].reduce((most, id) => Math.max(most, id), -1),
  };
}

/** A file of a tokenizer's folder. */
interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

function neededFile(read: ReadFile, name: string): NamedFile {
  const bytes = read(name);
  if (bytes === undefined) throw new TokenizerFormatError(`${name} is missing`);
  return { name, bytes };
}

const readIds = (read: ReadFile, name: string): ReadonlyMap<string, number> =>
  readVocabularyJson(neededFile(read, name).bytes, name);

const vocabularyOf = (read: ReadFile, name: string): Pieces => piecesOf(readIds(read, name));

/** The id of an unknown piece. Throws where the vocabulary has none. */
function unknownOf(pieces: Pieces, tokens: PythonTokens): number {
  const id = pieces.idOf(tokens.named.get('unk_token') ?? '');
  if (id === undefined) throw new ReferenceFailure('its vocabulary lacks the unknown token');
  return id;
}

/** Pieces as one text, with what pieces of single bytes say together. */
function decodeBytes(pieces: readonly string[]): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let text = '';
  for (let i = 0; i < pieces.length; i++) {
    const bytes: number[] = [];
    for (let byte = byteOf(pieces[i]); byte !== undefined; byte = byteOf(pieces[++i] ?? '')) bytes.push(byte);
    text += decoder.decode(Uint8Array.from(bytes)) + (pieces[i] ?? '');
  }
  return text;
}

function byteOf(piece: string): number | undefined {
  const digits = /^<0x([0-9A-F]{2})>$/.exec(piece)?.[1];
  return digits === undefined ? undefined : parseInt(digits, 16);
}

/** How SentencePiece cuts what stands between added tokens, with the ids of another vocabulary. */
function sentenceSteps(
  init: InitArguments,
  file: NamedFile,
  vocabulary: Pieces,
  unknownId: number,
): Pick<ProgramParts, 'model' | 'cut' | 'decoder'> {
  const options = init.raw('sp_model_kwargs');
  if (typeof options === 'object' && options !== null && Object.keys(options).length > 0)
    throw new UnsupportedPartError('options of SentencePiece (sp_model_kwargs)');
  const sentencePiece = readSentencePiece(file.bytes, file.name);
  const normalize = sentenceNormalizer(
    sentencePiece,
    sentencePiece.pieces.flatMap(({ piece, type }) => (type === PieceType.userDefined ? [piece] : [])),
  );
  return {
    model: new SentenceModel(sentencePiece, vocabulary, () => unknownId),
    cut: (piece, emit) => {
      const normalized = normalize(piece.text, piece.originalStart);
      if (normalized.text !== '') emit(normalized, 0, normalized.text.length);
    },
    decoder: (pieces) => [withoutBlanks(decodeBytes(pieces).replaceAll('▁', ' '))],
  };
}

/** Marian's tokens: a language's code in front (`>>fra<<`) is a piece of the vocabulary, whatever SentencePiece would make of it. */
class MarianTokens extends PythonTokens {
  codeId: (code: string) => number = () => 0;

  override extract(text: string): AddedPiece[] {
    return super.extract(text).flatMap((piece) => {
      const own = piece.string.text;
      const end = piece.addedId === undefined && own.startsWith('>>') ? own.indexOf('<<') : -1;
      if (end === -1) return [piece];
      const code = { string: piece.string.slice(0, end + 2), addedId: this.codeId(own.slice(0, end + 2)) };
      return end + 2 === own.length
        ? [code]
        : [code, { string: piece.string.slice(end + 2, own.length), addedId: undefined }];
    });
  }
}

const marian: TokenizerProgram = {
  files: (setting) => [
    'source.spm',
    'target.spm',
    'vocab.json',
    ...(setting('separate_vocabs') === true ? ['target_vocab.json'] : []),
  ],
  make: (init, read) => {
    const entries = [...readIds(read, 'vocab.json')];
    const source = piecesOf(new Map(entries));
    const target = init.raw('separate_vocabs') === true ? vocabularyOf(read, 'target_vocab.json') : source;
    const side = (pieces: Pieces, name: string): SideParts => {
      const added = new MarianTokens(
        init,
        {
          named: namedTokens(init, { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' }),
          extras: extraTokens(init),
        },
        source,
        [],
      );
      const unknownId = unknownOf(pieces, added);
      const idOf = (piece: string): number | undefined => added.ownIdOf(piece) ?? pieces.idOf(piece);
      added.codeId = (code) => idOf(code) ?? unknownId;
      const eos = added.named.get('eos_token') ?? '';
      const eosId = idOf(eos) ?? unknownId;
      return {
        ...sentenceSteps(init, neededFile(read, name), { ...pieces, idOf }, unknownId),
        added,
        padId: idOf(added.named.get('pad_token') ?? ''),
        postProcessor: template([['$A'], [eos]], [['$A'], ['$B'], [eos]], new Map([[eos, eosId]])),
      };
    };
    const targetCodes = new Map(
      entries.flatMap(([piece, id]) => {
        const code = /^>>(.+)<<$/.exec(piece)?.[1];
        return code === undefined ? [] : [[code, id] as const];
      }),
    );
    return { ...side(source, 'source.spm'), target: side(target, 'target.spm'), targetCodes };
  },
};

const m2m100: TokenizerProgram = {
  files: () => ['vocab.json', 'sentencepiece.bpe.model'],
  make: (init, read) => {
    const encoder = vocabularyOf(read, 'vocab.json');
    const lists = new Map([
      ['m2m100', m2m100Languages],
      ['wmt21', wmt21Languages],
    ]);
    const codes = lists.get(init.text('language_codes', 'm2m100') ?? '')?.split(' ');
    if (codes === undefined)
      throw new ReferenceFailure('"language_codes" in tokenizer_config.json names no list of languages');
    const languages = new Map(codes.map((code, i) => [`__${code}__`, encoder.size + i]));
    const names = new Map([...languages].map(([name, id]) => [id, name]));
    const pieces: Pieces = {
      idOf: (piece) => languages.get(piece) ?? encoder.idOf(piece),
      pieceOf: (id) => names.get(id) ?? encoder.pieceOf(id),
      size: encoder.size,
      maxId: Math.max(encoder.maxId, ...names.keys()),
    };
    const defaults = { bos_token: '<s>', eos_token: '</s>', sep_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' };
    const added = new PythonTokens(
      init,
      { named: namedTokens(init, defaults), extras: extraTokens(init) },
      encoder,
      [],
    );
    const unknownId = unknownOf(encoder, added);
    const idOf = (piece: string): number | undefined => added.ownIdOf(piece) ?? pieces.idOf(piece);
    const language = `__${init.text('src_lang', undefined) ?? 'en'}__`;
    const languageId = languages.get(language);
    if (languageId === undefined) throw new ReferenceFailure(`"${language}" is none of its languages`);
    const eos = added.named.get('eos_token') ?? '';
    return {
      ...sentenceSteps(init, neededFile(read, 'sentencepiece.bpe.model'), { ...pieces, idOf }, unknownId),
      added,
      padId: idOf(added.named.get('pad_token') ?? ''),
      postProcessor: template(
        [[language], ['$A'], [eos]],
        [[language], ['$A'], ['$B'], [eos]],
        new Map([
          [language, languageId],
          [eos, idOf(eos) ?? unknownId],
        ]),
      ),
    };
  },
};

/** Programs around SentencePiece. */
export const sentencePrograms: Readonly<Record<string, TokenizerProgram>> = {
  M2M100Tokenizer: m2m100,
  MarianTokenizer: marian,
};
