import { expect } from 'chai';
import { headMetrics, MetricSums, metricNames, metricsOf, numRepeated, valuesOf } from '../../../src/model/headMetrics';
import type { Pattern } from '../../../src/model/pattern';

const causal = (n: number, value: (query: number, key: number) => number): Pattern => ({
  numQueries: n,
  numKeys: n,
  weights: Float32Array.from({ length: n * n }, (_, i) =>
    i % n <= Math.floor(i / n) ? value(Math.floor(i / n), i % n) : 0,
  ),
});

describe('head metrics', () => {
  const ids = [5, 6, 7, 5, 6, 7];

  it('know a previous-token head', () => {
    const metrics = headMetrics(
      causal(6, (q, k) => (k === Math.max(0, q - 1) ? 1 : 0)),
      ids,
      true,
    );
    expect(metrics.previousToken).to.equal(1);
    expect(metrics.self).to.be.closeTo(1 / 6, 1e-6);
    expect(metrics.entropy).to.equal(0);
    expect(metrics.distance).to.be.closeTo(5 / 6, 1e-6);
  });

  it('know an induction head: it reads what followed the same token before', () => {
    const metrics = headMetrics(
      causal(6, (q, k) => (q < 3 ? (k === 0 ? 1 : 0) : k === q - 2 ? 1 : 0)),
      ids,
      true,
    );
    expect(metrics.induction).to.be.closeTo(3 / 6, 1e-6);
    expect(metrics.duplicateToken).to.equal(0);
  });

  it('know a duplicate-token head', () => {
    const metrics = headMetrics(
      causal(6, (q, k) => (k === (q < 3 ? 0 : q - 3) ? 1 : 0)),
      ids,
      true,
    );
    expect(metrics.duplicateToken).to.be.closeTo(3 / 6, 1e-6);
  });

  it('give a uniform head the full entropy: one where causal, log n nats where not', () => {
    expect(
      headMetrics(
        causal(6, (q) => 1 / (q + 1)),
        ids,
        true,
      ).entropy,
    ).to.be.closeTo(1, 1e-6);
    expect(
      headMetrics({ numQueries: 4, numKeys: 4, weights: new Float32Array(16).fill(0.25) }, [1, 2, 3, 4], false).entropy,
    ).to.be.closeTo(Math.log(4), 1e-6);
  });

  it('find the sink, wherever it is', () => {
    const metrics = headMetrics(
      causal(12, (q, k) => (q < 2 ? 1 / (q + 1) : q === 11 ? (k === 11 ? 1 : 0) : k === 2 ? 1 : 0)),
      [...ids, ...ids],
      true,
    );
    expect(metrics).to.include({ sinkKey: 2 }).and.to.have.property('sinkMass').that.is.closeTo(0.9, 1e-6);
  });

  it('count induction over the repeated tokens alone too, without what is hardly read', () => {
    const metrics = headMetrics(
      causal(6, (q, k) => (q < 3 ? (k === 0 ? 1 : 0) : k === q - 2 ? (q === 3 ? 0.005 : 1) : 0)),
      ids,
      true,
    );
    expect(metrics.induction).to.be.closeTo(2.005 / 6, 1e-6);
    expect(metrics.repeatedInduction).to.be.closeTo(2 / 3, 1e-6);
    expect(numRepeated(ids)).to.equal(3);
    expect(
      headMetrics(
        causal(3, () => 0.3),
        [1, 2, 3],
        true,
      ).repeatedInduction,
    ).to.equal(0);
  });

  it('are the same from parts of a pattern', () => {
    const pattern = causal(12, (q, k) => (((q * 7 + k * 3) % 5) + 1) / 40);
    const twice = [...ids, ...ids];
    for (const isCausal of [true, false]) {
      const sums = new MetricSums({ numQueries: 12, numKeys: 12, isCausal, ids: twice });
      for (const [from, to] of [
        [0, 5],
        [5, 6],
        [6, 12],
      ])
        sums.add(from, pattern.weights.subarray(from * 12, to * 12));
      expect(sums.metrics).to.deep.equal(headMetrics(pattern, twice, isCausal));
    }
  });

  it('leave out what says nothing: induction with few repeated tokens, and positions of two texts', () => {
    const component = { component: 'self', layers: [], queryStream: 0, keyStream: 0, isCausal: true } as const;
    expect(metricsOf(component, [...ids, ...ids])).to.deep.equal(metricNames);
    expect(metricsOf(component, ids))
      .to.include('previousToken')
      .and.not.include('induction')
      .and.not.include('repeatedInduction');
    expect(metricsOf({ ...component, keyStream: 1 }, [...ids, ...ids])).to.deep.equal(['sinkMass', 'entropy']);
  });

  it('stand by head in one array', () => {
    const values = Float32Array.from({ length: 2 * metricNames.length }, (_, i) => i);
    expect([...valuesOf({ values, sinkKeys: new Int32Array(2) }, 'induction')]).to.deep.equal([
      1,
      1 + metricNames.length,
    ]);
  });
});
