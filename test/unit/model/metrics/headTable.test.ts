import { expect } from 'chai';
import { columnOf, headMetrics, MetricSums, tellingMetrics } from '../../../../src/model/metrics/headTable';
import { metricIds } from '../../../../src/model/metrics/metrics';
import { MetricText } from '../../../../src/model/metrics/metricText';
import type { Pattern } from '../../../../src/model/pattern';
import { textOf } from '../../../harness/metricText';

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
      textOf(ids),
    );
    expect(metrics.previousToken).to.equal(1);
    expect(metrics.self).to.be.closeTo(1 / 6, 1e-6);
    expect(metrics.entropy).to.equal(0);
    expect(metrics.distance).to.be.closeTo(5 / 6, 1e-6);
  });

  it('know an induction head: it reads what followed the same token before', () => {
    const metrics = headMetrics(
      causal(6, (q, k) => (q < 3 ? (k === 0 ? 1 : 0) : k === q - 2 ? 1 : 0)),
      textOf(ids),
    );
    expect(metrics.induction).to.be.closeTo(3 / 6, 1e-6);
    expect(metrics.duplicateToken).to.equal(0);
  });

  it('know a duplicate-token head', () => {
    const metrics = headMetrics(
      causal(6, (q, k) => (k === (q < 3 ? 0 : q - 3) ? 1 : 0)),
      textOf(ids),
    );
    expect(metrics.duplicateToken).to.be.closeTo(3 / 6, 1e-6);
  });

  it('give a uniform head the full entropy: one where causal, log n nats where not', () => {
    expect(
      headMetrics(
        causal(6, (q) => 1 / (q + 1)),
        textOf(ids),
      ).entropy,
    ).to.be.closeTo(1, 1e-6);
    expect(
      headMetrics({ numQueries: 4, numKeys: 4, weights: new Float32Array(16).fill(0.25) }, textOf([1, 2, 3, 4], false))
        .entropy,
    ).to.be.closeTo(Math.log(4), 1e-6);
  });

  it('find the sink, wherever it is', () => {
    const metrics = headMetrics(
      causal(12, (q, k) => (q < 2 ? 1 / (q + 1) : q === 11 ? (k === 11 ? 1 : 0) : k === 2 ? 1 : 0)),
      textOf([...ids, ...ids]),
    );
    expect(metrics).to.include({ sinkKey: 2 }).and.to.have.property('sinkMass').that.is.closeTo(0.9, 1e-6);
  });

  it('count induction over the repeated tokens alone too, without what is hardly read', () => {
    const metrics = headMetrics(
      causal(6, (q, k) => (q < 3 ? (k === 0 ? 1 : 0) : k === q - 2 ? (q === 3 ? 0.005 : 1) : 0)),
      textOf(ids),
    );
    expect(metrics.induction).to.be.closeTo(2.005 / 6, 1e-6);
    expect(metrics.repeatedInduction).to.be.closeTo(2 / 3, 1e-6);
    expect(new MetricText(textOf(ids)).numRepeated).to.equal(3);
    expect(
      headMetrics(
        causal(3, () => 0.3),
        textOf([1, 2, 3]),
      ).repeatedInduction,
    ).to.equal(0);
  });

  it('are the same from parts of a pattern', () => {
    const pattern = causal(12, (q, k) => (((q * 7 + k * 3) % 5) + 1) / 40);
    const twice = [...ids, ...ids];
    for (const isCausal of [true, false]) {
      const sums = new MetricSums(metricIds, new MetricText(textOf(twice, isCausal)), pattern);
      for (const [from, to] of [
        [0, 5],
        [5, 6],
        [6, 12],
      ])
        sums.add(from, pattern.weights.subarray(from * 12, to * 12));
      const whole = headMetrics(pattern, textOf(twice, isCausal));
      expect(sums.values()).to.deep.equal(metricIds.map((id) => whole[id]));
    }
  });

  it('leave out what says nothing: induction with few repeated tokens, and positions of two texts', () => {
    const component = { component: 'self', layers: [], queryStream: 0, keyStream: 0, isCausal: true } as const;
    const twice = textOf([...ids, ...ids]);
    expect(tellingMetrics(component, twice)).to.deep.equal(
      metricIds.filter((id) => !/^(?:sinkKey|delimiters|normShare|reads\w*)$/.test(id)),
    );
    expect(tellingMetrics(component, textOf(ids)))
      .to.include('previousToken')
      .and.not.include('induction')
      .and.not.include('repeatedInduction');
    expect(
      tellingMetrics({ ...component, keyStream: 1, isCausal: false }, { ...twice, isCausal: false }),
    ).to.deep.equal(['sinkMass', 'entropy']);
  });

  it('stand by head in one table', () => {
    const table = { metrics: ['self', 'induction'], values: Float32Array.of(0, 1, 2, 3) } as const;
    expect([...(columnOf(table, 'induction') ?? [])]).to.deep.equal([1, 3]);
    expect(columnOf(table, 'entropy')).to.equal(undefined);
  });
});
