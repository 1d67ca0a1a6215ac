import { expect } from 'chai';
import { StrongestHeads } from '../../../src/model/strongestHeads';

const pattern = (...weights: number[]) => ({ numQueries: 2, numKeys: 2, weights: Float32Array.from(weights) });

describe('StrongestHeads', () => {
  it('names the head that reads each key most, the first one where two are equal', () => {
    const heads = new StrongestHeads();
    const first = pattern(1, 0, 0.25, 0.75);
    heads.add({ layer: 0, head: 0 }, first);
    heads.add({ layer: 0, head: 1 }, pattern(1, 0, 0.5, 0.5));
    heads.add({ layer: 2, head: 0 }, pattern(1, 0, 0.125, 0.875));
    expect(heads.reads(0, 8)).to.deep.equal([{ position: 0, weight: 1, head: { layer: 0, head: 0 } }]);
    expect(heads.reads(1, 8)).to.deep.equal([
      { position: 1, weight: 0.875, head: { layer: 2, head: 0 } },
      { position: 0, weight: 0.5, head: { layer: 0, head: 1 } },
    ]);
    expect(heads.reads(1, 1)).to.have.length(1);
    expect([...first.weights], 'patterns are the store’s').to.deep.equal([1, 0, 0.25, 0.75]);
  });

  it('has nothing to say of no heads', () => {
    expect(new StrongestHeads().reads(0, 8)).to.deep.equal([]);
  });
});
