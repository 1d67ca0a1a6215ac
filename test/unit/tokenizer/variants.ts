import { readFileSync } from 'node:fs';
import { makeCharacterMap } from './characterMap';

/** A tokenizer.json as an object, to be edited. */
export type Config = Record<string, any>;

const readZoo = (name: string): Config =>
  JSON.parse(readFileSync(`test/fixtures/zoo/tokenizer.${name}/tokenizer.json`, 'utf8')) as Config;
const zoo = {
  bertCased: readZoo('bert_cased'),
  bertUncased: readZoo('bert_uncased'),
  gpt2: readZoo('gpt2'),
  llama: readZoo('llama'),
  qwen: readZoo('qwen'),
  roberta: readZoo('roberta'),
  t5: readZoo('t5'),
};

const seq = (type: 'normalizers' | 'pretokenizers' | 'processors', ...parts: Config[]): Config => ({
  type: 'Sequence',
  [type]: parts,
});
const regex = (source: string): Config => ({ Regex: source });
const split = (pattern: Config, behavior: string, invert = false): Config => ({
  type: 'Split',
  pattern,
  behavior,
  invert,
});
const byteLevel = (options: Config = {}): Config => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: true,
  ...options,
});
const metaspace = (prepend_scheme: string, options: Config = {}): Config => ({
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme,
  split: true,
  ...options,
});
const bertNormalizer = (options: Config = {}): Config => ({
  type: 'BertNormalizer',
  clean_text: false,
  handle_chinese_chars: false,
  strip_accents: false,
  lowercase: false,
  ...options,
});
const added = (content: string, options: Config = {}): Config => ({
  id: 5000,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: false,
  ...options,
});
const withAdded = (base: Config, ...tokens: Config[]): Config => ({
  ...base,
  added_tokens: [...base['added_tokens'], ...tokens],
});
const withModel = (base: Config, options: Config): Config => ({ ...base, model: { ...base['model'], ...options } });
const without = (vocab: Config, test: (piece: string) => boolean): Config =>
  Object.fromEntries(Object.entries(vocab).filter(([piece]) => !test(piece)));

/** A byte-pair encoding over letters, with what real files of 2019 have: a word-end suffix, string merges, missing letters. */
const letters = [...'abcdefghijklmnoprstuvwyzABCDEFGHIJKLMNOPRSTUVWYZ0123456789.,;()[]{}<>=+-*/"\'_é力한'];
const suffixBpe = (options: Config = {}): Config => {
  const pieces = [
    '<unk>',
    ...letters,
    ...letters.map((letter) => `${letter}</w>`),
    'th',
    'the</w>',
    'in',
    're',
    'ret',
    'he</w>',
    'er</w>',
  ];
  return {
    ...zoo.gpt2,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: { type: 'BPEDecoder', suffix: '</w>' },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      end_of_word_suffix: '</w>',
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges: ['#version: 0.2', 't h', 'th e</w>', 'i n', 'r e', 're t', 'h e</w>', 'e r</w>'],
      ...options,
    },
  };
};
const prefixBpe = (options: Config = {}): Config => {
  const pieces = [
    '<unk>',
    ...letters,
    ...letters.map((letter) => `##${letter}`),
    'th',
    'the',
    '##in',
    '##ing',
    '##er',
    're',
  ];
  return suffixBpe({
    end_of_word_suffix: null,
    continuing_subword_prefix: '##',
    vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
    merges: ['t ##h', 'th ##e', '##i ##n', '##in ##g', '##e ##r', 'r ##e'],
    ...options,
  });
};
const wordLevel = (options: Config = {}): Config => ({
  ...zoo.gpt2,
  added_tokens: [added('<unk>', { special: true })],
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: {
    type: 'WordLevel',
    unk_token: '<unk>',
    vocab: { '<unk>': 0, the: 1, def: 2, '(': 3, return: 4, é: 5, 力: 6, self: 7, "'": 8 },
  },
  ...options,
});
const normalized = (...normalizers: Config[]): Config => ({
  ...zoo.llama,
  normalizer: seq('normalizers', ...normalizers),
});
const preTokenized = (...pretokenizers: Config[]): Config => ({
  ...zoo.t5,
  normalizer: null,
  pre_tokenizer: seq('pretokenizers', ...pretokenizers),
});

