import { expect } from 'chai';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { encodeByReference, readReference, toPlain } from './reference';
import { variants } from './variants';

const length = 50_000;
const repeat = (text: string): string => text.repeat(Math.ceil(length / text.length));

/** Texts of 50 000 code units that make careless algorithms take quadratic time. */
const longTexts: Readonly<Record<string, string>> = {
  'one letter': repeat('a'),
  'one word': repeat('abcdefghijklmnopqrstuvwxyz'),
  'combining marks': `e${repeat('\u0301\u0323')}`,
  spaces: repeat(' '),
  'spaces before a letter': `${repeat(' ')}x`,
  'line ends': repeat('\r\n'),
  'joined emoji': repeat('👩‍'),
  ideographs: repeat('注意力机制'),
  'conjoining jamo': repeat('\u1112\u1161\u11ab'),
  'starts of added tokens': repeat('<extra'),
};

const names = [
  'zoo bertUncased',
  'zoo gpt2',
  'zoo llama',
  'zoo qwen',
  'zoo t5',
  'expression gpt4',
  'normalizer Precompiled',
  'model Unigram, raw',
  'added tokens, stripping',
];

describe('Tokenizer on long texts without a word border', function () {
  // Far above what linear time needs, far below what quadratic time would.
  this.timeout(30_000);

  for (const name of names) {
    const tokenizer = Tokenizer.fromJson(JSON.stringify(variants[name]));
    it(name, () => {
      for (const text of Object.values(longTexts)) {
        const { ids, starts, ends } = tokenizer.encode(text);
        expect(ids.length).to.be.greaterThan(0);
        expect(Math.max(...ends.slice(-2))).to.be.at.most(text.length);
        expect(starts.every((start, i) => start <= ends[i])).to.equal(true);
      }
    });
  }

  it('equals the reference library where that is fast', async () => {
    for (const name of ['zoo gpt2', 'zoo llama', 'zoo t5', 'normalizer Precompiled']) {
      const json = JSON.stringify(variants[name]);
      for (const text of [longTexts['one word'], longTexts['joined emoji'], longTexts['ideographs']].map((long) =>
        long.slice(0, 20_000),
      )) {
        expect(toPlain(Tokenizer.fromJson(json).encode(text)), name).to.deep.equal(
          await encodeByReference(readReference(json), text),
        );
      }
    }
  });
});

describe('Tokenizer on lone surrogates', () => {
  it('reads them as U+FFFD of the same place', () => {
    const tokenizer = Tokenizer.fromJson(JSON.stringify(variants['zoo gpt2']));
    expect(toPlain(tokenizer.encode('a\ud83d b\ude00'))).to.deep.equal(toPlain(tokenizer.encode('a\ufffd b\ufffd')));
  });
});
