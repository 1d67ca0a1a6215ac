import assert from 'node:assert/strict';
import { isSameData } from '../../../src/base/isSameData';

describe('Whether data say the same', () => {
  it('follows arrays and objects, and no order of keys', () => {
    assert.ok(isSameData({ a: [1, { b: 'c' }], d: undefined }, { d: undefined, a: [1, { b: 'c' }] }));
    assert.ok(isSameData(NaN, NaN));
    for (const [one, other] of [
      [{ a: 1 }, { a: 2 }],
      [{ a: 1 }, { a: 1, b: undefined }],
      [{ a: undefined }, { b: undefined }],
      [[1, 2], [1]],
      [[], {}],
      [null, {}],
      ['1', 1],
    ])
      assert.ok(!isSameData(one, other) && !isSameData(other, one));
  });
});