/** Rules of the kinds that SentencePiece compiles: folding, expansion, composition of clusters, removal. */
const characterMap = makeCharacterMap({
  '\u00a0': ' ',
  '\u3000': ' ',
  '\t': ' ',
  ﬁ: 'fi',
  Ⅷ: 'VIII',
  '½': '1\u20442',
  '①': '1',
  '㍿': '株式会社',
  'e\u0301': 'é',
  'a\u0323': 'ạ',
  'カ\u3099': 'ガ',
  ｶ: 'カ',
  ﾞ: '\u3099',
  ｶﾞ: 'ガ',
  '\u212b': 'Å',
  '𝒳': 'X',
  ß: 'ss',
  '\u0344': '\u0308\u0301',
  '\u200b': ' ',
  '각\u11a8': '갂',
  ab: 'x',
});

const template = (special: Config[]): Config => ({
  type: 'TemplateProcessing',
  single: special,
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: {
    '[X]': { id: '[X]', ids: [1, 2], tokens: ['[X1]', '[X2]'] },
    '[Y]': { id: '[Y]', ids: [3], tokens: ['[Y]'] },
  },
});
const sequenceA = { Sequence: { id: 'A', type_id: 0 } };
const special = (id: string): Config => ({ SpecialToken: { id, type_id: 0 } });

/** Oniguruma expressions of real tokenizers, and corners of the syntax. */
const expressions = {
  gpt4: "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
  gpt4o:
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  deepseek:
    '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
  bloom: ' ?[^(\\s|[.,!?…。，、।۔،])]+',
  starcoder: '\\w+|[^\\w\\s]+|\\s',
  words: '\\b\\w+\\b',
  wordClasses: '[\\w]|[^\\w\\s]|[[:word:]&&[^a-z]]',
  notWords: '\\B\\W',
  ascii: '[\\x20-\\x7e]+|(?<=\\d)\\D',
  empty: 'x*',
  cjk: '[\\u4e00-\\u9fff\\p{Hiragana}\\p{Katakana}]+',
  posix: '[[:punct:][:space:]]|[^[:alnum:]]',
  lines: '^\\s*|$',
  caseless: '(?i)straße|k|σ|im[a-d]?port',
};

