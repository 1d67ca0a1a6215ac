import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { tokenize } from '../../../src/cli/tokenize';

describe('attention-explorer tokenize', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ae-tokenize-'));
    cpSync('test/fixtures/zoo/tokenizer.bert_uncased/tokenizer.json', join(folder, 'tokenizer.json'));
    writeFileSync(
      join(folder, 'tokenizer_config.json'),
      JSON.stringify({ tokenizer_class: 'BertTokenizer', invented_setting: 1 }),
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints what the editor would tell', async () => {
    const { ids, notices } = JSON.parse(String(await tokenize(join(folder, 'tokenizer.json'), 'hello [SEP]'))) as {
      ids: number[];
      notices: string[];
    };
    expect(ids).to.have.lengthOf.above(2);
    expect(notices).to.have.lengthOf(2);
    expect(notices[0]).to.contain('invented_setting');
    expect(notices[1]).to.contain('[SEP]');
  });

  it('says nothing where there is nothing to tell', async () => {
    expect(
      JSON.parse(String(await tokenize('test/fixtures/zoo/tokenizer.gpt2/tokenizer.json', 'hello'))),
    ).to.deep.include({ notices: [] });
  });

  it('reads the file that is for the version of the reference library', async () => {
    const own = join(folder, 'versions');
    cpSync('test/fixtures/zoo/tokenizer.gpt2/tokenizer.json', join(own, 'tokenizer.json'));
    cpSync('test/fixtures/zoo/tokenizer.bert_uncased/tokenizer.json', join(own, 'tokenizer.4.0.0.json'));
    const idsWith = async (files: readonly string[]): Promise<readonly [unknown, unknown]> => {
      writeFileSync(join(own, 'tokenizer_config.json'), JSON.stringify({ fast_tokenizer_files: files }));
      const { ids, notices } = JSON.parse(String(await tokenize(join(own, 'tokenizer.json'), 'hello'))) as Record<
        string,
        unknown
      >;
      return [ids, notices];
    };
    const [gpt2] = await idsWith(['tokenizer.json', 'tokenizer.99.json']);
    const [bert, told] = await idsWith(['tokenizer.json', 'tokenizer.4.0.0.json', 'tokenizer.99.json']);
    expect([bert, told]).to.not.deep.equal([gpt2, []]);
    expect(told).to.deep.equal([]);
    const [same, notices] = await idsWith(['tokenizer.json', 'tokenizer.4.1.0.json']);
    expect(same).to.deep.equal(gpt2);
    expect(String(notices)).to.contain('tokenizer.4.1.0.json').and.to.contain('missing');
  });
});
