import { expect } from 'chai';
import { ExplorerError } from '../../../src/base/errors';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { type Config, variants } from './variants';

const gpt2 = variants['zoo gpt2'];
const t5 = variants['zoo t5'];
const bert = variants['zoo bertCased'];
const withModel = (base: Config, options: Config): Config => ({ ...base, model: { ...base['model'], ...options } });

function failureOf(run: () => unknown): ExplorerError {
  try {
    run();
  } catch (error) {
    if (error instanceof ExplorerError) return error;
    throw error;
  }
  throw new Error('It did not fail');
}

const nested = (depth: number): Config =>
  depth === 0 ? { type: 'NFC' } : { type: 'Sequence', normalizers: [nested(depth - 1)] };

const damaged: Readonly<Record<string, [unknown, RegExp]>> = {
  'a list': [[], /"tokenizer" is not an object/],
  null: [null, /"tokenizer" is not an object/],
  'no model': [{ ...gpt2, model: undefined }, /"tokenizer.model" is missing/],
  'model a string': [{ ...gpt2, model: 'BPE' }, /"tokenizer.model" is not an object/],
  'no vocabulary': [withModel(gpt2, { vocab: null }), /"tokenizer.model.vocab" is missing/],
  'vocabulary a list for BPE': [withModel(gpt2, { vocab: [] }), /vocab" is not an object/],
  'an id that is a string': [withModel(gpt2, { vocab: { a: '0' } }), /the id of "a".* is not a whole number/],
  'a negative id': [withModel(gpt2, { vocab: { a: -1 } }), /the id of "a"/],
  'a huge id': [withModel(gpt2, { vocab: { a: 2 ** 40 } }), /the id of "a"/],
  'no merges': [withModel(gpt2, { merges: null }), /merges" is missing/],
  'a merge of three': [withModel(gpt2, { merges: ['a b c'] }), /merge 0 .* is not a pair/],
  'a merge of numbers': [withModel(gpt2, { merges: [[1, 2]] }), /merge 0 .* is not a pair/],
  'a merge outside of the vocabulary': [withModel(gpt2, { merges: [['a', 'nowhere']] }), /merge 0 needs "nowhere"/],
  'a setting of the wrong type': [withModel(gpt2, { byte_fallback: 'yes' }), /byte_fallback" is not true or false/],
  'a Unigram vocabulary without scores': [withModel(t5, { vocab: [['a']] }), /entry 0 .* is not a piece and its score/],
  'a Unigram vocabulary that is an object': [withModel(t5, { vocab: {} }), /vocab" is not a list/],
  'an unknown id outside of the vocabulary': [withModel(t5, { unk_id: 10 ** 6 }), /unk_id" is not in the vocabulary/],
  'a word limit that is not a number': [
    withModel(bert, { max_input_chars_per_word: '100' }),
    /max_input_chars_per_word" is not a whole number/,
  ],
  'an added token without content': [{ ...gpt2, added_tokens: [{ id: 0 }] }, /added_tokens\[0\].content" is missing/],
  'added tokens that are an object': [{ ...gpt2, added_tokens: {} }, /added_tokens" is not a list/],
  'a normalizer without a type': [{ ...gpt2, normalizer: {} }, /normalizer.type" is missing/],
  'normalizers nested without end': [{ ...gpt2, normalizer: nested(300) }, /nested too deep/],
  'a character map that is not base64': [
    { ...t5, normalizer: { type: 'Precompiled', precompiled_charsmap: '*' } },
    /is not base64/,
  ],
  'a character map that is cut off': [
    { ...t5, normalizer: { type: 'Precompiled', precompiled_charsmap: '/wAAAA==' } },
    /ends too early/,
  ],
  'a pattern that is neither': [
    { ...t5, normalizer: { type: 'Replace', pattern: {}, content: '' } },
    /neither a string nor a regular expression/,
  ],
  'an unknown way to split': [
    { ...t5, pre_tokenizer: { type: 'Punctuation', behavior: 'Thrown' } },
    /behavior" is "Thrown", not one of Removed/,
  ],
  'a replacement of two characters': [
    { ...t5, pre_tokenizer: { type: 'Metaspace', replacement: '__' } },
    /is not one character/,
  ],
  'a contradiction about the prefix': [
    { ...t5, pre_tokenizer: { type: 'Metaspace', replacement: '_', add_prefix_space: false, prepend_scheme: 'first' } },
    /contradicts itself/,
  ],
  'words of length 0': [{ ...t5, pre_tokenizer: { type: 'FixedLength', length: 0 } }, /length" is 0/],
  'a template of unknown tokens': [
    { ...bert, post_processor: { ...bert['post_processor'], special_tokens: {} } },
    /uses "\[CLS\]", which is not among the special tokens/,
  ],
  'a template of two texts': [
    { ...bert, post_processor: { ...bert['post_processor'], single: [{ Sequence: { id: 'B', type_id: 0 } }] } },
    /uses a second text/,
  ],
  'special tokens of unequal number': [
    {
      ...bert,
      post_processor: { ...bert['post_processor'], special_tokens: { '[CLS]': { id: '[CLS]', ids: [1], tokens: [] } } },
    },
    /as many ids as tokens/,
  ],
  'a separator without an id': [
    { ...bert, post_processor: { type: 'BertProcessing', sep: ['[SEP]'], cls: ['[CLS]', 1] } },
    /sep" is not a piece and its id/,
  ],
};

const unsupported: Readonly<Record<string, [unknown, RegExp]>> = {
  'an unknown model': [withModel(gpt2, { type: 'Trigram' }), /the tokenizer model Trigram/],
  'an unknown normalizer': [{ ...gpt2, normalizer: { type: 'Shout' } }, /the normalizer Shout/],
  'an unknown pre-tokenizer': [
    { ...gpt2, pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Chop' }] } },
    /the pre-tokenizer Chop/,
  ],
  'an unknown post-processor': [{ ...gpt2, post_processor: { type: 'Polish' } }, /the post-processor Polish/],
  'an unknown decoder': [{ ...gpt2, decoder: { type: 'Enigma' } }, /the decoder Enigma/],
  'a damaged regular expression': [
    { ...gpt2, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } },
    /the regular expression \(/,
  ],
};

describe('Tokenizer.fromJson on bad input', () => {
  it('says that the file is cut off, at every length', () => {
    const json = JSON.stringify(variants['zoo bertCased']);
    for (let length = 0; length < json.length; length += 997) {
      const error = failureOf(() => Tokenizer.fromJson(json.slice(0, length), 'model/tokenizer.json'));
      expect(error.code).to.equal('tokenizerInvalid');
      expect(error.message).to.equal(
        'The tokenizer model/tokenizer.json cannot be read (it is not complete JSON): download or export it again.',
      );
    }
  });

  for (const [name, [config, reason]] of Object.entries(damaged)) {
    it(`refuses ${name}`, () => {
      const error = failureOf(() => Tokenizer.fromJson(JSON.stringify(config), 'x.json'));
      expect(error.code).to.equal('tokenizerInvalid');
      expect(error.args[0]).to.equal('x.json');
      expect(error.message).to.match(reason);
    });
  }

  for (const [name, [config, reason]] of Object.entries(unsupported)) {
    it(`does not support ${name}`, () => {
      const error = failureOf(() => Tokenizer.fromJson(JSON.stringify(config)));
      expect(error.code).to.equal('tokenizerUnsupported');
      expect(error.message).to.match(reason);
    });
  }

  it('survives any value in any place', () => {
    for (const base of [gpt2, t5, bert, variants['zoo llama']].map(fewWords)) {
      expect(Tokenizer.fromJson(JSON.stringify(base)).encode('a 力 <s>').ids.length).to.be.greaterThan(2);
      for (const value of [null, -1, 1e300, 'x', [[]], {}, true]) {
        for (const path of pathsOf({ ...base, model: { ...base['model'], vocab: null, merges: null } })) {
          try {
            Tokenizer.fromJson(JSON.stringify(replaced(base, path, value))).encode('a 力 <s>');
          } catch (error) {
            expect(error, `${path.join('.')} = ${JSON.stringify(value)}`).to.be.instanceOf(ExplorerError);
          }
        }
      }
    }
  });
});

describe('Tokenizer.encode without an unknown token', () => {
  for (const [name, config] of Object.entries({
    Unigram: withModel(t5, { unk_id: null }),
    WordPiece: withModel(bert, { unk_token: '[NONE]' }),
    BPE: withModel(variants['zoo llama'], { byte_fallback: false, unk_token: '[NONE]' }),
    WordLevel: { ...variants['model WordLevel'], model: { type: 'WordLevel', unk_token: '[NONE]', vocab: { a: 0 } } },
  })) {
    it(`says so: ${name}`, () => {
      const tokenizer = Tokenizer.fromJson(JSON.stringify(config), 'x.json');
      const error = failureOf(() => tokenizer.encode('\u{20bb7}'));
      expect(error.code).to.equal('tokenizerInvalid');
      expect(error.message).to.contain('unknown characters');
    });
  }
});

/** A tokenizer with few of its pieces, which is read in no time: letters, bytes and special tokens, and the merges between them. */
function fewWords(base: Config): Config {
  const { vocab, merges } = base['model'];
  if (Array.isArray(vocab)) return withModel(base, { vocab: vocab.slice(0, 300) });
  const few = Object.fromEntries(
    Object.entries(vocab).filter(([piece]) => /^(?:.|##.|[^\w#].|[<[].*[>\]])$/u.test(piece)),
  );
  const isKept = (pair: any): boolean => {
    const [left, right] = typeof pair === 'string' ? pair.split(' ') : pair;
    return left in few && right in few && left + right in few;
  };
  return withModel(base, { vocab: few, ...(merges === undefined ? {} : { merges: merges.filter(isKept) }) });
}

/** Paths of all values inside of a JSON value. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))].filter(
    (found) => found.length > 0,
  );
}

function replaced(base: any, [key, ...rest]: readonly string[], value: unknown): unknown {
  const copy = Array.isArray(base) ? [...base] : { ...base };
  copy[key] = rest.length === 0 ? value : replaced(copy[key], rest, value);
  return copy;
}
