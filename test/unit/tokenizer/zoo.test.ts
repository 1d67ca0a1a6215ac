import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { globSync } from 'glob';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { type PlainEncoding, toPlain } from './reference';
import { whyOffsetsDiffer } from './trueOffsets';

const folders = globSync('test/fixtures/zoo/tokenizer.*', { posix: true }).sort();

describe('Tokenizer on the zoo', () => {
  it('has cases', () => expect(folders.length).to.be.greaterThan(6));

  for (const folder of folders) {
    const json = readFileSync(`${folder}/tokenizer.json`, 'utf8');
    const cases = JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as (PlainEncoding & { text: string })[];
    describe(folder, () => {
      const tokenizer = Tokenizer.fromJson(json, folder);
      for (const { text, ...expected } of cases.filter((entry) => !/\p{Surrogate}/u.test(entry.text))) {
        it(JSON.stringify(text), () => {
          const actual = toPlain(tokenizer.encode(text));
          const isTruer =
            whyOffsetsDiffer(text, actual.offsets, expected.offsets) !== undefined && json.includes('"Replace"');
          expect(isTruer ? { ...actual, offsets: expected.offsets } : actual).to.deep.equal(expected);
        });
      }
    });
  }
});
