import { expect } from 'chai';
import type { ComponentInfo } from '../../../src/model/head';
import { plain } from '../../../src/base/safeText';
import { headAtPlace, orderHeads, placeOfHead } from '../../../webview/layout/headOrder';

const layerOf = (numHeads: number): ComponentInfo['layers'][number] => ({
  path: plain('/layer'),
  numHeads,
  numKeyValueHeads: numHeads,
  normalization: 'softmax',
  method: 'exposed',
  held: 'whole',
});
const component: ComponentInfo = {
  component: 'self',
  layers: [layerOf(3), layerOf(2)],
  queryStream: 0,
  keyStream: 0,
  isCausal: true,
};

describe('the order of heads', () => {
  const order = orderHeads(component, Float32Array.of(0.1, 0.7, 0.1, 0.2, 0.9));

  it('has the largest of each layer first, and equal ones as they stood', () => {
    expect(order).to.deep.equal([
      [1, 0, 2],
      [1, 0],
    ]);
  });

  it('finds the place of each head, and the head of each place', () => {
    for (const [layer, heads] of order.entries())
      for (const head of heads)
        expect(headAtPlace(order, placeOfHead(order, { layer, head }))).to.deep.equal({ layer, head });
    expect(placeOfHead(order, { layer: 0, head: 0 })).to.deep.equal({ layer: 0, head: 1 });
  });

  it('leaves headers, and everything where there is none, where they are', () => {
    for (const cell of [
      { layer: -1, head: 1 },
      { layer: 1, head: -1 },
      { layer: -1, head: -1 },
    ]) {
      expect(placeOfHead(order, cell)).to.deep.equal(cell);
      expect(headAtPlace(order, cell)).to.deep.equal(cell);
    }
    expect(placeOfHead(undefined, { layer: 0, head: 2 })).to.deep.equal({ layer: 0, head: 2 });
  });
});
