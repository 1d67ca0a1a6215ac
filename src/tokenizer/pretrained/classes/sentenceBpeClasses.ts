import type { Backend } from '../backend';
import type { InitArguments } from '../initArguments';
import {
  byteFallbackDecoder,
  decoders,
  metaspace,
  normalizers,
  type Part,
  precompiled,
  preTokenizers,
  regex,
  replace,
  split,
} from '../parts';
import { nllbLanguages } from '../referenceNames';
import type { VocabularySource } from '../vocabularySource';
import { ReferenceFailure } from '../referenceFailure';
import { bpe } from './models';
import { named, type TokenizerClass } from './tokenizerClass';

const spacesMetaspace = (): { preTokenizer: Part; decoder: Part } => ({
  preTokenizer: metaspace('always'),
  decoder: metaspace('always'),
});

const llama: TokenizerClass = {
  files: ['tokenizer.model'],
  kind: 'BPE',
  padsLeft: true,
  tokens: { unk_token: '<unk>', bos_token: '<s>', eos_token: '</s>' },
  pipeline: (init, source) => {
    const addsSpace = init.optionalFlag('add_prefix_space', true) ?? true;
    const isLegacy = init.optionalFlag('legacy', false) ?? false;
    return {
      model: bpe(source, { fuse_unk: true, byte_fallback: true }),
      preTokenizer: metaspace(addsSpace ? (isLegacy ? 'always' : 'first') : 'never', false),
      decoder: byteFallbackDecoder(addsSpace),
    };
  },
};

const fillTokens = {
  prefix_token: '▁<PRE>',
  middle_token: '▁<MID>',
  suffix_token: '▁<SUF>',
  eot_token: '▁<EOT>',
  fill_token: '<FILL_ME>',
};

const codeLlama: TokenizerClass = {
  ...llama,
  tokens: { ...llama.tokens, ...fillTokens },
  addsBos: true,
  extras: (init) => [...(init.tokens('additional_special_tokens') ?? []), ...Object.values(fillTokens)],
  pipeline: (init, source) => ({
    model: bpe(source, { fuse_unk: true, byte_fallback: true, unk_token: named(init, codeLlama, 'unk_token') }),
    preTokenizer: metaspace((init.optionalFlag('add_prefix_space', true) ?? true) ? 'first' : 'never', false),
    decoder: byteFallbackDecoder(true),
  }),
};

const gemma: TokenizerClass = {
  files: [],
  kind: 'BPE',
  padsLeft: true,
  tokens: { unk_token: '<unk>', bos_token: '<bos>', eos_token: '<eos>', pad_token: '<pad>', mask_token: '<mask>' },
  pipeline: (init, source) => ({
    model: bpe(source, { fuse_unk: true, byte_fallback: true, unk_token: named(init, gemma, 'unk_token') }),
    normalizer: replace(' ', '▁'),
    preTokenizer: split({ String: ' ' }, 'MergedWithPrevious'),
    decoder: byteFallbackDecoder(false),
  }),
};

/** Vocabularies that name their special tokens first and then go on with SentencePiece's pieces. */
function reordered(init: InitArguments, source: VocabularySource): VocabularySource {
  const name = (key: string, fallback: string): string => named(init, { tokens: { [key]: fallback } }, key);
  const ids = new Map<string, number>();
  const pieces = source.vocabulary instanceof Map ? [...(source.vocabulary as ReadonlyMap<string, number>).keys()] : [];
  for (const piece of [
    name('bos_token', '<s>'),
    name('pad_token', '<pad>'),
    name('eos_token', '</s>'),
    name('unk_token', '<unk>'),
    ...pieces,
  ])
    if (!ids.has(piece)) ids.set(piece, ids.size);
  return { ...source, vocabulary: ids };
}

