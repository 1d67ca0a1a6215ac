import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { tokenizeText } from '../../../../src/engine/text/tokenizeText';
import type { TokenLimits } from '../../../../src/engine/limits/tokenLimits';
import { Tokenizer } from '../../../../src/tokenizer/tokenizer';
import { codeOfCall } from '../../../harness/codeOf';

const load = (name: string): Tokenizer =>
  Tokenizer.fromJson(readFileSync(`test/fixtures/zoo/tokenizer.${name}/tokenizer.json`, 'utf8'));
const free: TokenLimits = {
  modelName: 'm',
  contextLength: undefined,
  fixedLength: undefined,
  tokenLimit: 0,
  memoryLimit: Infinity,
  vocabularySize: undefined,
  numTypes: 0,
};
const words = Array.from({ length: 400 }, (_, i) => `word${i}`).join(' ');

describe('tokenizeText', () => {
  const bert = load('bert_uncased');

  it('gives all tokens where nothing bounds them, and added ones the place where they stand', () => {
    const { stream, notices } = tokenizeText(bert, 'Hello world', free);
    expect(notices).to.deep.equal([]);
    const first = stream.tokens[0];
    const last = stream.tokens.at(-1);
    expect([first?.isSpecial, first?.start, first?.end]).to.deep.equal([true, 0, 0]);
    expect([last?.isSpecial, last?.start, last?.end]).to.deep.equal([true, 11, 11]);
  });

  it('cuts to the smallest bound, keeps the closing special token, and says which bound it was', () => {
    const cases: readonly (readonly [Partial<TokenLimits>, string])[] = [
      [{ contextLength: 20, tokenLimit: 30 }, 'cutToContext'],
      [{ contextLength: 30, tokenLimit: 20 }, 'cutToLimit'],
      [{ fixedLength: 20, contextLength: 512 }, 'cutToShape'],
      [{ memoryLimit: 20, contextLength: 512 }, 'cutToMemory'],
    ];
    for (const [limits, code] of cases) {
      const { stream, notices } = tokenizeText(bert, words, { ...free, ...limits });
      expect(stream.tokens.length).to.equal(20);
      expect(stream.tokens.at(-1)?.isSpecial).to.equal(true);
      expect(stream.tokens.at(-1)?.end).to.equal(stream.text.length);
      expect(words.startsWith(stream.text)).to.equal(true);
      expect(notices.map((notice) => notice.code)).to.deep.equal([code]);
      expect(notices[0]?.args[0]).to.equal(20);
    }
  });

  it('does not read a long text to its end, and does not cut it short where tokens are long', () => {
    const endless = `${' '.repeat(5000)}${words} `.repeat(50);
    const { stream } = tokenizeText(bert, endless, { ...free, tokenLimit: 100 });
    expect(stream.tokens.length).to.equal(100);
  });

  it('refuses a text without tokens', () => {
    expect(codeOfCall(() => tokenizeText(bert, '', free))).to.equal('noTokens');
    expect(codeOfCall(() => tokenizeText(bert, ' \n\t ', free))).to.equal('noTokens');
  });

  it('tells a tokenizer of another model by ids beyond the vocabulary', () => {
    expect(codeOfCall(() => tokenizeText(bert, 'Hello world', { ...free, vocabularySize: 10 }))).to.equal(
      'tokenizerMismatch',
    );
  });

  it('says which special tokens the text itself spells, and only those', () => {
    const said = (text: string): unknown => tokenizeText(bert, text, free).notices;
    expect(said('a [SEP] b [sep] [CLS]')).to.deep.equal([{ code: 'specialInText', args: ['[SEP], [CLS]'] }]);
    expect(said('[SEP][CLS][MASK][PAD][UNK]')).to.deep.equal([
      { code: 'specialInText', args: ['[SEP], [CLS], [MASK], …'] },
    ]);
    // What is not known becomes a special token too, and is not spelled so; what is added is not in the text.
    for (const text of ['plain words', '\u{1f9ff} \u3042', '[ SEP ]', 'SEP'])
      expect(said(text), text).to.deep.equal([]);
  });
});
