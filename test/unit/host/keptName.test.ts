import { expect } from 'chai';
import { isKeptOf, keptName } from '../../../src/host/profiles/keptName';

const madeAt = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));

describe('the folder of a profile that is kept', () => {
  it('is known by its model, and not taken for that of one whose name begins alike', () => {
    expect(keptName('gpt2', madeAt)).to.equal('gpt2-2026-01-02T03.04.05');
    for (const model of ['gpt2', 'Qwen 2.5/0.5B', 'x'.repeat(100)]) {
      expect(isKeptOf(keptName(model, madeAt), model), model).to.equal(true);
      // Where something stands there already.
      expect(isKeptOf(`${keptName(model, madeAt)}-2`, model), model).to.equal(true);
    }
    expect(isKeptOf(keptName('gpt2-medium', madeAt), 'gpt2')).to.equal(false);
    expect(isKeptOf(keptName('gpt2', madeAt), 'gpt2-medium')).to.equal(false);
  });
});
