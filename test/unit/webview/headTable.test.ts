import { expect } from 'chai';
import { parseHeadFilter } from '../../../webview/layout/headFilter';
import { axisFor, placeOn } from '../../../webview/layout/scatter';
import { sortHeads } from '../../../webview/layout/sortHeads';

const heads = [
  { layer: 0, head: 0, index: 0 },
  { layer: 0, head: 1, index: 1 },
  { layer: 1, head: 0, index: 2 },
  { layer: 1, head: 1, index: 3 },
];
const columns = [
  { names: ['previousToken', 'previous token'], values: [0.9, 0.1, NaN, 0.2] },
  { names: ['self', 'itself'], values: [0, 0.5, 0.3, 0.2] },
];

describe('a filter of heads', () => {
  const kept = (text: string): number[] | undefined => {
    const test = parseHeadFilter(text, columns);
    return test && heads.filter((head) => test(head, head.index)).map(({ index }) => index);
  };

  it('takes layers and heads as alternatives, and comparisons together', () => {
    expect(kept('')).to.deep.equal([0, 1, 2, 3]);
    expect(kept('1')).to.deep.equal([2, 3]);
    expect(kept('0.1, 1.0')).to.deep.equal([1, 2]);
    expect(kept('self > 0.2')).to.deep.equal([1, 2]);
    expect(kept('Previous >= .1, itself<0.3')).to.deep.equal([0, 3]);
    expect(kept('1, self <= 0.2')).to.deep.equal([3]);
  });

  it('keeps no head without a number in a comparison', () => {
    expect(kept('previousToken < 1')).to.deep.equal([0, 1, 3]);
  });

  it('is none where it cannot be understood', () => {
    for (const text of ['self', 'beauty > 1', 'self > x', '> 0.1', '1.2.3'])
      expect(kept(text), text).to.equal(undefined);
  });
});

describe('heads by one number', () => {
  const order = (values: readonly number[] | undefined, isAscending: boolean): number[] =>
    sortHeads(heads, values, isAscending).map(({ index }) => index);

  it('come in both orders, those without a number last in either, equal ones as they stand', () => {
    expect(order([0.9, 0.1, NaN, 0.2], false)).to.deep.equal([0, 3, 1, 2]);
    expect(order([0.9, 0.1, NaN, 0.2], true)).to.deep.equal([1, 3, 0, 2]);
    expect(order([1, 2, 2, 1], false)).to.deep.equal([1, 2, 0, 3]);
    expect(order(undefined, false)).to.deep.equal([3, 2, 1, 0]);
  });
});

describe('an axis of the scatter', () => {
  it('has round ends that hold all numbers', () => {
    expect(axisFor([0.03, 0.93])).to.deep.equal({ low: 0, high: 1, marks: [0, 0.25, 0.5, 0.75, 1] });
    expect(axisFor([3, 117]).high).to.equal(150);
    expect(axisFor([])).to.deep.include({ low: 0, high: 1 });
    expect(placeOn(axisFor([4]), 2)).to.equal(0.5);
  });
});
