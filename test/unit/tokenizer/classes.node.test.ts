import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { compareFolder, type Comparison, readCases } from './compareFolder';

const cases = readCases(gunzipSync(readFileSync('test/fixtures/tokenizers/cases.jsonl.gz')).toString('utf8'));
const kinds = [...new Set(cases.folders.map(({ kind }) => kind))];

const outcomes = new Map<string, Comparison[]>();

describe(`Tokenizer folders as transformers ${cases.versions['transformers']} reads them`, function () {
  this.timeout(60_000);

  for (const kind of kinds) {
    it(kind, () => {
      const compared = cases.folders
        .filter((each) => each.kind === kind)
        .map((folder) => ({ ...compareFolder(cases, folder), name: folder.name }));
      outcomes.set(kind, compared);
      for (const { outcome, name, detail } of compared) expect(outcome, `${name}: ${detail}`).to.not.equal('wrong');
    });
  }

  it('has cases of most classes, and most are equal', () => {
    expect(kinds.length).to.be.greaterThan(90);
    const equal = [...outcomes.values()].flat().filter(({ outcome }) => outcome === 'equal').length;
    expect(equal).to.be.greaterThan(cases.folders.length / 2);
  });
});
