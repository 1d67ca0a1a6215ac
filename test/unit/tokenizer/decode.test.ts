import { expect } from 'chai';
import * as fc from 'fast-check';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { readReference } from './reference';
import { hardText } from './texts';
import { type Config, variants } from './variants';

const gpt2 = variants['zoo gpt2'];
const llama = variants['zoo llama'];
const bert = variants['zoo bertCased'];
const t5 = variants['zoo t5'];
const sequence = (...decoders: Config[]): Config => ({ type: 'Sequence', decoders });

const decoders: Readonly<Record<string, Config>> = {
  ByteLevel: gpt2,
  llama: llama,
  WordPiece: bert,
  'WordPiece without clean-up': { ...bert, decoder: { type: 'WordPiece', prefix: '##', cleanup: false } },
  Metaspace: t5,
  'Metaspace never': { ...t5, decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: true } },
  BPEDecoder: variants['model BPE, word suffix'],
  none: { ...bert, decoder: null },
  Fuse: { ...t5, decoder: { type: 'Fuse' } },
  'ByteFallback alone': { ...llama, decoder: { type: 'ByteFallback' } },
  'Replace expression, Fuse': {
    ...t5,
    decoder: sequence({ type: 'Replace', pattern: { Regex: '[aeiou▁]' }, content: '.' }, { type: 'Fuse' }),
  },
  'Strip both': { ...t5, decoder: sequence({ type: 'Fuse' }, { type: 'Strip', content: '▁', start: 2, stop: 1 }) },
  CTC: { ...bert, decoder: { type: 'CTC', pad_token: '[PAD]', word_delimiter_token: 'e', cleanup: true } },
  'added tokens in the byte-level alphabet': variants['added tokens, byte-level normalized'],
};

describe('Tokenizer.decode against the reference library', () => {
  for (const [name, config] of Object.entries(decoders)) {
    it(name, async () => {
      const json = JSON.stringify(config);
      const reference = readReference(json);
      const tokenizer = Tokenizer.fromJson(json);
      const anyId = fc.integer({ min: 0, max: tokenizer.vocabularySize + 3 });
      const ids = fc.oneof(
        hardText.map((text) => [...tokenizer.encode(text).ids]),
        fc.array(anyId, { maxLength: 12 }),
      );
      await fc.assert(
        fc.asyncProperty(ids, fc.boolean(), async (list, skipSpecialTokens) => {
          // The reference library's BPEDecoder and Strip panic where there is nothing to decode.
          fc.pre(list.length > 0 && tokenizer.decode(list, { skipSpecialTokens }).length > 2);
          expect(tokenizer.decode(list, { skipSpecialTokens })).to.equal(
            await reference.decode(list, skipSpecialTokens),
          );
        }),
        { numRuns: 200 },
      );
    });
  }

  it('gives back what was encoded', () => {
    const tokenizer = Tokenizer.fromJson(JSON.stringify(gpt2));
    fc.assert(
      fc.property(hardText, (text) => {
        expect(tokenizer.decode([...tokenizer.encode(text).ids], { skipSpecialTokens: false })).to.equal(text);
      }),
    );
  });
});

describe('Tokenizer vocabulary', () => {
  for (const [name, config] of Object.entries(variants).filter(([key]) => /^zoo|^added|^model/.test(key))) {
    it(name, () => {
      const json = JSON.stringify(config);
      const tokenizer = Tokenizer.fromJson(json);
      const ids = Object.entries(readReference(json).getVocab(true));
      expect(tokenizer.vocabularySize).to.equal(Math.max(...ids.map(([, id]) => id)) + 1);
      // A piece that the vocabulary has twice has the later id.
      for (const [piece, id] of ids) expect(tokenizer.tokenOf(id)).to.equal(piece);
      expect(tokenizer.tokenOf(tokenizer.vocabularySize)).to.equal(undefined);
      expect(tokenizer.tokenOf(-1)).to.equal(undefined);
    });
  }
});