const nllb: TokenizerClass = {
  files: ['sentencepiece.bpe.model'],
  kind: 'BPE',
  tokens: {
    bos_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    cls_token: '<s>',
    unk_token: '<unk>',
    pad_token: '<pad>',
    mask_token: '<mask>',
  },
  flags: { mask_token: { isNormalized: true, stripsLeft: true, isSpecial: true } },
  extras: (init) => init.tokens('additional_special_tokens') ?? nllbLanguages.split(' '),
  fromSentencePiece: reordered,
  pipeline: (init, source) => {
    const rules = precompiled(source.characterMap);
    return {
      model: bpe(source, { unk_token: named(init, nllb, 'unk_token'), fuse_unk: true, byte_fallback: false }),
      normalizer: rules && normalizers(rules, replace(regex(' {2,}'), ' ')),
      ...spacesMetaspace(),
    };
  },
  finish: (backend, init) => {
    const eos = backend.special('eos_token');
    const language = init.text('src_lang', undefined) ?? 'eng_Latn';
    const code = [language, backend.idOrUnknown(language)] as const;
    const isLegacy = init.optionalFlag('legacy_behaviour', false) ?? false;
    if (isLegacy)
      backend.useTemplate([['$A'], [eos[0]], [language]], [['$A'], ['$B'], [eos[0]], [language]], eos, code);
    else backend.useTemplate([[language], ['$A'], [eos[0]]], [[language], ['$A'], ['$B'], [eos[0]]], eos, code);
  },
};

const reformer: TokenizerClass = {
  files: ['spiece.model'],
  kind: 'BPE',
  tokens: { eos_token: '</s>', unk_token: '<unk>' },
  extras: (init) => init.tokens('additional_special_tokens') ?? [],
  pipeline: (init, source) => {
    const rules = precompiled(source.characterMap);
    return {
      model: bpe(source, { unk_token: named(init, reformer, 'unk_token'), fuse_unk: true }),
      normalizer: rules && normalizers(rules, replace(regex(' {2,}'), ' ')),
      ...spacesMetaspace(),
    };
  },
  finish: (backend) => backend.addSpecialAgain(),
};

/** `__eng__ A </s>`. */
function startInSource(backend: Backend, init: InitArguments): void {
  const given = init.text('src_lang', 'eng') ?? 'eng';
  const id = backend.idOrUnknown(given.includes('__') ? given : `__${given}__`);
  const code = [backend.added.at(id)?.content ?? backend.model.vocabulary.pieceOf(id) ?? '', id] as const;
  const eos = backend.special('eos_token');
  backend.useTemplate([[code[0]], ['$A'], [eos[0]]], [[code[0]], ['$A'], ['$B'], [eos[0]]], code, eos);
}

const seamless: TokenizerClass = {
  files: ['sentencepiece.bpe.model'],
  kind: 'BPE',
  tokens: {
    bos_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    cls_token: '<s>',
    unk_token: '<unk>',
    pad_token: '<pad>',
  },
  fromSentencePiece: (_init, source) => {
    const ids = new Map([
      ['<pad>', 0],
      ['<unk>', 1],
      ['<s>', 2],
      ['</s>', 3],
    ]);
    const pieces =
      source.vocabulary instanceof Map ? [...(source.vocabulary as ReadonlyMap<string, number>).keys()] : [];
    pieces.forEach((piece, i) => ids.set(piece, i + 1));
    return { ...source, vocabulary: ids };
  },
  pipeline: (init, source) => ({
    model: bpe(source, { unk_token: named(init, seamless, 'unk_token'), fuse_unk: true }),
    normalizer: normalizers(
      replace(regex('[\\n\\r\\t]'), ' '),
      { type: 'NFKC' },
      { type: 'Strip', strip_left: false, strip_right: true },
      replace(regex(' +▁'), '▁'),
      replace(regex('^▁+$'), ''),
      replace(regex(' {2,}'), '▁'),
    ),
    preTokenizer: metaspace('first'),
    decoder: metaspace('first'),
  }),
  finish: startInSource,
};

const tipsv2: TokenizerClass = {
  files: ['tokenizer.model'],
  kind: 'BPE',
  tokens: { unk_token: '<unk>', pad_token: '<pad>', bos_token: null, eos_token: null },
  pipeline: (init, source) => ({
    model: bpe(source, { fuse_unk: true, byte_fallback: true }),
    normalizer: normalizers(
      init.optionalFlag('do_lower_case', true) ? { type: 'Lowercase' } : undefined,
      source.characterMap?.length === 0 ? undefined : precompiled(source.characterMap),
    ),
    preTokenizer: preTokenizers({ type: 'WhitespaceSplit' }, metaspace('always')),
    decoder: decoders(metaspace('always'), { type: 'ByteFallback' }, { type: 'Fuse' }),
  }),
};

