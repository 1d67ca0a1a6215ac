import { expect } from 'chai';
import { PatternReduction } from '../../../../src/engine/profile/patternReduction';
import { patternSummer } from '../../../../src/engine/profile/patternSums';
import { WeightKernel } from '../../../../src/engine/runtime/weightKernel';
import type { HeadMetric } from '../../../../src/model/metrics/metric';
import { MetricSums } from '../../../../src/model/metrics/headTable';
import { metricOf } from '../../../../src/model/metrics/metrics';
import { MetricText } from '../../../../src/model/metrics/metricText';
import { profileMetrics } from '../../../../src/model/profile/textRecord';
import type { RelationPairs } from '../../../../src/model/relations/relation';
import { RelationScores } from '../../../../src/model/relations/relationSums';
import { randomPattern } from '../../../harness/randomPattern';

const n = 90;
const ids = Int32Array.from({ length: n }, (_, at) => (at * at) % 23);
const classes = Uint8Array.from({ length: n }, (_, at) => (at * 5) % 8);

/** Pairs by a rule, at least one lag of which has no others to be compared with. */
function pairsBy(rule: (query: number, key: number) => boolean): RelationPairs {
  const [queries, ends, keys]: number[][] = [[], [], []];
  for (let query = 0; query < n; query++) {
    for (let key = 0; key < query; key++) if (rule(query, key)) keys.push(key);
    if (keys.length > (ends.at(-1) ?? 0)) {
      queries.push(query);
      ends.push(keys.length);
    }
  }
  return { queries: Int32Array.from(queries), ends: Int32Array.from(ends), keys: Int32Array.from(keys) };
}
const relations = [
  pairsBy((query, key) => (query * 7 + key * 3) % 11 === 0),
  pairsBy((query, key) => query - key === 1 || (query - key === 5 && query % 2 === 0)),
];

function close(found: number, wanted: number, what: string): void {
  expect(found, what).to.be.closeTo(wanted, 1e-6 * Math.max(1, Math.abs(wanted)));
}

describe('patterns of a profile', () => {
  for (const isCausal of [true, false])
    for (const isSigned of [false, true])
      it(`come to the numbers of the view of all heads: ${isCausal ? 'causal' : 'both ways'}, ${isSigned ? 'with weights below zero' : 'shares'}`, () => {
        const text = new MetricText({
          ...{ isCausal, ids, isPicture: false },
          delimiters: Uint8Array.from({ length: n }, (_, at) => (at % 6 === 2 ? 1 : 0)),
        });
        const shape = { numQueries: n, numKeys: n, isCausal, classes, keyClasses: classes };
        const reduction = new PatternReduction({
          ...{ summer: patternSummer(WeightKernel.create()), shape, text, relations },
        });
        // What the pattern before left would show.
        reduction.reduce([randomPattern({ numQueries: n, numKeys: n, isCausal: false }).weights]);
        const { weights } = randomPattern({ ...shape, isSigned });
        const bands = [weights.subarray(0, 40 * n), weights.subarray(40 * n)];
        const { totals, classWeights, relations: found } = reduction.reduce(bands);

        const sums = new MetricSums(profileMetrics, text, shape);
        sums.add(0, weights);
        const wanted = sums.values();
        expect(profileMetrics).to.have.length.greaterThan(11);
        profileMetrics.forEach((id, at) => {
          const metric: HeadMetric = metricOf(id);
          close(metric.ofTotals?.(totals, text) ?? NaN, wanted[at], id);
        });

        const table = new Float64Array(64);
        weights.forEach((weight, cell) => (table[classes[Math.floor(cell / n)] * 8 + classes[cell % n]] += weight));
        table.forEach((weight, at) => close(classWeights[at], weight, `classes ${at}`));

        const head = new RelationScores(shape, relations).head();
        head.add(0, weights);
        const scores = head.values();
        relations.forEach(({ queries }, relation) => {
          const [share, baseline, ratio] = scores.slice(relation * 5);
          const [weight, others, matched] = found.slice(relation * 3);
          close(weight / queries.length, share, 'share');
          close(others / queries.length, baseline, 'baseline');
          if (others > 0) close(matched / others, ratio, 'ratio');
        });
      });
});
