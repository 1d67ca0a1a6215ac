import { expect } from 'chai';
import type { ComponentInfo } from '../../../../src/model/head';
import {
  applicableTo,
  hasEnoughRows,
  MetricSums,
  normMetrics,
  tellingMetrics,
} from '../../../../src/model/metrics/headTable';
import { metrics, type MetricId } from '../../../../src/model/metrics/metrics';
import { isDelimiter, MetricText, metricTextOf, type AskedTokens } from '../../../../src/model/metrics/metricText';
import type { TokenStream } from '../../../../src/model/token';
import { readFixtureText } from '../../../harness/fixtures';
import { textOf } from '../../../harness/metricText';

interface Reference {
  readonly ids: readonly number[];
  readonly delimiters: readonly number[];
  readonly asked: AskedTokens;
  readonly cases: readonly {
    readonly name: string;
    readonly isCausal: boolean;
    readonly numKeys: number;
    readonly weights: readonly number[];
    readonly metrics: Readonly<Partial<Record<MetricId | 'numRepeated', number>>>;
  }[];
}

const component = (isCausal: boolean, keyStream = 0): ComponentInfo => ({
  component: 'self',
  layers: [],
  queryStream: 0,
  keyStream,
  isCausal,
});

/** The metrics of a pattern, from rows in two parts. */
function valuesOf(
  ids: readonly MetricId[],
  text: MetricText,
  numKeys: number,
  weights: readonly number[],
): Partial<Record<MetricId, number>> {
  const sums = new MetricSums(ids, text, { numQueries: text.numQueries, numKeys });
  const half = Math.floor(text.numQueries / 3);
  const all = Float32Array.from(weights);
  const before = all.slice();
  sums.add(0, all.subarray(0, half * numKeys));
  sums.add(half, all.subarray(half * numKeys));
  expect(all, 'weights are never changed').to.deep.equal(before);
  const values = sums.values();
  return Object.fromEntries(ids.map((id, at) => [id, values[at]]));
}

