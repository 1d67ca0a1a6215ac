import { expect } from 'chai';
import { plain } from '../../../src/base/safeText';
import type { ComponentInfo } from '../../../src/model/head';
import { metricCeiling } from '../../../src/model/metrics/headTable';
import { rankHeads } from '../../../src/model/rankHeads';

describe('heads by a number', () => {
  const layer = {
    path: plain('x'),
    numHeads: 2,
    numKeyValueHeads: 2,
    normalization: 'softmax',
    method: 'exposed',
    held: 'whole',
  } as const;
  const component: ComponentInfo = {
    component: 'self',
    layers: [layer, { ...layer, numHeads: 3 }],
    queryStream: 0,
    keyStream: 0,
    isCausal: true,
  };

  it('come strongest first, in reading order where they are alike', () => {
    const order = rankHeads(component, [0.1, 0.5, 0.5, 0.9, 0]).map(({ layer: l, head, value }) => [l, head, value]);
    expect(order).to.deep.equal([
      [1, 1, 0.9],
      [0, 1, 0.5],
      [1, 0, 0.5],
      [0, 0, 0.1],
      [1, 2, 0],
    ]);
    expect(rankHeads(component, [NaN, 0.5, NaN, 0, 1]).map(({ value }) => value)).to.deep.equal([1, 0.5, 0, NaN, NaN]);
  });

  it('have one ceiling for shares, and the largest of what is none', () => {
    expect(metricCeiling('self', component, [0.1, 0.2])).to.equal(1);
    expect(metricCeiling('entropy', component, [0.1, 0.2])).to.equal(1);
    expect(metricCeiling('entropy', { ...component, isCausal: false }, [0.1, 3.5])).to.equal(3.5);
    expect(metricCeiling('distance', component, [4, 17])).to.equal(17);
  });
});
