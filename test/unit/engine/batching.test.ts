import { expect } from 'chai';
import * as ort from 'onnxruntime-web';
import { Batching } from '../../../src/engine/effects/batching';

describe('tensors in a batch', () => {
  const floats = (dims: number[], from = 0): ort.Tensor =>
    new ort.Tensor(
      'float32',
      Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => from + (i % 6)),
      dims,
    );
  const counts = (...values: number[]): ort.Tensor =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);
  const learn = (one: ort.Tensor, two: ort.Tensor): Batching | string =>
    Batching.learn(
      ort,
      ['x'],
      () => one,
      () => two,
    );

  it('are repeated along the axis in which a run of two items is twice as large', () => {
    const one = floats([1, 2, 3]);
    const batching = learn(one, floats([2, 2, 3]));
    if (typeof batching === 'string') throw new Error(batching);
    expect(batching.hasItemsFirst('x')).to.equal(true);
    const three = batching.repeat('x', one, 3);
    expect(three.dims).to.deep.equal([3, 2, 3]);
    expect([...(three.data as Float32Array)]).to.deep.equal([...(floats([3, 2, 3]).data as Float32Array)]);
  });

  it('stay as they are, or count items where they do so of two', () => {
    const same = learn(counts(1, 7), counts(1, 7));
    const some = learn(counts(1, 7, -1), counts(2, 7, -1));
    if (typeof same === 'string' || typeof some === 'string') throw new Error('not learned');
    expect([...(same.repeat('x', counts(1, 7), 5).data as BigInt64Array)]).to.deep.equal([1n, 7n]);
    expect([...(some.repeat('x', counts(1, 9, -1), 5).data as BigInt64Array)]).to.deep.equal([5n, 9n, -1n]);
  });

  it('are not known where items are mixed, or the numbers of one are others', () => {
    expect(learn(floats([1, 2, 3]), floats([2, 2, 3], 1)), 'other numbers').to.be.a('string');
    expect(learn(floats([2, 3]), floats([3, 3])), 'half an item more').to.be.a('string');
    expect(learn(counts(1, 7), counts(3, 7)), 'three for two').to.be.a('string');
  });
});