const wordEnds = (init: InitArguments, source: VocabularySource, self: Pick<TokenizerClass, 'tokens'>): Part =>
  bpe(source, { end_of_word_suffix: '</w>', unk_token: named(init, self, 'unk_token') });

const herbert: TokenizerClass = {
  files: ['vocab.json', 'merges.txt'],
  kind: 'BPE',
  tokens: { cls_token: '<s>', unk_token: '<unk>', pad_token: '<pad>', mask_token: '<mask>', sep_token: '</s>' },
  pipeline: (init, source) => ({
    model: wordEnds(init, source, herbert),
    normalizer: {
      type: 'BertNormalizer',
      lowercase: false,
      strip_accents: false,
      clean_text: true,
      handle_chinese_chars: true,
    },
    preTokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'BPEDecoder', suffix: '</w>' },
  }),
  // The class takes these ids, whatever the vocabulary says.
  finish: (backend) => {
    backend.postProcessor = {
      type: 'BertProcessing',
      sep: [backend.special('sep_token')[0], 2],
      cls: [backend.special('cls_token')[0], 0],
    };
  },
};

const openAiGpt: TokenizerClass = {
  ...herbert,
  tokens: { unk_token: '<unk>' },
  pipeline: (init, source) => ({
    ...herbert.pipeline(init, source),
    model: wordEnds(init, source, openAiGpt),
    normalizer: {
      type: 'BertNormalizer',
      lowercase: true,
      strip_accents: null,
      clean_text: true,
      handle_chinese_chars: true,
    },
  }),
  finish: () => {},
};

const aminoAcids = '<cls> <pad> <eos> <unk> L A G V S E R T I D P K Q N F Y M H W C X B U Z O . - | <mask>'.split(' ');

const esmc: TokenizerClass = {
  files: [],
  kind: 'BPE',
  tokens: {
    unk_token: '<unk>',
    cls_token: '<cls>',
    pad_token: '<pad>',
    mask_token: '<mask>',
    eos_token: '<eos>',
    bos_token: '<cls>',
    chain_break_token: '|',
  },
  pipeline: (init) => ({
    model: bpe(
      { vocabulary: new Map(aminoAcids.map((piece, id) => [piece, id])), merges: [], characterMap: undefined },
      { unk_token: named(init, esmc, 'unk_token') },
    ),
  }),
  finish: (backend) => {
    const [cls, eos] = [backend.special('cls_token'), backend.special('eos_token')];
    for (const [token] of [cls, eos])
      if (!aminoAcids.includes(token)) throw new ReferenceFailure(`its vocabulary lacks "${token}"`);
    backend.useTemplate([[cls[0]], ['$A'], [eos[0]]], [['$A'], ['$B', 1]], cls, eos);
  },
};

/** Siglip 2 also lowers the case, after its tokens were added. */
const siglip2: TokenizerClass = {
  ...gemma,
  pipeline: (init, source) => ({
    ...gemma.pipeline(init, source),
    normalizer: normalizers({ type: 'Lowercase' }, replace(' ', '▁')),
  }),
};

/** Classes whose model is a byte-pair encoding of characters. */
export const sentenceBpeClasses: Readonly<Record<string, TokenizerClass>> = {
  CodeLlamaTokenizer: codeLlama,
  EsmcTokenizer: esmc,
  GemmaTokenizer: gemma,
  HerbertTokenizer: herbert,
  LlamaTokenizer: llama,
  NllbTokenizer: nllb,
  OpenAIGPTTokenizer: openAiGpt,
  ReformerTokenizer: reformer,
  SeamlessM4TTokenizer: seamless,
  Siglip2Tokenizer: siglip2,
  Tipsv2Tokenizer: tipsv2,
};
