import { expect } from 'chai';
import { headNames } from '../../../../src/model/profile/headNames';
import type { MetricRow, RelationRow } from '../../../../src/model/profile/profileFold';

const metric = (given: Partial<MetricRow>): MetricRow => ({
  component: 'self',
  layer: 0,
  head: 0,
  metric: 'previousToken',
  unit: 'share',
  count: 10,
  mean: 0.5,
  variance: 0,
  uniform: 0.1,
  smallest: 0,
  largest: 1,
  deciles: [],
  bins: [],
  examples: [],
  ...given,
});

const relation = (given: Partial<RelationRow>): RelationRow => ({
  component: 'self',
  layer: 0,
  head: 0,
  language: 'python',
  relation: 'matchingBracket',
  queries: 100,
  pairs: 100,
  share: 0.3,
  baseline: 0.06,
  ratio: 5,
  ...given,
});

describe('Names of heads', () => {
  it('are given where value and ratio reach their thresholds, and stand beside both', () => {
    expect(headNames([metric({})], [relation({ layer: 1 })])).to.deep.equal([
      {
        ...{ component: 'self', layer: 0, head: 0, name: 'previous token', language: '' },
        ...{ value: 0.5, baseline: 0.1, ratio: 5, leastValue: 0.5, leastRatio: 5 },
      },
      {
        ...{ component: 'self', layer: 1, head: 0, name: 'matching bracket', language: 'python' },
        ...{ value: 0.3, baseline: 0.06, ratio: 5, leastValue: 0.3, leastRatio: 5 },
      },
    ]);
  });

  it('are not given for too little, for what its baseline has too, or over too few chunks or pairs', () => {
    for (const given of [
      { mean: 0.49 },
      { uniform: 0.11 },
      { uniform: 0 },
      { count: 9 },
      { metric: 'distance' as const },
    ])
      expect(headNames([metric(given)], []), JSON.stringify(given)).to.deep.equal([]);
    for (const given of [
      { share: 0.29 },
      { ratio: 4.9 },
      { ratio: NaN },
      { pairs: 99 },
      { relation: 'sameLine' as const },
    ])
      expect(headNames([], [relation(given)]), JSON.stringify(given)).to.deep.equal([]);
  });

  it('come in the order of heads', () => {
    const names = headNames(
      [metric({ layer: 1 }), metric({ head: 2 }), metric({ layer: 1, metric: 'self' })],
      [relation({ head: 1 })],
    );
    expect(names.map(({ layer, head, name }) => [layer, head, name])).to.deep.equal([
      [0, 1, 'matching bracket'],
      [0, 2, 'previous token'],
      [1, 0, 'previous token'],
      [1, 0, 'itself'],
    ]);
  });
});
