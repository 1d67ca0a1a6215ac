import type { InitArguments } from '../initArguments';
import { entityTokens, withEntityTokens } from './entityTokens';
import { byteLevel, byteLevelDecoder, normalizers, type Part, preTokenizers, regex, replace, split } from '../parts';
import { ReferenceFailure } from '../referenceFailure';
import type { VocabularySource } from '../vocabularySource';
import { bpe } from './models';
import { named, type TokenizerClass } from './tokenizerClass';

const files = ['vocab.json', 'merges.txt'];
const endOfText = '<|endoftext|>';
const robertaTokens = {
  bos_token: '<s>',
  eos_token: '</s>',
  sep_token: '</s>',
  cls_token: '<s>',
  unk_token: '<unk>',
  pad_token: '<pad>',
  mask_token: '<mask>',
};
const addsSpace = (init: InitArguments, fallback = false): boolean => init.flag('add_prefix_space', fallback);

/** Bytes as GPT-2 cuts them. */
function gpt2Pipeline(
  init: InitArguments,
  source: VocabularySource,
  fallback = false,
): { model: Part; preTokenizer: Part; decoder: Part } {
  return {
    model: bpe(source, { continuing_subword_prefix: '', end_of_word_suffix: '' }),
    preTokenizer: byteLevel(addsSpace(init, fallback)),
    decoder: byteLevelDecoder,
  };
}

const gpt2: TokenizerClass = {
  files,
  kind: 'BPE',
  tokens: { unk_token: endOfText, bos_token: endOfText, eos_token: endOfText, pad_token: null },
  pipeline: (init, source) => gpt2Pipeline(init, source),
};

const roberta: TokenizerClass = {
  files,
  kind: 'BPE',
  tokens: robertaTokens,
  pipeline: (init, source) => gpt2Pipeline(init, source),
  finish: (backend, init) => {
    backend.postProcessor = {
      type: 'RobertaProcessing',
      sep: backend.special('sep_token'),
      cls: backend.special('cls_token'),
      trim_offsets: init.flag('trim_offsets', true),
      add_prefix_space: addsSpace(init),
    };
  },
};

const deberta: TokenizerClass = {
  files,
  kind: 'BPE',
  tokens: {
    bos_token: '[CLS]',
    eos_token: '[SEP]',
    sep_token: '[SEP]',
    cls_token: '[CLS]',
    unk_token: '[UNK]',
    pad_token: '[PAD]',
    mask_token: '[MASK]',
  },
  pipeline: (init, source) => gpt2Pipeline(init, source),
  finish: (backend) => {
    const [cls, sep] = [backend.special('cls_token'), backend.special('sep_token')];
    backend.useTemplate(
      [[cls[0]], ['$A'], [sep[0]]],
      [[cls[0]], ['$A'], [sep[0]], [sep[0]], ['$B'], [sep[0]]],
      cls,
      sep,
    );
  },
};

const markupLm: TokenizerClass = {
  ...deberta,
  tokens: robertaTokens,
  flags: {
    bos_token: {},
    eos_token: {},
    sep_token: {},
    cls_token: {},
    unk_token: {},
    pad_token: {},
    mask_token: { stripsLeft: true },
  },
  finish: (backend, init) => {
    if (!init.has('tags_dict')) throw new ReferenceFailure('tokenizer_config.json lacks "tags_dict"');
    const [cls, sep] = [backend.special('cls_token'), backend.special('sep_token')];
    backend.useTemplate([[cls[0]], ['$A'], [sep[0]]], [[cls[0]], ['$A'], [sep[0]], ['$B'], [sep[0]]], cls, sep);
  },
};

const blenderbot: TokenizerClass = {
  files,
  kind: 'BPE',
  tokens: robertaTokens,
  flags: { mask_token: { stripsLeft: true, isNormalized: false } },
  pipeline: (init, source) => gpt2Pipeline(init, source, true),
};

const layoutLmv3: TokenizerClass = {
  ...blenderbot,
  flags: {},
  finish: (backend, init) => {
    backend.postProcessor = {
      type: 'RobertaProcessing',
      sep: backend.special('sep_token'),
      cls: backend.special('cls_token'),
      trim_offsets: true,
      add_prefix_space: addsSpace(init, true),
    };
  },
};

const clip: TokenizerClass = {
  files,
  kind: 'BPE',
  tokens: { unk_token: endOfText, bos_token: '<|startoftext|>', eos_token: endOfText, pad_token: endOfText },
  pipeline: (init, source) => ({
    model: bpe(source, {
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      unk_token: named(init, clip, 'unk_token'),
    }),
    normalizer: normalizers({ type: 'NFC' }, replace(regex('\\s+'), ' '), { type: 'Lowercase' }),
    preTokenizer: preTokenizers(
      split(
        regex("<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"),
        'Removed',
        true,
      ),
      byteLevel(false),
    ),
    decoder: byteLevelDecoder,
  }),
  finish: (backend) => {
    backend.postProcessor = {
      type: 'RobertaProcessing',
      sep: backend.special('eos_token'),
      cls: backend.special('bos_token'),
      trim_offsets: false,
      add_prefix_space: false,
    };
  },
};

const codeGen: TokenizerClass = {
  ...gpt2,
  pipeline: (init, source) => ({
    ...gpt2Pipeline(init, source),
    postProcessor: () => byteLevel(true, { trimsOffsets: false }),
  }),
};

