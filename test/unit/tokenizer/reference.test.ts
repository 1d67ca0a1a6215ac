import { expect } from 'chai';
import * as fc from 'fast-check';
import { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { encodeByReference, readReference, toPlain } from './reference';
import { hardText } from './texts';
import { variants } from './variants';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 60);

describe('Tokenizer against the reference library', function () {
  this.timeout(300_000);

  for (const [name, config] of Object.entries(variants)) {
    it(name, async () => {
      const json = JSON.stringify(config);
      const reference = readReference(json);
      const tokenizer = Tokenizer.fromJson(json);
      await fc.assert(
        fc.asyncProperty(hardText, fc.boolean(), async (text, addSpecialTokens) => {
          const actual = toPlain(tokenizer.encode(text, { addSpecialTokens }));
          expect(actual).to.deep.equal(await encodeByReference(reference, text, addSpecialTokens));
        }),
        { numRuns },
      );
    });
  }
});
