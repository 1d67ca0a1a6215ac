import type { Backend, Pipeline } from '../backend';
import { contentOf, type InitArguments, type TokenValue } from '../initArguments';
import { metaspace, normalizers, type Part, precompiled, preTokenizers, regex, replace } from '../parts';
import { ReferenceFailure } from '../referenceFailure';
import { mbart50Languages, mbartLanguages } from '../referenceNames';
import type { VocabularySource } from '../vocabularySource';
import { entityTokens, withEntityTokens } from './entityTokens';
import { scoredPieces, unigram } from './models';
import { named, type TokenizerClass } from './tokenizerClass';

const robertaTokens = { bos_token: '<s>', eos_token: '</s>', sep_token: '</s>', cls_token: '<s>', unk_token: '<unk>', pad_token: '<pad>', mask_token: '<mask>' };
const albertTokens = { bos_token: '[CLS]', eos_token: '[SEP]', unk_token: '<unk>', sep_token: '[SEP]', pad_token: '<pad>', cls_token: '[CLS]', mask_token: '[MASK]' };
const stripsMask = { mask_token: { stripsLeft: true } };
const quotes = [replace('``', '"'), replace("''", '"')];
const manySpaces = (content: string): Part => replace(regex(' {2,}'), content);
const whitespace: Part = { type: 'WhitespaceSplit' };

/** SentencePiece's spaces where the class may be told to put none in front. */
function spaces(init: InitArguments, cutsFirst: boolean): Pick<Pipeline, 'preTokenizer' | 'decoder'> {
  const step = metaspace(init.flag('add_prefix_space', true) ? 'always' : 'never');
  return { preTokenizer: cutsFirst ? preTokenizers(whitespace, step) : step, decoder: step };
}

/** SentencePiece's spaces, one always in front. */
const allSpaces = (cutsFirst: boolean): Pick<Pipeline, 'preTokenizer' | 'decoder'> => ({ preTokenizer: cutsFirst ? preTokenizers(whitespace, metaspace('always')) : metaspace('always'), decoder: metaspace('always') });

/** `[CLS] A [SEP]`, with type 1 for what follows. */
function wrapAsBert(backend: Backend): void {
  const [cls, sep] = [backend.special('cls_token'), backend.special('sep_token')];
  backend.useTemplate([[cls[0]], ['$A'], [sep[0]]], [[cls[0]], ['$A'], [sep[0]], ['$B', 1], [sep[0], 1]], cls, sep);
}

/** `A </s>`, `A </s> B </s>`. */
function endEach(backend: Backend): void {
  const eos = ['</s>', backend.special('eos_token')[1]] as const;
  backend.useTemplate([['$A'], [eos[0]]], [['$A'], [eos[0]], ['$B'], [eos[0]]], eos);
}

/** `<s> A </s>`, `<s> A </s> </s> B </s>`. */
function wrapAsRoberta(backend: Backend, open: string, close: string): void {
  const [bos, eos] = [backend.special(open), backend.special(close)];
  backend.useTemplate([[bos[0]], ['$A'], [eos[0]]], [[bos[0]], ['$A'], [eos[0]], [eos[0]], ['$B'], [eos[0]]], bos, eos);
}

/** The place of a piece among those that `isIt` accepts. */
const placeOf = (source: VocabularySource, piece: string, from = 0, score?: number): number => scoredPieces(source).findIndex(([text, its], i) => i >= from && text === piece && (score === undefined || its === score));

/** Vocabularies of fairseq: its special tokens go before SentencePiece's pieces, but for the first three of these, and others come after. */
function fairseq(first: string, last: (init: InitArguments) => readonly string[]) {
  return (init: InitArguments, source: VocabularySource): VocabularySource => {
    const name = (key: string, fallback: string): string => named(init, { tokens: { [key]: fallback } }, key);
    const before = [name(first, '<s>'), name('pad_token', '<pad>'), name('eos_token', '</s>'), name('unk_token', '<unk>')];
    const after = [...last(init), name('mask_token', '<mask>')];
    return { ...source, vocabulary: [...before.map((piece) => [piece, 0]), ...scoredPieces(source).slice(3), ...after.map((piece) => [piece, 0])] };
  };
}