const cohere: TokenizerClass = {
  files,
  kind: 'BPE',
  padsLeft: true,
  tokens: {
    unk_token: '<UNK>',
    bos_token: '<BOS_TOKEN>',
    eos_token: '<|END_OF_TURN_TOKEN|>',
    pad_token: '<PAD>',
    cls_token: '<CLS>',
    sep_token: '<SEP>',
    mask_token: '<MASK_TOKEN>',
  },
  pipeline: (init, source) => ({
    ...gpt2Pipeline(init, source),
    normalizer: { type: 'NFC' },
    preTokenizer: preTokenizers({ type: 'Digits', individual_digits: true }, byteLevel(addsSpace(init))),
  }),
  finish: (backend) => backend.addSpecialAgain(),
};

const gptNeoX: TokenizerClass = {
  files,
  kind: 'BPE',
  tokens: { unk_token: endOfText, bos_token: endOfText, eos_token: endOfText, pad_token: '<|padding|>' },
  pipeline: (init, source) => ({ ...gpt2Pipeline(init, source), normalizer: { type: 'NFC' } }),
  finish: (backend) => backend.updatePostProcessor(),
};

const nougat: TokenizerClass = {
  files,
  kind: 'BPE',
  tokens: { unk_token: '<unk>', bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>' },
  pipeline: (_init, source) => ({
    model: bpe(source, { continuing_subword_prefix: '', end_of_word_suffix: '' }),
    normalizer: { type: 'NFKC' },
    preTokenizer: preTokenizers(
      split({ String: 'SPL1T-TH1S-Pl3A5E' }, 'Removed'),
      { type: 'Digits', individual_digits: true },
      // The reference library looks for this expression as a text.
      split({ String: '[\\(\\)\\[\\]\\{\\}]|([!\\"#\\$%\\&\'\\*\\+,\\-\\./:;<=>\\?\\\\\\^_`\\|\\~])\\1*' }, 'Isolated'),
      split({ String: '\n' }, 'Isolated'),
      byteLevel(false),
    ),
    decoder: byteLevelDecoder,
  }),
  finish: (backend) => {
    const [bos, eos] = [backend.special('bos_token'), backend.special('eos_token')];
    backend.useTemplate([[bos[0]], ['$A'], [eos[0]]], [['$A'], ['$B', 1]], bos, eos);
  },
};

/** Words as Qwen cuts them, with or without marks among the letters. */
const qwenWords = (letters: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?${letters}+|\\p{N}| ?[^\\s${letters.startsWith('[') ? '\\p{L}\\p{M}' : '\\p{L}'}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** Qwen's classes, which differ in what a word is. */
function qwen(words: string): TokenizerClass {
  return {
    files,
    kind: 'BPE',
    tokens: { unk_token: endOfText, bos_token: null, eos_token: endOfText, pad_token: endOfText },
    pipeline: (init, source) => ({
      model: bpe(source, { continuing_subword_prefix: '', end_of_word_suffix: '', byte_fallback: false }),
      normalizer: { type: 'NFC' },
      preTokenizer: preTokenizers(
        split(regex(words), 'Isolated'),
        byteLevel(init.optionalFlag('add_prefix_space', false) ?? false, { usesWords: false }),
      ),
      decoder: byteLevelDecoder,
    }),
  };
}

const whisper: TokenizerClass = {
  ...gpt2,
  tokens: { unk_token: endOfText, bos_token: endOfText, eos_token: endOfText },
  flags: { unk_token: { isSpecial: true }, bos_token: { isSpecial: true }, eos_token: { isSpecial: true } },
  finish: (backend, init) => {
    const task = init.text('task', undefined);
    const prefixes = [
      '<|startoftranscript|>',
      ...(task === undefined ? [] : [`<|${task}|>`]),
      ...(init.raw('predict_timestamps') === true ? [] : ['<|notimestamps|>']),
    ].map((token) => {
      const id = backend.idOrUnknown(token);
      return [backend.added.at(id)?.content ?? backend.model.vocabulary.pieceOf(id) ?? token, id] as const;
    });
    const eos = backend.special('eos_token');
    const before = prefixes.map(([token]) => [token] as const);
    backend.useTemplate([...before, ['$A'], [eos[0]]], [...before, ['$A'], ['$B', 1], [eos[0], 1]], eos, ...prefixes);
  },
};

const luke: TokenizerClass = {
  ...gpt2,
  files: ['vocab.json', 'merges.txt', 'entity_vocab.json'],
  tokens: { ...robertaTokens, ...entityTokens },
  extras: (init) => withEntityTokens(init, []),
};

/** Classes whose model works on bytes, as GPT-2's does. */
export const byteLevelClasses: Readonly<Record<string, TokenizerClass>> = {
  BlenderbotTokenizer: blenderbot,
  CLIPTokenizer: clip,
  CodeGenTokenizer: codeGen,
  CohereTokenizer: cohere,
  DebertaTokenizer: deberta,
  GPT2Tokenizer: gpt2,
  GPTNeoXTokenizer: gptNeoX,
  LayoutLMv3Tokenizer: layoutLmv3,
  LukeTokenizer: luke,
  MarkupLMTokenizer: markupLm,
  NougatTokenizer: nougat,
  Qwen2Tokenizer: {
    ...qwen(qwenWords('\\p{L}')),
    finish: (backend) =>
      backend.addSpecial([
        ...new Set(
          [...backend.named.values(), ...backend.extras].map((token) =>
            typeof token === 'string' ? token : token.content,
          ),
        ),
      ]),
  },
  Qwen3_5Tokenizer: { ...qwen(qwenWords('[\\p{L}\\p{M}]')), files: ['tokenizer.model'] },
  RobertaTokenizer: roberta,
  WhisperTokenizer: whisper,
};