describe('metrics of heads beside their definitions over whole matrices (NumPy)', () => {
  let reference: Reference;
  before(async () => {
    reference = JSON.parse(await readFixtureText('headMetrics.json')) as Reference;
  });

  it('are equal to 1e-6, every one: causal, bidirectional, with rows below one, and between two texts', () => {
    const seen = new Set<MetricId>();
    for (const { name, isCausal, numKeys, weights, metrics: expected } of reference.cases) {
      const text = new MetricText({
        isCausal,
        ids: Int32Array.from(reference.ids),
        delimiters: Uint8Array.from(reference.delimiters.slice(0, numKeys)),
        isPicture: false,
        asked: reference.asked,
      });
      const ids = applicableTo(component(isCausal, numKeys === reference.ids.length ? 0 : 1), reference.asked);
      const values = valuesOf(ids, text, numKeys, weights);
      for (const id of ids) {
        seen.add(id);
        const value = expected[id] ?? NaN;
        expect(values[id], `${name}: ${id}`).to.be.closeTo(value, 1e-6 * Math.max(1, value));
      }
      if (expected.numRepeated !== undefined) expect(text.numRepeated).to.equal(expected.numRepeated);
    }
    // Those of norms are of a model's own values: test/engine/weighRuns.
    const ofWeights = metrics.map(({ id }) => id).filter((id) => !normMetrics.includes(id));
    expect([...seen].sort(), 'no metric is without a reference').to.deep.equal(ofWeights.sort());
  });

  it('do not renormalise rows that sum to less than one', () => {
    const half = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 0.5 : 0));
    expect(valuesOf(['self'], new MetricText(textOf([1, 2, 3, 4])), 4, half).self).to.equal(0.5);
  });

  it('tell the two inductions apart: on a text with few repeated tokens they differ by far', () => {
    const n = 20;
    const ids = Array.from({ length: n }, (_, i) => (i < 10 ? i : i === 15 ? 3 : 100 + i));
    const weights = Array.from({ length: n * n }, (_, at) => (at === 15 * n + 4 ? 0.9 : 0));
    const text = new MetricText(textOf(ids));
    const values = valuesOf(['induction', 'repeatedInduction'], text, n, weights);
    expect(values.repeatedInduction).to.be.closeTo(0.9, 1e-6);
    expect(values.induction).to.be.closeTo(0.9 / n, 1e-6);
    expect([text.numRepeated, hasEnoughRows('repeatedInduction', text)]).to.deep.equal([1, false]);
  });

  it('count a key that comes twice among what followed, not twice', () => {
    // In «a a a» what followed the first is the second itself.
    const text = new MetricText(textOf([7, 7, 7]));
    const weights = [1, 0, 0, 0.25, 0.75, 0, 0.2, 0.3, 0.5];
    const { induction, duplicateToken } = valuesOf(['induction', 'duplicateToken'], text, 3, weights);
    expect(induction).to.be.closeTo((0.75 + 0.3 + 0.5) / 3, 1e-6);
    expect(duplicateToken).to.be.closeTo((0.25 + 0.2 + 0.3) / 3, 1e-6);
  });

  it('take the sink as found, not the first token, and none that too few can read', () => {
    const n = 12;
    const last = Array.from({ length: n * n }, (_, at) =>
      Number(at % n === (at < 10 * n ? 2 : 10) && at % n <= at / n),
    );
    expect(
      valuesOf(['sinkKey'], new MetricText(textOf(Array.from({ length: n }, (_, i) => i))), n, last).sinkKey,
    ).to.equal(2);
  });

  it('leave out, where someone asks, what cannot be read, and compare with as far in the same direction', () => {
    // The query 1 cannot read the key 2; 3 reads 1 with a half, and all else two back a quarter.
    const n = 6;
    const weights = Array.from({ length: n * n }, (_, at) => {
      const [query, key] = [Math.floor(at / n), at % n];
      return query - key === 2 ? (query === 3 ? 0.5 : 0.25) : key - query === 2 ? 1 : 0;
    });
    const ask = (isCausal: boolean, asked: AskedTokens) =>
      valuesOf(
        ['reads', 'readsBaseline', 'readsRatio'],
        new MetricText({ ...textOf([1, 2, 3, 4, 5, 6], isCausal), asked }),
        n,
        weights,
      );
    const causal = ask(true, { queries: [1, 3], keys: [1, 2] });
    expect(causal.reads, 'three of four pairs').to.be.closeTo(0.5 / 3, 1e-6);
    const one = ask(false, { queries: [3], keys: [1] });
    expect([one.reads, one.readsBaseline, one.readsRatio]).to.deep.equal([0.5, 0.25, 2]);
    const none = ask(true, { queries: [5], keys: [0] });
    expect(none.readsBaseline, 'no other is as far away').to.deep.equal(NaN);
    expect(none.readsRatio).to.deep.equal(NaN);
    expect(
      hasEnoughRows('reads', new MetricText({ ...textOf([1, 2, 3]), asked: { queries: [0], keys: [1] } })),
    ).to.equal(false);
  });
});

describe('what a text has for metrics', () => {
  const pieces = ['<s>', 'f', '(', 'x', ')', ':\n', '  ', ' ,', 'a.b', '。'];
  let at = 0;
  const stream: TokenStream = {
    role: 'source',
    text: pieces.slice(1).join(''),
    tokens: pieces.map((piece, i) => {
      const start = at;
      at += i === 0 ? 0 : piece.length;
      return { id: i, piece, start, end: at, isSpecial: i === 0 };
    }),
  };

  it('are its delimiters: brackets, marks and line breaks, no special tokens and nothing with letters', () => {
    const found = pieces.filter((_, position) => isDelimiter(stream, position));
    expect(found).to.deep.equal(['(', ')', ':\n', ' ,', '。']);
    expect([...metricTextOf(component(true), [stream]).delimiters]).to.deep.equal([0, 0, 1, 0, 1, 1, 0, 1, 0, 1]);
  });

  it('decides which metrics say something: none of delimiters where there are none, none of distance between patches', () => {
    const asked = { queries: [3], keys: [1] };
    expect(tellingMetrics(component(true), textOf([1, 2, 3]))).to.not.include('delimiters');
    expect(tellingMetrics(component(true), { ...textOf([1, 2, 3, 4]), asked })).to.include.members([
      'reads',
      'readsRatio',
    ]);
    const patches = tellingMetrics(component(false), { ...textOf([1, 2, 3, 4], false), isPicture: true, asked });
    expect(patches).to.include('reads').and.not.include('readsBaseline');
  });
});
