import { expect } from 'chai';
import * as fc from 'fast-check';
import { JsonFields } from '../../../src/tokenizer/jsonFields';
import { NormalizedString } from '../../../src/tokenizer/normalizedString';
import { readNormalizer } from '../../../src/tokenizer/normalizers/readNormalizer';
import { readPreTokenizer } from '../../../src/tokenizer/preTokenizers/readPreTokenizer';
import { forEachGrapheme } from '../../../src/tokenizer/unicode/graphemes';
import { readReference } from './reference';
import { type Config, variants } from './variants';

/** Every code point, in texts of a thousand, each after a letter and before a space. */
const texts: string[] = [];
for (let from = 0; from < 0x110000; from += 1000) {
  const characters = Array.from({ length: 1000 }, (_, i) => from + i).filter(
    (codePoint) => codePoint < 0x110000 && (codePoint < 0xd800 || codePoint > 0xdfff),
  );
  if (characters.length > 0) texts.push(characters.map((codePoint) => `a${String.fromCodePoint(codePoint)} `).join(''));
}

const bert = {
  type: 'BertNormalizer',
  clean_text: true,
  handle_chinese_chars: true,
  strip_accents: true,
  lowercase: true,
};
const normalizers: Config[] = [
  ...['NFC', 'NFD', 'NFKC', 'NFKD', 'StripAccents', 'Nmt', 'ByteLevel'].map((type) => ({ type })),
  bert,
];
const preTokenizers: Config[] = [
  { type: 'BertPreTokenizer' },
  { type: 'Digits', individual_digits: true },
  { type: 'UnicodeScripts' },
];

describe('Every code point against the reference library', () => {
  for (const config of normalizers) {
    it(`normalizer ${config['type']}`, () => {
      const reference = readReference(JSON.stringify({ ...variants['zoo gpt2'], normalizer: config })).getNormalizer();
      const normalize = readNormalizer(new JsonFields(config, 'normalizer'));
      for (const text of texts)
        expect(normalize(NormalizedString.of(text)).text).to.equal(reference?.normalizeString(text));
    });
  }

  for (const config of preTokenizers) {
    it(`pre-tokenizer ${config['type']}`, () => {
      const reference = readReference(
        JSON.stringify({ ...variants['zoo gpt2'], pre_tokenizer: config }),
      ).getPreTokenizer();
      const { cut } = readPreTokenizer(new JsonFields(config, 'pre_tokenizer'));
      for (const text of texts) {
        const words: string[] = [];
        cut?.(NormalizedString.of(text), (piece, start, end) => words.push(piece.text.slice(start, end)));
        // As one text: thousands of words are slow to compare one by one.
        const expected = reference?.preTokenizeString(text).map(([word]) => word);
        expect(JSON.stringify(words)).to.equal(JSON.stringify(expected));
      }
    });
  }
});

describe('Grapheme clusters', () => {
  it('are those of the host around every character of the basic plane', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
    const numAtOnce = 64;
    for (let first = 0; first < 0x10000; first += numAtOnce) {
      if (first >= 0xd800 && first < 0xe000) continue;
      const characters = Array.from({ length: numAtOnce }, (_, i) => String.fromCharCode(first + i));
      const text = characters.map((character) => `a${character}b${character}${character}`).join('');
      const clusters: string[] = [];
      forEachGrapheme(text, (cluster) => clusters.push(cluster));
      expect(clusters, first.toString(16)).to.deep.equal(Array.from(segmenter.segment(text), ({ segment }) => segment));
    }
  });

  it('are those of the host, whatever the shortcut skips', () => {
    const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
    const character = fc.oneof(
      fc.constantFrom(
        'a',
        '\r',
        '\n',
        '\u0301',
        '\u200d',
        '\u0600',
        '\u1100',
        '\u1161',
        '\u11a8',
        '\u{1f469}',
        '\u{1f3fd}',
        '\u{1f1e9}',
        '\ufe0f',
        '\u0e33',
        '\u0903',
      ),
      fc.integer({ min: 0x1100, max: 0x11ff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom('\uac00', '\uac01', '\u30fc', '\u309b', '\r'),
      fc.integer({ min: 0x80, max: 0xd7ff }).map((unit) => String.fromCharCode(unit)),
      fc.integer({ min: 0xff00, max: 0xffef }).map((unit) => String.fromCharCode(unit)),
    );
    fc.assert(
      fc.property(fc.array(character, { maxLength: 30 }), (characters) => {
        const text = characters.join('');
        const clusters: string[] = [];
        forEachGrapheme(text, (cluster) => clusters.push(cluster));
        expect(clusters).to.deep.equal(Array.from(segmenter.segment(text), ({ segment }) => segment));
      }),
      { numRuns: 5000 },
    );
  });
});
