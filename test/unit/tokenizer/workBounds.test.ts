import { expect } from 'chai';
import { ExplorerError } from '../../../src/base/errors';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { encodeByReference, readReference, toPlain } from './reference';
import { makeCharacterMap } from './characterMap';
import { type Config, variants } from './variants';

const gpt2 = variants['zoo gpt2'];
const t5 = variants['zoo t5'];
const bert = variants['zoo bertCased'];
const sequence = (type: 'normalizers' | 'pretokenizers' | 'decoders', count: number, part: Config): Config => ({
  type: 'Sequence',
  [type]: Array.from({ length: count }, () => part),
});
const vocabulary = (...pieces: string[]): Config => Object.fromEntries(pieces.map((piece, id) => [piece, id]));
const token = (content: string, options: Config = {}): Config => ({
  id: 5000,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: false,
  ...options,
});
const doubling: Config = { type: 'Replace', pattern: { String: 'x' }, content: 'xx' };
const long = 'a'.repeat(20_000);

/** A tokenizer.json that asks for too much, and a text on which it shows. */
const costly: Readonly<Record<string, readonly [Config, string]>> = {
  'normalizers that double a text again and again': [
    { ...gpt2, normalizer: sequence('normalizers', 40, doubling) },
    'x',
  ],
  'a normalizer that puts a long text for each character': [
    { ...gpt2, normalizer: { type: 'Replace', pattern: { Regex: '.' }, content: 'y'.repeat(100_000) } },
    'x'.repeat(1000),
  ],
  'a compiled normalizer that does': [
    { ...t5, normalizer: { type: 'Precompiled', precompiled_charsmap: makeCharacterMap({ x: 'y'.repeat(10_000) }) } },
    'x'.repeat(1000),
  ],
  'a long text put before a short one': [{ ...t5, normalizer: { type: 'Prepend', prepend: 'y'.repeat(100_000) } }, 'x'],
  'more steps than any file has': [{ ...gpt2, normalizer: sequence('normalizers', 1000, { type: 'Lowercase' }) }, 'x'],
  'more steps, nested': [
    { ...gpt2, normalizer: sequence('normalizers', 20, sequence('normalizers', 20, { type: 'Lowercase' })) },
    'x',
  ],
  'pre-tokenizers that double a text again and again': [
    {
      ...gpt2,
      pre_tokenizer: sequence('pretokenizers', 40, { type: 'ByteLevel', add_prefix_space: false, use_regex: false }),
    },
    'é',
  ],
  'a normalizer that blows up an added token': [
    { ...gpt2, normalizer: sequence('normalizers', 40, doubling), added_tokens: [token('x', { normalized: true })] },
    '',
  ],
  'a very long regular expression': [
    { ...gpt2, pre_tokenizer: { type: 'Split', pattern: { Regex: 'a|'.repeat(100_000) }, behavior: 'Isolated' } },
    'x',
  ],
  'a template of too many tokens': [
    {
      ...bert,
      post_processor: {
        ...bert['post_processor'],
        single: Array.from({ length: 100_000 }, () => ({ Sequence: { id: 'A', type_id: 0 } })),
      },
    },
    'the',
  ],
  'a long added token that nearly matches everywhere': [{ ...gpt2, added_tokens: [token(`${long}b`)] }, long],
  'a long piece of WordPiece that does': [
    {
      ...bert,
      added_tokens: [],
      post_processor: null,
      model: {
        ...bert['model'],
        unk_token: 'a',
        max_input_chars_per_word: 10 ** 6,
        vocab: vocabulary('a', '##a', `##${long}b`),
      },
    },
    long,
  ],
  'a long piece of Unigram that does': [
    {
      ...t5,
      added_tokens: [],
      post_processor: null,
      model: {
        type: 'Unigram',
        unk_id: 0,
        vocab: [
          ['▁', -1],
          ['a', -1],
          [`${long}b`, -1],
        ],
      },
    },
    long,
  ],
  'an expression that needs more stack than there is': [
    { ...gpt2, pre_tokenizer: { type: 'Split', pattern: { Regex: '(?:a|(b)|c)*$' }, behavior: 'Isolated' } },
    'abc'.repeat(3_000_000),
  ],
};

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof ExplorerError ? error.code : String(error);
  }
  return 'none';
}

describe('Bounds of a tokenizer’s work', () => {
  for (const [name, [config, text]] of Object.entries(costly)) {
    it(`refuse ${name}`, () => {
      expect(codeOf(() => Tokenizer.fromJson(JSON.stringify(config)).encode(text))).to.equal('tokenizerTooCostly');
    });
  }

  it('refuse a decoder that grows the text without end', () => {
    const replace = (content: string): Config => ({ type: 'Replace', pattern: { String: 'a' }, content });
    for (const decoder of [sequence('decoders', 40, replace('aa')), replace('b'.repeat(10 ** 6))]) {
      const tokenizer = Tokenizer.fromJson(JSON.stringify({ ...gpt2, decoder }));
      const ids = [...tokenizer.encode('a a a a').ids];
      expect(codeOf(() => tokenizer.decode(ids))).to.equal('tokenizerTooCostly');
    }
  });

  it('are far from what honest steps do to a text', () => {
    // U+FDFA becomes eighteen characters, each then two bytes: the most that Unicode's own rules make of a text.
    const json = JSON.stringify({ ...gpt2, normalizer: { type: 'NFKC' } });
    expect(Tokenizer.fromJson(json).encode('\ufdfa'.repeat(10_000)).ids.length).to.be.greaterThan(10_000);
  });

  it('leave ids and offsets as they are where tokens of white space take what follows them', async () => {
    const json = JSON.stringify({
      ...gpt2,
      added_tokens: [
        token(' ', { rstrip: true }),
        token('\n', { rstrip: true, lstrip: true, id: 5001 }),
        token('<x>', { rstrip: true, id: 5002 }),
      ],
    });
    for (const text of [
      'a    b',
      '   ',
      'a \n \n b<x>  <x>\n',
      '<x>   \u3000 z  ',
      `${' '.repeat(50)}\n${' '.repeat(50)}c`,
    ]) {
      expect(toPlain(Tokenizer.fromJson(json).encode(text)), JSON.stringify(text)).to.deep.equal(
        await encodeByReference(readReference(json), text),
      );
    }
  });

  it('are not needed for a long run of white space, which is looked through once', () => {
    const tokenizer = Tokenizer.fromJson(
      JSON.stringify({ ...gpt2, post_processor: null, added_tokens: [token(' ', { rstrip: true })] }),
    );
    const started = performance.now();
    expect(tokenizer.encode(`${' '.repeat(200_000)}x`).ids.length).to.be.greaterThan(1);
    // Looking through it from each of its places takes minutes.
    expect(performance.now() - started).to.be.below(5000);
  });
});
