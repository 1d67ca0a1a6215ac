import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { inLanguage, languageCodes, targetOpening } from '../../../../src/engine/text/languages';
import { givenTarget } from '../../../../src/engine/text/targetText';
import type { Languages } from '../../../../src/model/modelInfo';
import { Tokenizer } from '../../../../src/tokenizer/tokenizer';
import { codeOfCall } from '../../../harness/codeOf';

interface Case {
  readonly name: string;
  readonly modelType: string;
  readonly endId: number;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly texts: readonly {
    readonly languages: Languages | null;
    readonly source: readonly number[];
    readonly target: readonly number[];
  }[];
}

const folder = 'test/fixtures/languages';
const { transformers, cases } = JSON.parse(readFileSync(`${folder}/cases.json`, 'utf8')) as {
  transformers: string;
  cases: readonly Case[];
};

describe(`languages of a translation (transformers ${transformers})`, () => {
  for (const { name, modelType, endId, tokenizerConfig, texts } of cases) {
    const tokenizer = Tokenizer.fromJson(readFileSync(`${folder}/${name}.json`, 'utf8'));
    const endIds = new Set([endId]);
    const rules = { startId: endId, endIds, forcedFirstId: undefined };

    it(`are known by the codes of ${name}`, () => {
      const codes = languageCodes(tokenizer);
      for (const { languages } of texts)
        if (languages !== null) expect(codes).to.include.members([languages.source, languages.target]);
      expect(codes).to.have.length.within(20, 300);
      expect(codes.filter((code) => /[<>]|mask/.test(code))).to.deep.equal([]);
    });

    it(`have their codes where ${name} puts them, before the source or after it`, () => {
      for (const { languages, source } of texts) {
        const own = tokenizer.encode('a c');
        const encoding = languages?.source === undefined ? own : inLanguage(tokenizer, own, languages.source, endIds);
        expect([...encoding.ids]).to.deep.equal(source);
        expect([...encoding.starts]).to.deep.equal([...own.starts]);
      }
    });

    it(`begin a target as the decoder of ${name} reads it`, () => {
      for (const { languages, target } of texts) {
        const opening = targetOpening(tokenizer, languages?.target, {
          tokenizerConfig,
          config: { model_type: modelType },
          endIds,
        });
        expect(givenTarget(tokenizer, 'a b', rules, opening).tokens.map(({ id }) => id)).to.deep.equal(target);
      }
    });

    it(`are refused where ${name} does not know them, and not asked for where nobody names any`, () => {
      expect(codeOfCall(() => inLanguage(tokenizer, tokenizer.encode('a'), 'xx_Nope', endIds))).to.equal(
        'invalidArgument',
      );
      expect(codeOfCall(() => inLanguage(tokenizer, tokenizer.encode('a'), '<unk>_', endIds))).to.equal(
        'invalidArgument',
      );
      expect(targetOpening(tokenizer, undefined, { tokenizerConfig: {}, config: {}, endIds })).to.equal(undefined);
    });
  }

  it('are told without the marks that M2M100 spells them with', () => {
    expect(
      languageCodes({ specialTokens: ['<s>', '__en__', '__zh_Hans__', 'en_XX', '<mask>', '__', 'eng'] }),
    ).to.deep.equal(['en', 'zh_Hans', 'en_XX']);
  });
});
