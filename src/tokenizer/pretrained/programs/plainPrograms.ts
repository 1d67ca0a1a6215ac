import { AddedToken } from '../../addedTokens';
import { specialRun } from '../../encoding';
import { TokenizerFormatError } from '../../jsonFields';
import type { Model } from '../../models/model';
import { wholeWord } from '../../models/vocabulary';
import { contentOf, type TokenValue } from '../initArguments';
import { template } from '../parts';
import { ReferenceFailure } from '../referenceFailure';
import { readVocabularyLines } from '../textFiles';
import { byteModel, bytePieces, decodeBytes } from './bytes';
import { extraTokens, namedTokens, type TokenizerProgram } from './program';
import { PythonTokens } from './pythonTokens';

/** What Python's `str.split` takes for words. */
const words = /[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** ESM: letters of proteins, each a piece; what stands between pieces is cut at white space. */
const esm: TokenizerProgram = {
  files: () => ['vocab.txt'],
  make: (init, read) => {
    const bytes = read('vocab.txt');
    if (bytes === undefined) throw new TokenizerFormatError('vocab.txt is missing');
    const lines = [...readVocabularyLines(bytes)].map(([line, id]): [string, number] => [line.trim(), id]);
    const ids = new Map(lines);
    const names = new Map(lines.map(([piece, id]) => [id, piece]));
    const pieces = {
      idOf: (piece: string) => ids.get(piece),
      pieceOf: (id: number) => names.get(id),
      size: ids.size,
      maxId: lines.reduce((most, [, id]) => Math.max(most, id), -1),
    };
    const defaults = {
      unk_token: '<unk>',
      cls_token: '<cls>',
      pad_token: '<pad>',
      mask_token: '<mask>',
      eos_token: '<eos>',
    };
    const added = new PythonTokens(init, { named: namedTokens(init, defaults), extras: extraTokens(init) }, pieces, [
      ...ids.keys(),
    ]);
    const idOf = (piece: string): number | undefined => added.idOf(piece);
    const unknown = pieces.idOf(added.named.get('unk_token') ?? '');
    const special = (name: string): [string, number] => {
      const content = added.named.get(name);
      const id = content === undefined ? undefined : (idOf(content) ?? unknown);
      if (content === undefined || id === undefined) throw new ReferenceFailure(`there is no ${name}`);
      return [content, id];
    };
    const [cls, eos] = [special('cls_token'), special('eos_token')];
    const model: Model = {
      vocabulary: { ...pieces, idOf },
      tokenize: (word) => {
        const id = idOf(word) ?? unknown;
        if (id === undefined)
          throw new TokenizerFormatError('the text has unknown words, and there is no token for these');
        return wholeWord(id, word, word);
      },
    };
    return {
      model,
      added,
      padId: added.idOf(added.named.get('pad_token') ?? ''),
      cut: (piece, emit) => {
        for (const { 0: word, index } of piece.text.matchAll(words)) emit(piece, index, index + word.length);
      },
      postProcessor: template(
        [[cls[0]], ['$A'], [eos[0]]],
        [[cls[0]], ['$A'], [eos[0]], ['$B'], [eos[0]]],
        new Map([cls, eos]),
      ),
      decoder: (all) => [all.join(' ')],
    };
  },
};

/** Sentinels of ByT5. */
const mostExtras = 10_000;

/** ByT5: a token for each byte of UTF-8, three further on. */
const byT5: TokenizerProgram = {
  files: () => [],
  make: (init) => {
    const strips = { stripsLeft: true, stripsRight: true };
    const defaults = { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' };
    const own = (name: keyof typeof defaults): AddedToken => {
      const value = init.token(name, defaults[name]);
      if (value === null) throw new ReferenceFailure(`there is no ${name}`);
      return typeof value === 'string' ? new AddedToken(value, strips) : value;
    };
    const [pad, eos, unknown] = [own('pad_token'), own('eos_token'), own('unk_token')];
    const count = init.integer('extra_ids', 125);
    if (count > mostExtras) throw new ReferenceFailure('"extra_ids" in tokenizer_config.json is far too large');
    const additional = init.tokens('additional_special_tokens');
    if (
      count > 0 &&
      additional !== undefined &&
      additional.length > 0 &&
      new Set(additional.map(contentOf).filter((content) => content.includes('extra_id'))).size !== count
    )
      throw new ReferenceFailure('"extra_ids" in tokenizer_config.json contradicts its tokens');
    const extras: readonly TokenValue[] =
      init.tokens('extra_special_tokens') ?? additional ?? Array.from({ length: count }, (_, i) => `<extra_id_${i}>`);
    const offset = 3;
    const pieces = bytePieces(offset);
    const added = new PythonTokens(
      init,
      {
        named: namedTokens(init, { pad_token: pad, eos_token: eos, unk_token: unknown }),
        extras,
        own: [
          [0, pad],
          [1, eos],
          [2, unknown],
        ],
      },
      pieces,
      [],
    );
    const eosContent = added.named.get('eos_token') ?? '';
    const eosId = added.idOf(eosContent) ?? 1;
    return {
      model: byteModel(pieces, offset, added),
      added,
      padId: added.idOf(added.named.get('pad_token') ?? ''),
      cut: undefined,
      // A text that ends with it gets no second one.
      postProcessor: (runs, { addsSpecialTokens }) =>
        runs.flatMap((run) => {
          const plain = { ...run, typeIds: 0 };
          return !addsSpecialTokens || run.ids.at(-1) === eosId
            ? [plain]
            : [plain, specialRun([eosId], [eosContent], 0, run.text)];
        }),
      decoder: (all) => [decodeBytes(all).replaceAll('\uFFFD', '')],
    };
  },
};

/** Programs without a model of SentencePiece. */
export const plainPrograms: Readonly<Record<string, TokenizerProgram>> = { ByT5Tokenizer: byT5, EsmTokenizer: esm };
