import { expect } from 'chai';
import { headMetrics } from '../../../src/model/headMetrics';
import type { Pattern } from '../../../src/model/pattern';

const causal = (n: number, value: (query: number, key: number) => number): Pattern => ({
  numQueries: n,
  numKeys: n,
  weights: Float32Array.from({ length: n * n }, (_, i) => (i % n <= Math.floor(i / n) ? value(Math.floor(i / n), i % n) : 0)),
});

describe('head metrics', () => {
  const ids = [5, 6, 7, 5, 6, 7];

  it('know a previous-token head', () => {
    const metrics = headMetrics(causal(6, (q, k) => (k === Math.max(0, q - 1) ? 1 : 0)), ids, true);
    expect(metrics.previousToken).to.equal(1);
    expect(metrics.self).to.be.closeTo(1 / 6, 1e-6);
    expect(metrics.entropy).to.equal(0);
    expect(metrics.distance).to.be.closeTo(5 / 6, 1e-6);
  });

  it('know an induction head: it reads what followed the same token before', () => {
    const metrics = headMetrics(causal(6, (q, k) => (q < 3 ? (k === 0 ? 1 : 0) : k === q - 2 ? 1 : 0)), ids, true);
    expect(metrics.induction).to.be.closeTo(3 / 6, 1e-6);
    expect(metrics.duplicateToken).to.equal(0);
  });

  it('know a duplicate-token head', () => {
    const metrics = headMetrics(causal(6, (q, k) => (k === (q < 3 ? 0 : q - 3) ? 1 : 0)), ids, true);
    expect(metrics.duplicateToken).to.be.closeTo(3 / 6, 1e-6);
  });

  it('give a uniform head the full entropy: one where causal, log n nats where not', () => {
    expect(headMetrics(causal(6, (q) => 1 / (q + 1)), ids, true).entropy).to.be.closeTo(1, 1e-6);
    expect(headMetrics({ numQueries: 4, numKeys: 4, weights: new Float32Array(16).fill(0.25) }, [1, 2, 3, 4], false).entropy).to.be.closeTo(Math.log(4), 1e-6);
  });

  it('find the sink, wherever it is', () => {
    const metrics = headMetrics(causal(12, (q, k) => (q < 2 ? 1 / (q + 1) : q === 11 ? (k === 11 ? 1 : 0) : k === 2 ? 1 : 0)), [...ids, ...ids], true);
    expect(metrics).to.include({ sinkKey: 2 })
      .and.to.have.property('sinkMass')
      .that.is.closeTo(0.9, 1e-6);
  });
});
