import { expect } from 'chai';
import type { ComponentInfo } from '../../../../src/model/head';
import type { HeadProfile, ProfileMetric } from '../../../../src/model/profile/headProfile';
import {
  columnDifference,
  columnKey,
  fitsHeads,
  profileColumns,
  profileLanguages,
} from '../../../../src/model/profile/profileColumns';
import type { RelationRow } from '../../../../src/model/profile/profileFold';

const layer = (numHeads: number) => ({ numHeads, numKeyValueHeads: numHeads }) as ComponentInfo['layers'][number];
const component = { component: 'self', layers: [layer(2), layer(1)] } as unknown as ComponentInfo;
const metric = (given: Partial<ProfileMetric>): ProfileMetric => ({
  ...{ component: 'self', layer: 0, head: 0, metric: 'previousToken', count: 12, mean: 0.5, uniform: 0.1 },
  ...{ smallest: 0, largest: 1, deciles: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] },
  ...given,
});
const relation = (given: Partial<RelationRow>): RelationRow => ({
  ...{ component: 'self', layer: 1, head: 0, language: 'python', relation: 'definition' },
  ...{ queries: 10, pairs: 20, share: 0.4, baseline: 0.1, ratio: 4 },
  ...given,
});
const profile = (metrics: readonly ProfileMetric[], relations: readonly RelationRow[] = []): HeadProfile => ({
  about: { model: 'm', modelHash: '', length: 8, numTexts: 1, numChunks: 1, numTokens: 8 },
  ...{ metrics, relations, examples: [], texts: [] },
});

describe('columns of a profile', () => {
  it('have each head at its place, and nothing where the profile has nothing', () => {
    const columns = profileColumns(
      profile(
        [
          metric({ layer: 1, mean: 0.75, count: 7 }),
          metric({ metric: 'sinkKey' }),
          metric({ component: 'cross' }),
          metric({ layer: 4 }),
        ],
        [relation({}), relation({ language: 'go', share: 0.2 }), relation({ relation: 'sameLine', pairs: 0 })],
      ),
      component,
    );
    expect(columns.map(columnKey)).to.deep.equal(['previousToken', 'definition/go', 'definition/python']);
    expect(profileLanguages(columns)).to.deep.equal(['go', 'python']);
    const [own, go, python] = columns;
    expect([...own.values]).to.deep.equal([NaN, NaN, 0.75]);
    expect([...own.counts]).to.deep.equal([0, 0, 7]);
    expect(own.ratios[2]).to.be.closeTo(7.5, 1e-6);
    expect([...own.deciles.subarray(18)]).to.deep.equal(
      Array.from(Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
    );
    expect([...(columnDifference(python, go) ?? [])].map((value) => Math.round(value * 1e6) / 1e6)).to.deep.equal([
      NaN,
      NaN,
      0.2,
    ]);
    expect(columnDifference(own, undefined)).to.equal(undefined);
  });

  it('are of a model only where it has the same heads', () => {
    const heads = [metric({}), metric({ head: 1 }), metric({ layer: 1 })];
    expect(fitsHeads(profile(heads), [component])).to.equal(true);
    expect(fitsHeads(profile(heads.slice(0, 2)), [component])).to.equal(false);
    expect(fitsHeads(profile([...heads, metric({ layer: 1, head: 1 })]), [component])).to.equal(false);
    expect(fitsHeads(profile([...heads, metric({ component: 'cross' })]), [component])).to.equal(false);
  });
});