const albert: TokenizerClass = {
  files: ['spiece.model'],
  kind: 'Unigram',
  tokens: albertTokens,
  pipeline: (init, source) => ({
    model: unigram(scoredPieces(source), 1),
    normalizer: normalizers(
      ...quotes,
      ...(init.optionalFlag('keep_accents', false) ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
      init.optionalFlag('do_lower_case', true) ? { type: 'Lowercase' } : undefined,
      precompiled(source.characterMap),
    ),
    ...spaces(init, true),
    postProcessor: (idOf) => {
      const [cls, sep] = [idOf(named(init, albert, 'cls_token')), idOf(named(init, albert, 'sep_token'))];
      if (cls === undefined || sep === undefined) throw new ReferenceFailure('its vocabulary lacks the special tokens of the class');
      const token = (piece: string, id: number): Part => ({ id: piece, ids: [id], tokens: [piece] });
      const piece = (id: string, type: number): Part => ({ SpecialToken: { id, type_id: type } });
      const text = (id: string, type: number): Part => ({ Sequence: { id, type_id: type } });
      return {
        type: 'TemplateProcessing',
        single: [piece('[CLS]', 0), text('A', 0), piece('[SEP]', 0)],
        pair: [piece('[CLS]', 0), text('A', 0), piece('[SEP]', 0), text('B', 1), piece('[SEP]', 1)],
        special_tokens: { '[CLS]': token('[CLS]', cls), '[SEP]': token('[SEP]', sep) },
      };
    },
  }),
};

const barthez: TokenizerClass = {
  files: ['sentencepiece.bpe.model'],
  tokens: robertaTokens,
  flags: stripsMask,
  pipeline: (init, source) => ({
    model: unigram(scoredPieces(source), 3),
    normalizer: normalizers(replace(regex('\\s{2,}|[\\n\\r\\t]'), ' '), { type: 'NFC' }, { type: 'Strip', strip_left: false, strip_right: true }),
    ...spaces(init, false),
  }),
};

const bigBird: TokenizerClass = {
  files: ['spiece.model'],
  kind: 'Unigram',
  tokens: { unk_token: '<unk>', bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', sep_token: '[SEP]', mask_token: '[MASK]', cls_token: '[CLS]' },
  flags: { unk_token: {}, bos_token: {}, eos_token: {}, pad_token: {}, sep_token: {}, cls_token: {}, ...stripsMask },
  pipeline: (init, source) => {
    const place = placeOf(source, named(init, bigBird, 'unk_token'), 0, 0);
    return { model: unigram(scoredPieces(source), place === -1 ? 100 : place), normalizer: normalizers({ type: 'Strip', strip_left: false, strip_right: false }, manySpaces('▁')), ...spaces(init, false) };
  },
  finish: wrapAsBert,
};

const camembert: TokenizerClass = {
  files: ['sentencepiece.bpe.model'],
  tokens: robertaTokens,
  flags: { mask_token: { stripsLeft: true, isSpecial: true } },
  extras: (init) => init.tokens('additional_special_tokens') ?? ['<s>NOTUSED', '</s>NOTUSED', '<unk>NOTUSED'],
  fromSentencePiece: (init, source) => {
    const before = ['<s>NOTUSED', named(init, camembert, 'pad_token'), '</s>NOTUSED', named(init, camembert, 'unk_token')].map((piece) => [piece, 0]);
    return { ...source, vocabulary: [...before, ['<unk>NOTUSED', -100], ...scoredPieces(source).slice(1), [named(init, camembert, 'mask_token'), 0]] };
  },
  pipeline: (init, source) => ({ model: unigram(scoredPieces(source), Math.max(0, placeOf(source, named(init, camembert, 'unk_token')))), normalizer: precompiled(source.characterMap), ...spaces(init, true) }),
  finish: (backend) => wrapAsRoberta(backend, 'bos_token', 'eos_token'),
};

const debertaV2: TokenizerClass = {
  files: ['spm.model'],
  kind: 'Unigram',
  tokens: { bos_token: '[CLS]', eos_token: '[SEP]', unk_token: '[UNK]', sep_token: '[SEP]', pad_token: '[PAD]', cls_token: '[CLS]', mask_token: '[MASK]' },
  pipeline: (init, source) => {
    const place = placeOf(source, named(init, debertaV2, 'unk_token'), 0, 0);
    const step = metaspace(init.flag('add_prefix_space', true) ? 'always' : 'first');
    return {
      model: unigram(scoredPieces(source), place === -1 ? init.integer('unk_id', 1) : place),
      normalizer: normalizers(init.optionalFlag('do_lower_case', false) ? { type: 'Lowercase' } : undefined, replace(regex('\\s{2,}|[\\n\\r\\t]'), ' '), { type: 'NFC' }, { type: 'Strip', strip_left: false, strip_right: true }),
      preTokenizer: preTokenizers(init.optionalFlag('split_by_punct', false) ? { type: 'Punctuation', behavior: 'Isolated' } : undefined, step),
      decoder: step,
    };
  },
  finish: wrapAsBert,
};

/** T5's sentinels: those that the settings name, or a hundred. */
function sentinels(init: InitArguments): readonly TokenValue[] {
  const count = init.integer('extra_ids', 100);
  if (count > 10_000) throw new ReferenceFailure('"extra_ids" in tokenizer_config.json is far too large');
  const own = Array.from({ length: count }, (_, i) => `<extra_id_${i}>`);
  const given = init.tokens('additional_special_tokens');
  if (given === undefined) return own;
  const numGiven = given.filter((token) => contentOf(token).includes('<extra_id_')).length;
  if (numGiven > 0 && count > 0 && numGiven !== count) throw new ReferenceFailure('"extra_ids" in tokenizer_config.json contradicts its tokens');
  return numGiven > 0 ? given : [...given, ...own];
}

const t5: TokenizerClass = {
  files: ['spiece.model'],
  kind: 'Unigram',
  tokens: { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
  extras: sentinels,
  fromSentencePiece: (init, source) => {
    const count = init.integer('extra_ids', 100);
    return { ...source, vocabulary: [...scoredPieces(source), ...Array.from({ length: Math.min(count, 10_000) }, (_, i) => [`<extra_id_${count - 1 - i}>`, 0])] };
  },
  pipeline: (_init, source) => ({ model: unigram(scoredPieces(source), 2), normalizer: precompiled(source.characterMap), ...allSpaces(true) }),
  finish: endEach,
};

const udop: TokenizerClass = {
  ...t5,
  tokens: { eos_token: '</s>', sep_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' },
  extras: (init) => init.tokens('additional_special_tokens'),
  pipeline: (init, source) => {
    const place = placeOf(source, named(init, udop, 'unk_token'));
    return { model: unigram(scoredPieces(source), place === -1 ? 2 : place), ...allSpaces(true) };
  },
};

/** `A </s> en_XX`: a language code at the end. */
function endInLanguage(backend: Backend, init: InitArguments): void {
  const eos = backend.special('eos_token');
  const language = backend.idOrUnknown(init.text('src_lang', undefined) ?? 'en_XX');
  const code = [backend.added.at(language)?.content ?? backend.model.vocabulary.pieceOf(language) ?? '', language] as const;
  backend.useTemplate([['$A'], [eos[0]], [code[0]]], [['$A'], ['$B'], [eos[0]], [code[0]]], eos, code);
}

/** `en_XX A </s>`: a language code in front. */
function startInLanguage(backend: Backend, init: InitArguments): void {
  const eos = backend.special('eos_token');
  const language = backend.idOrUnknown(init.text('src_lang', undefined) ?? 'en_XX');
  const code = [backend.added.at(language)?.content ?? backend.model.vocabulary.pieceOf(language) ?? '', language] as const;
  backend.useTemplate([[code[0]], ['$A'], [eos[0]]], [[code[0]], ['$A'], ['$B'], [eos[0]]], code, eos);
}

const mbart: TokenizerClass = {
  files: ['sentencepiece.bpe.model'],
  kind: 'Unigram',
  tokens: robertaTokens,
  flags: stripsMask,
  extras: (init) => [...new Set([...mbartLanguages.split(' '), ...(init.tokens('additional_special_tokens') ?? [])])],
  fromSentencePiece: fairseq('bos_token', () => mbartLanguages.split(' ')),
  pipeline: (_init, source) => ({ model: unigram(scoredPieces(source), 3), ...allSpaces(true) }),
  finish: endInLanguage,
};

const mbart50: TokenizerClass = {
  ...mbart,
  tokens: { eos_token: '</s>', sep_token: '</s>', cls_token: '<s>', unk_token: '<unk>', pad_token: '<pad>', mask_token: '<mask>' },
  extras: (init) => [...(init.tokens('additional_special_tokens') ?? []), ...mbart50Languages.split(' ')],
  fromSentencePiece: fairseq('cls_token', () => mbart50Languages.split(' ')),
  pipeline: (init, source) => {
    const given = scoredPieces(source);
    const codes = mbart50Languages.split(' ');
    const hasCodes = given.some(([piece]) => codes.includes(piece));
    const pieces = hasCodes ? given : scoredPieces(fairseq('cls_token', () => codes)(init, source));
    return { model: unigram(pieces, 3), normalizer: normalizers(precompiled(source.characterMap), manySpaces(' ')), ...allSpaces(false) };
  },
  finish: (backend, init) => {
    const language = init.text('src_lang', undefined) ?? 'en_XX';
    if (!mbart50Languages.split(' ').includes(language)) throw new ReferenceFailure(`"${language}" is none of its languages`);
    startInLanguage(backend, init);
  },
};

const mluke: TokenizerClass = {
  files: ['sentencepiece.bpe.model', 'entity_vocab.json'],
  tokens: { ...robertaTokens, ...entityTokens },
  flags: stripsMask,
  extras: (init) => withEntityTokens(init, Object.values(entityTokens)),
  pipeline: (_init, source) => ({ model: unigram(scoredPieces(source), 0), normalizer: normalizers(...quotes), ...allSpaces(false) }),
  finish: (backend) => {
    backend.addSpecialAgain();
    const [cls, sep] = [backend.special('cls_token'), backend.special('sep_token')];
    backend.useTemplate([[cls[0]], ['$A'], [sep[0]]], [[cls[0]], ['$A'], [sep[0]], [sep[0]], ['$B', 1], [sep[0], 1]], cls, sep);
  },
};

const pegasus: TokenizerClass = {
  files: ['spiece.model'],
  kind: 'Unigram',
  tokens: { pad_token: '<pad>', eos_token: '</s>', unk_token: '<unk>', mask_token: '<mask_2>' },
  extras: (init) => {
    const sentence = init.text('mask_token_sent', '<mask_1>') ?? '<mask_1>';
    const isNamed = init.tokens('additional_special_tokens')?.some((token) => contentOf(token) === sentence) ?? false;
    return [...(isNamed ? [] : [sentence]), ...Array.from({ length: Math.max(0, Math.min(init.integer('offset', 103), 10_000) - 2) }, (_, i) => `<unk_${i + 2}>`)];
  },
  fromSentencePiece: (init, source) => {
    const [mask, sentence] = [init.text('mask_token', '<mask_1>') ?? '<mask_1>', init.text('mask_token_sent', '<mask_2>') ?? '<mask_2>'];
    const before = ['<pad>', '</s>', mask, ...(sentence === mask ? [] : [sentence])].map((piece) => [piece, 0]);
    const unknown = Array.from({ length: Math.max(0, Math.min(init.integer('offset', 103), 10_000) - 2) }, (_, i) => [`<unk_${i + 2}>`, -100]);
    return { ...source, vocabulary: [...before, ...unknown, ...scoredPieces(source).slice(2)] };
  },
  pipeline: (init, source) => ({
    model: unigram(scoredPieces(source), placeOf(source, named(init, pegasus, 'unk_token'), 1, 0)),
    normalizer: normalizers(precompiled(source.characterMap) ?? replace(regex('\\n'), ' '), manySpaces(' ')),
    ...allSpaces(false),
  }),
  finish: (backend) => {
    const eos = backend.special('eos_token');
    backend.useTemplate([['$A'], [eos[0]]], [['$A'], ['$B'], [eos[0]]], eos);
  },
};

const remBert: TokenizerClass = {
  files: ['sentencepiece.model'],
  kind: 'Unigram',
  tokens: albertTokens,
  pipeline: (init, source) => ({
    model: unigram(scoredPieces(source), 2),
    normalizer: normalizers(
      ...quotes,
      manySpaces(' '),
      ...(init.optionalFlag('keep_accents', true) ? [] : [{ type: 'NFKD' }, { type: 'StripAccents' }]),
      init.optionalFlag('do_lower_case', false) ? { type: 'Lowercase' } : undefined,
      precompiled(source.characterMap),
    ),
    ...spaces(init, false),
  }),
  finish: (backend) => {
    wrapAsBert(backend);
    backend.addSpecialAgain();
  },
};

const xglm: TokenizerClass = {
  files: [],
  kind: 'Unigram',
  tokens: { bos_token: '<s>', eos_token: '</s>', sep_token: '</s>', cls_token: '<s>', unk_token: '<unk>', pad_token: '<pad>' },
  extras: (init) => {
    const given = init.tokens('additional_special_tokens') ?? [];
    return [...given, ...Array.from({ length: 7 }, (_, i) => `<madeupword${i}>`).filter((word) => !given.some((token) => contentOf(token) === word))];
  },
  pipeline: (init, source) => ({ model: unigram(scoredPieces(source), 3), normalizer: normalizers(precompiled(source.characterMap), manySpaces(' ')), ...spaces(init, false) }),
  finish: (backend) => {
    const [bos, eos] = [backend.special('bos_token'), backend.special('eos_token')];
    backend.useTemplate([[eos[0]], ['$A']], [[eos[0]], ['$A'], [eos[0]], [eos[0]], ['$B']], bos, eos);
  },
};

const xlmRoberta: TokenizerClass = {
  files: ['sentencepiece.bpe.model'],
  kind: 'Unigram',
  tokens: robertaTokens,
  fromSentencePiece: fairseq('bos_token', () => []),
  pipeline: (init, source) => ({ model: unigram(scoredPieces(source), 3), normalizer: precompiled(source.characterMap), ...spaces(init, true) }),
  finish: (backend) => wrapAsRoberta(backend, 'bos_token', 'eos_token'),
};

const layoutXlm: TokenizerClass = {
  files: ['sentencepiece.bpe.model'],
  kind: 'Unigram',
  tokens: robertaTokens,
  flags: stripsMask,
  fromSentencePiece: fairseq('bos_token', () => []),
  pipeline: (init, source) => ({ model: unigram(scoredPieces(source), 3), normalizer: normalizers({ type: 'Strip', strip_left: false, strip_right: true }, manySpaces('▁')), ...spaces(init, false) }),
  finish: (backend) => wrapAsRoberta(backend, 'cls_token', 'sep_token'),
};

const xlnet: TokenizerClass = {
  files: ['spiece.model'],
  kind: 'Unigram',
  padsLeft: true,
  tokens: { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', sep_token: '<sep>', pad_token: '<pad>', cls_token: '<cls>', mask_token: '<mask>' },
  flags: stripsMask,
  extras: (init) => init.tokens('additional_special_tokens') ?? ['<eop>', '<eod>'],
  pipeline: (init, source) => ({
    model: unigram(scoredPieces(source), init.integer('unk_id', 0)),
    normalizer: normalizers(...quotes, { type: 'NFKD' }, { type: 'StripAccents' }, init.optionalFlag('do_lower_case', false) ? { type: 'Lowercase' } : undefined, precompiled(source.characterMap)),
    ...allSpaces(true),
  }),
  finish: (backend) => {
    const [sep, cls] = [backend.special('sep_token'), backend.special('cls_token')];
    backend.useTemplate([['$A'], [sep[0]], [cls[0], 2]], [['$A'], [sep[0]], ['$B', 1], [sep[0], 1], [cls[0], 2]], sep, cls);
  },
};

/** Classes whose model is Unigram, with SentencePiece's spaces. */
export const unigramClasses: Readonly<Record<string, TokenizerClass>> = {
  AlbertTokenizer: albert,
  BarthezTokenizer: barthez,
  BigBirdTokenizer: bigBird,
  CamembertTokenizer: camembert,
  DebertaV2Tokenizer: debertaV2,
  FNetTokenizer: { ...albert, takesWhole: true },
  LasrTokenizer: { ...t5, pipeline: (init, source) => ({ ...t5.pipeline(init, source), model: unigram(scoredPieces(source), 3) }) , fromSentencePiece: (_init, source) => source },
  LayoutXLMTokenizer: layoutXlm,
  MBart50Tokenizer: mbart50,
  MBartTokenizer: mbart,
  MLukeTokenizer: mluke,
  PegasusTokenizer: pegasus,
  RemBertTokenizer: remBert,
  T5Tokenizer: t5,
  UdopTokenizer: { ...udop, fromSentencePiece: (_init, source) => source },
  VideoPrismTokenizer: { ...t5, finish: () => {} },
  XGLMTokenizer: xglm,
  XLMRobertaTokenizer: xlmRoberta,
  XLNetTokenizer: xlnet,
};