/** Every zoo tokenizer, and others made of them, by name: each differs in what it is named for. */
export const variants: Readonly<Record<string, Config>> = {
  ...Object.fromEntries(Object.entries(zoo).map(([name, config]) => [`zoo ${name}`, config])),

  ...Object.fromEntries(
    ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'ByteLevel'].map((type) => [
      `normalizer ${type}`,
      normalized({ type }),
    ]),
  ),
  'normalizer Strip': normalized({ type: 'Strip', strip_left: true, strip_right: true }),
  'normalizer Strip left': normalized({ type: 'Strip', strip_left: true, strip_right: false }),
  'normalizer NFD, Lowercase, StripAccents': normalized(
    { type: 'NFD' },
    { type: 'Lowercase' },
    { type: 'StripAccents' },
  ),
  'normalizer NFKD, NFC': normalized({ type: 'NFKD' }, { type: 'NFC' }),
  'normalizer Replace string': normalized(
    { type: 'Replace', pattern: { String: 'e' }, content: '--' },
    { type: 'NFC' },
  ),
  'normalizer Replace by nothing': normalized(
    { type: 'Replace', pattern: regex('\\s'), content: '' },
    { type: 'Prepend', prepend: '▁' },
  ),
  'normalizer Replace empty match': normalized({ type: 'Replace', pattern: regex('x*'), content: '-' }),
  'normalizer Prepend nothing': normalized({ type: 'NFKC' }, { type: 'Prepend', prepend: '' }),
  'normalizer Prepend, NFKC, Strip': normalized(
    { type: 'Prepend', prepend: '▁x' },
    { type: 'NFKC' },
    { type: 'Strip', strip_left: false, strip_right: true },
  ),
  'normalizer Bert clean': normalized(bertNormalizer({ clean_text: true })),
  'normalizer Bert Chinese': normalized(bertNormalizer({ handle_chinese_chars: true })),
  'normalizer Bert accents': normalized(bertNormalizer({ strip_accents: true })),
  'normalizer Bert lowercase': normalized(bertNormalizer({ lowercase: true })),
  'normalizer Bert accents follow case': normalized(bertNormalizer({ lowercase: true, strip_accents: null })),
  'normalizer Precompiled': {
    ...zoo.t5,
    normalizer: seq(
      'normalizers',
      { type: 'Precompiled', precompiled_charsmap: characterMap },
      { type: 'Replace', pattern: regex(' {2,}'), content: '▁' },
    ),
  },

  ...Object.fromEntries(
    ['always', 'first', 'never'].flatMap((scheme) => [
      [`pre-tokenizer Metaspace ${scheme}`, { ...zoo.t5, pre_tokenizer: metaspace(scheme) }],
      [
        `pre-tokenizer Metaspace ${scheme}, no split`,
        { ...zoo.t5, pre_tokenizer: metaspace(scheme, { split: false }) },
      ],
      [
        `pre-tokenizer Metaspace ${scheme} on raw text`,
        withAdded(
          { ...zoo.t5, normalizer: null, pre_tokenizer: metaspace(scheme) },
          added('<extra>'),
          added('def', { rstrip: true, lstrip: true }),
        ),
      ],
    ]),
  ),
  'pre-tokenizer Metaspace astral': preTokenized({
    type: 'Metaspace',
    replacement: '𝒳',
    prepend_scheme: 'first',
    split: true,
  }),
  'pre-tokenizer Metaspace legacy': {
    ...zoo.t5,
    pre_tokenizer: { type: 'Metaspace', replacement: '_', add_prefix_space: true },
  },
  'pre-tokenizer Strip, Metaspace first': {
    ...zoo.t5,
    normalizer: { type: 'Strip', strip_left: true, strip_right: true },
    pre_tokenizer: metaspace('first'),
  },
  'pre-tokenizer Whitespace': preTokenized({ type: 'Whitespace' }),
  'pre-tokenizer WhitespaceSplit, Metaspace': preTokenized({ type: 'WhitespaceSplit' }, metaspace('always')),
  'pre-tokenizer Bert': preTokenized({ type: 'BertPreTokenizer' }),
  ...Object.fromEntries(
    ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'].flatMap((behavior) => [
      [`pre-tokenizer Punctuation ${behavior}`, preTokenized({ type: 'Punctuation', behavior })],
      [`pre-tokenizer Split ${behavior}`, preTokenized(split(regex('[\\s\\p{P}]'), behavior))],
      [`pre-tokenizer Split ${behavior} inverted`, preTokenized(split(regex('\\p{L}+'), behavior, true))],
      [`pre-tokenizer Split ${behavior} string`, preTokenized(split({ String: ' ' }, behavior))],
      [`pre-tokenizer Split ${behavior} empty`, preTokenized(split(regex('(?=\\p{Lu})|e?'), behavior))],
    ]),
  ),
  'pre-tokenizer Split empty string': preTokenized(split({ String: '' }, 'Isolated')),
  'pre-tokenizer Digits': preTokenized({ type: 'Digits', individual_digits: false }),
  'pre-tokenizer Digits individual': preTokenized({ type: 'Digits', individual_digits: true }),
  'pre-tokenizer CharDelimiterSplit': preTokenized({ type: 'CharDelimiterSplit', delimiter: 'e' }),
  'pre-tokenizer FixedLength': preTokenized({ type: 'FixedLength', length: 3 }),
  'pre-tokenizer UnicodeScripts': preTokenized({ type: 'UnicodeScripts' }),
  'pre-tokenizer ByteLevel prefix': { ...zoo.gpt2, pre_tokenizer: byteLevel({ add_prefix_space: true }) },
  'pre-tokenizer ByteLevel without words': { ...zoo.gpt2, pre_tokenizer: byteLevel({ use_regex: false }) },
  'pre-tokenizer Digits, ByteLevel': {
    ...zoo.gpt2,
    pre_tokenizer: seq('pretokenizers', { type: 'Digits', individual_digits: true }, byteLevel()),
  },
  'pre-tokenizer none': { ...zoo.gpt2, pre_tokenizer: null, normalizer: { type: 'ByteLevel' } },
  ...Object.fromEntries(
    Object.entries(expressions).map(([name, source]) => [
      `expression ${name}`,
      {
        ...zoo.qwen,
        pre_tokenizer: seq('pretokenizers', split(regex(source), 'Isolated'), byteLevel({ use_regex: false })),
      },
    ]),
  ),
  'expression removed': preTokenized(split(regex(expressions.gpt4), 'Removed', true)),

  'post-processor ByteLevel trims': { ...zoo.gpt2, post_processor: byteLevel() },
  'post-processor ByteLevel trims, prefix': {
    ...zoo.gpt2,
    pre_tokenizer: byteLevel({ add_prefix_space: true }),
    post_processor: byteLevel({ add_prefix_space: true }),
  },
  'post-processor Roberta prefix': {
    ...zoo.roberta,
    pre_tokenizer: byteLevel({ add_prefix_space: true }),
    post_processor: { ...zoo.roberta['post_processor'], add_prefix_space: true },
  },
  'post-processor Roberta untrimmed': {
    ...zoo.roberta,
    post_processor: { ...zoo.roberta['post_processor'], trim_offsets: false },
  },
  'post-processor trims metaspace': { ...zoo.t5, post_processor: byteLevel() },
  'post-processor Bert': {
    ...zoo.bertCased,
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
  },
  'post-processor none': { ...zoo.bertCased, post_processor: null },
  'post-processor template': {
    ...zoo.gpt2,
    post_processor: template([special('[X]'), sequenceA, special('[Y]'), special('[X]')]),
  },
  'post-processor template twice the text': {
    ...zoo.gpt2,
    post_processor: template([sequenceA, special('[Y]'), sequenceA]),
  },
  'post-processor ByteLevel, template': {
    ...zoo.gpt2,
    post_processor: seq('processors', byteLevel(), template([special('[Y]'), sequenceA])),
  },
  'post-processor template, ByteLevel': {
    ...zoo.gpt2,
    post_processor: seq('processors', template([special('[Y]'), sequenceA]), byteLevel()),
  },
  'post-processor template, Bert': {
    ...zoo.gpt2,
    post_processor: seq('processors', template([special('[Y]'), sequenceA, special('[X]')]), {
      type: 'BertProcessing',
      sep: ['[SEP]', 3],
      cls: ['[CLS]', 2],
    }),
  },
  'post-processor template, Roberta': {
    ...zoo.gpt2,
    post_processor: seq('processors', template([sequenceA, special('[X]')]), zoo.roberta['post_processor']),
  },

  'added tokens': withAdded(zoo.gpt2, added('<extra>'), added('the'), added('then')),
  'added tokens, overlapping': withAdded(
    zoo.gpt2,
    added('<extra'),
    added('<extra>'),
    added('extra> '),
    added(' <'),
    added(' t'),
  ),
  'added tokens, single word': withAdded(
    zoo.bertCased,
    added('Day', { single_word: true }),
    added('e', { single_word: true }),
  ),
  'added tokens, stripping': withAdded(
    zoo.qwen,
    added('<extra>', { lstrip: true }),
    added('<mask>', { rstrip: true }),
    added('Day', { lstrip: true, rstrip: true, single_word: true }),
  ),
  'added tokens, stripping what the next one starts with': withAdded(
    zoo.qwen,
    added('<extra>', { rstrip: true }),
    added(' <mask>', { lstrip: true }),
    added(' Day'),
  ),
  'added tokens, normalized': withAdded(
    zoo.bertUncased,
    added('Day', { normalized: true }),
    added('DÉF', { normalized: true }),
    added('<Extra>', { normalized: true, special: true }),
  ),
  'added tokens, normalized with prefix': withAdded(
    zoo.llama,
    added('</s>', { normalized: true, special: true }),
    added('def', { normalized: true }),
    added(' the', { normalized: true }),
  ),
  'added tokens, normalized with Metaspace': withAdded(
    { ...zoo.t5, pre_tokenizer: metaspace('first') },
    added('Day', { normalized: true }),
    added('ﬁ', { normalized: true, lstrip: true }),
  ),
  'added tokens, byte-level normalized': withAdded(
    { ...zoo.gpt2, pre_tokenizer: null, normalizer: { type: 'ByteLevel' } },
    added(' the', { normalized: true }),
    added('é', { normalized: true }),
  ),
  'added tokens, given twice': withAdded(
    zoo.gpt2,
    added('<extra>'),
    added('<extra>', { lstrip: true }),
    added('Day'),
    added('<mask>', { id: 17 }),
  ),
  'added tokens only': {
    ...wordLevel(),
    model: { type: 'WordLevel', unk_token: '<unk>', vocab: { '<unk>': 7 } },
    added_tokens: [added('the'), added('def')],
  },

  'model BPE, letters missing': withModel(zoo.gpt2, {
    vocab: without(zoo.gpt2['model'].vocab, (piece) => ['Ã', 'æ', 'ð', 'Ł'].includes(piece)),
  }),
  'model BPE, ignore_merges': withModel(zoo.gpt2, {
    ignore_merges: true,
    merges: zoo.gpt2['model'].merges.slice(0, 100),
  }),
  'model BPE, string merges': withModel(zoo.gpt2, {
    merges: zoo.gpt2['model'].merges.map((pair: string[]) => pair.join(' ')),
  }),
  'model BPE, dropout 0': withModel(zoo.gpt2, { dropout: 0 }),
  'model BPE, byte fallback without unk': withModel(zoo.llama, { unk_token: null, fuse_unk: false }),
  'model BPE, some bytes missing': withModel(zoo.llama, {
    vocab: without(zoo.llama['model'].vocab, (piece) => /^<0x[CE]/.test(piece)),
  }),
  'model BPE, some bytes missing, unk not fused': withModel(zoo.llama, {
    fuse_unk: false,
    vocab: without(zoo.llama['model'].vocab, (piece) => /^<0x[CE]/.test(piece)),
  }),
  'model BPE, no byte fallback': withModel(zoo.llama, { byte_fallback: false }),
  'model BPE, no byte fallback, unk not fused': withModel(zoo.llama, { byte_fallback: false, fuse_unk: false }),
  'model BPE, no byte fallback, no unk': withModel(zoo.llama, { byte_fallback: false, unk_token: null }),
  'model BPE, word suffix': suffixBpe(),
  'model BPE, word suffix, fused': suffixBpe({ fuse_unk: true }),
  'model BPE, word suffix, no unk': suffixBpe({ unk_token: null }),
  'model BPE, prefix': prefixBpe(),
  'model BPE, prefix, fused': prefixBpe({ fuse_unk: true }),
  'model WordPiece, short words': withModel(zoo.bertCased, { max_input_chars_per_word: 4 }),
  'model WordPiece, other prefix': withModel(zoo.bertCased, { continuing_subword_prefix: '@' }),
  'model WordPiece, no prefix': withModel(zoo.bertCased, { continuing_subword_prefix: '' }),
  'model Unigram, byte fallback': withModel(zoo.t5, { byte_fallback: true }),
  'model Unigram, all bytes': withModel(zoo.t5, {
    byte_fallback: true,
    vocab: [
      ...zoo.t5['model'].vocab,
      ...Array.from({ length: 256 }, (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, -20]),
    ],
  }),
  'model Unigram, ties and duplicates': withModel(zoo.t5, {
    vocab: [...zoo.t5['model'].vocab.map(([piece]: [string]) => [piece, -2]), ['the', -3], ['▁the', -2]],
  }),
  'model Unigram, raw': { ...zoo.t5, normalizer: null, pre_tokenizer: null },
  'model WordLevel': wordLevel(),
};
