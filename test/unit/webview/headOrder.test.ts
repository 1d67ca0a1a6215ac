import { expect } from 'chai';
import { headLabel, type ComponentInfo } from '../../../src/model/head';
import { plain } from '../../../src/base/safeText';
import {
  headAtPlace,
  orderHeads,
  placeOfHead,
  rankOfPlace,
  rowsOf,
  type HeadOrder,
} from '../../../webview/layout/headOrder';

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

const headsOfRows = (order: HeadOrder): string[][] => order.rows.map((row) => row.map(headLabel));

describe('the order of heads', () => {
  const values = Float32Array.of(0.1, 0.7, 0.1, NaN, 0.9);
  const order = orderHeads(component, values, 'layer');
  const across = orderHeads(component, values, 'all');

  it('has the largest of each layer first, equal ones as they stood, and those without a number last', () => {
    expect(headsOfRows(order)).to.deep.equal([
      ['0.1', '0.0', '0.2'],
      ['1.1', '1.0'],
    ]);
  });

  it('has the largest of all layers first, row by row', () => {
    expect(headsOfRows(across)).to.deep.equal([
      ['1.1', '0.1', '0.0'],
      ['0.2', '1.0'],
    ]);
    expect(rowsOf(component, across).layers.map(({ numHeads }) => numHeads)).to.deep.equal([3, 2]);
    expect(rankOfPlace(across, placeOfHead(across, { layer: 1, head: 0 }))).to.equal(5);
    // No more rows than the model has layers, which the grid has room for.
    const uneven = { ...component, layers: [1, 1, 6].map(layerOf) };
    const packed = orderHeads(uneven, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), 'all');
    expect(headsOfRows(packed)).to.deep.equal([
      ['2.5', '2.4', '2.3', '2.2', '2.1', '2.0'],
      ['1.0', '0.0'],
    ]);
  });

  it('finds the place of each head, and the head of each place', () => {
    for (const each of [order, across])
      for (const [row, heads] of each.rows.entries())
        for (const [column, head] of heads.entries()) {
          expect(placeOfHead(each, head)).to.deep.equal({ layer: row, head: column });
          expect(headAtPlace(each, { layer: row, head: column })).to.deep.equal(head);
        }
    expect(placeOfHead(order, { layer: 0, head: 0 })).to.deep.equal({ layer: 0, head: 1 });
  });

  it('leaves headers, and everything where there is none, where they are', () => {
    for (const each of [order, across])
      for (const cell of [
        { layer: -1, head: 1 },
        { layer: 1, head: -1 },
        { layer: -1, head: -1 },
      ]) {
        expect(placeOfHead(each, cell)).to.deep.equal(cell);
        expect(headAtPlace(each, cell)).to.deep.equal(cell);
      }
    expect(placeOfHead(undefined, { layer: 0, head: 2 })).to.deep.equal({ layer: 0, head: 2 });
    expect(rowsOf(component, undefined)).to.equal(component);
  });
});
