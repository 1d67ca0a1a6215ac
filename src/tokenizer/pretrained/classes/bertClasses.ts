import type { Backend } from '../backend';
import type { InitArguments } from '../initArguments';
import type { Part } from '../parts';
import { wordPiece } from './models';
import { named, type TokenizerClass } from './tokenizerClass';

const bertTokens = {
  unk_token: '[UNK]',
  sep_token: '[SEP]',
  pad_token: '[PAD]',
  cls_token: '[CLS]',
  mask_token: '[MASK]',
};

/** BERT's clean-up, as the settings say. */
function bertNormalizer(init: InitArguments, cleans = true): Part {
  return {
    type: 'BertNormalizer',
    clean_text: cleans,
    handle_chinese_chars: init.flag('tokenize_chinese_chars', true),
    strip_accents: init.optionalFlag('strip_accents') ?? null,
    lowercase: init.flag('do_lower_case', true),
  };
}

/** `[CLS] A [SEP]`, `[CLS] A [SEP] B [SEP]` with types 0 and 1. */
function wrapAsBert(backend: Backend, clsType = 0): void {
  const [cls, sep] = [backend.special('cls_token'), backend.special('sep_token')];
  backend.useTemplate(
    [[cls[0], clsType], ['$A'], [sep[0]]],
    [[cls[0], clsType], ['$A'], [sep[0]], ['$B', 1], [sep[0], 1]],
    cls,
    sep,
  );
}

const bert: TokenizerClass = {
  files: ['vocab.txt'],
  kind: 'WordPiece',
  tokens: bertTokens,
  pipeline: (init, source) => ({
    model: wordPiece(source, named(init, bert, 'unk_token')),
    normalizer: bertNormalizer(init),
    preTokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  }),
  finish: (backend) => wrapAsBert(backend),
};

/** The classes of DPR, which take no heed of `do_lower_case`. */
const dpr: TokenizerClass = {
  ...bert,
  pipeline: (init, source) => ({
    ...bert.pipeline(init, source),
    normalizer: { ...bertNormalizer(init), lowercase: true },
  }),
};

/** `<s> A </s>` as BERT's fast post-processors make it. */
function wrapAsRoberta(backend: Backend, trimsOffsets: boolean, addsSpace: boolean): void {
  backend.postProcessor = {
    type: 'RobertaProcessing',
    sep: backend.special('sep_token'),
    cls: backend.special('cls_token'),
    trim_offsets: trimsOffsets,
    add_prefix_space: addsSpace,
  };
}

const mpnet: TokenizerClass = {
  ...bert,
  tokens: {
    bos_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    cls_token: '<s>',
    unk_token: '[UNK]',
    pad_token: '<pad>',
    mask_token: '<mask>',
  },
  flags: {
    bos_token: {},
    eos_token: {},
    sep_token: {},
    cls_token: {},
    unk_token: {},
    pad_token: {},
    mask_token: { stripsLeft: true },
  },
  pipeline: (init, source) => ({
    ...bert.pipeline(init, source),
    model: wordPiece(source, named(init, mpnet, 'unk_token')),
  }),
  finish: (backend) => wrapAsRoberta(backend, true, false),
};

const funnel: TokenizerClass = {
  ...bert,
  tokens: {
    unk_token: '<unk>',
    sep_token: '<sep>',
    pad_token: '<pad>',
    cls_token: '<cls>',
    mask_token: '<mask>',
    bos_token: '<s>',
    eos_token: '</s>',
  },
  pipeline: (init, source) => ({
    ...bert.pipeline(init, source),
    model: wordPiece(source, named(init, funnel, 'unk_token')),
    normalizer: bertNormalizer(init, init.flag('clean_text', true)),
    decoder: { type: 'WordPiece', prefix: init.text('wordpieces_prefix', '##'), cleanup: true },
  }),
  finish: (backend) => wrapAsBert(backend, 2),
};

const splinter: TokenizerClass = {
  ...bert,
  tokens: { ...bertTokens, question_token: '[QUESTION]' },
  finish: (backend, init) => {
    const [cls, sep, question] = [
      backend.special('cls_token'),
      backend.special('sep_token'),
      backend.special('question_token'),
    ];
    const dot = ['.', backend.idOrUnknown('.')] as const;
    const isRight = init.text('padding_side', 'right') === 'right';
    const asked = [[question[0]], [dot[0]]] as const;
    const pair = isRight
      ? ([[cls[0]], ['$A'], ...asked, [sep[0]], ['$B', 1], [sep[0], 1]] as const)
      : ([[cls[0]], ['$A'], [sep[0]], ['$B', 1], ...asked, [sep[0], 1]] as const);
    backend.useTemplate([[cls[0]], ['$A'], [sep[0]]], pair, cls, sep, question, dot);
  },
};

/** Classes whose model is WordPiece. */
export const bertClasses: Readonly<Record<string, TokenizerClass>> = {
  BertTokenizer: bert,
  ConvBertTokenizer: { ...bert, takesWhole: true },
  DistilBertTokenizer: bert,
  DPRContextEncoderTokenizer: dpr,
  DPRQuestionEncoderTokenizer: dpr,
  DPRReaderTokenizer: dpr,
  FunnelTokenizer: funnel,
  LayoutLMv2Tokenizer: bert,
  MPNetTokenizer: mpnet,
  SplinterTokenizer: splinter,
};
