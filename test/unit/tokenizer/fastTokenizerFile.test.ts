import { expect } from 'chai';
import { fastTokenizerFile } from '../../../src/tokenizer/pretrained/fastTokenizerFile';

describe('The file that fast_tokenizer_files names', () => {
  it('is the one for the newest version that is not newer than the reference', () => {
    expect(fastTokenizerFile(['tokenizer.json'])).to.equal(undefined);
    expect(fastTokenizerFile(['tokenizer.json', 'tokenizer.4.0.0.json'])).to.equal('tokenizer.4.0.0.json');
    expect(fastTokenizerFile(['tokenizer.5.18.json', 'tokenizer.4.0.0.json'])).to.equal('tokenizer.5.18.json');
    expect(fastTokenizerFile(['tokenizer.4.0.0.json', 'tokenizer.5.18.1.json', 'tokenizer.6.0.0.json'])).to.equal(
      'tokenizer.4.0.0.json',
    );
    // In the order of their names, as there: 100 stands before 4.
    expect(fastTokenizerFile(['tokenizer.100.0.0.json', 'tokenizer.4.0.0.json'])).to.equal(undefined);
  });

  it('lies beside tokenizer.json', () => {
    for (const listed of [undefined, 'tokenizer.4.0.0.json', {}, ['../tokenizer.4.0.0.json', 'a/tokenizer.1.json', 7]])
      expect(fastTokenizerFile(listed)).to.equal(undefined);
  });
});
