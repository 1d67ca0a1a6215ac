import { expect } from 'chai';
import { AttentionStore } from '../../../../src/engine/weights/attentionStore';
import { WholeLayer } from '../../../../src/engine/weights/heldLayer';
import { columnOf, type HeadTable } from '../../../../src/model/metrics/headTable';
import { textOf } from '../../../harness/metricText';
import { decodeThumbnail } from '../../../../src/model/pattern';
import { codeOf } from '../../../harness/codeOf';

function layer(numHeads: number, n: number, value: (head: number, query: number, key: number) => number): WholeLayer {
  const weights = new Float32Array(numHeads * n * n);
  for (let h = 0; h < numHeads; h++)
    for (let q = 0; q < n; q++) for (let k = 0; k < n; k++) weights[(h * n + q) * n + k] = value(h, q, k);
  return new WholeLayer('self', { numHeads, numQueries: n, numKeys: n, weights });
}

describe('AttentionStore', () => {
  const held = [layer(2, 4, (h, q, k) => h * 0.5 + q * 0.01 + k * 0.001), layer(2, 4, (h, q, k) => h + q + k)];
  const select = (...heads: [number, number][]) => ({
    component: 'self' as const,
    heads: heads.map(([l, head]) => ({ layer: l, head })),
    aggregation: 'mean' as const,
  });

  it('hands out one head as a copy that cannot change what is held', async () => {
    const store = new AttentionStore(1e6);
    store.add(1, held);
    const first = await store.pattern({ runId: 1, selection: select([0, 1]) });
    expect(first.weights[2 * 4 + 3]).to.be.closeTo(0.5 + 0.02 + 0.003, 1e-7);
    first.weights.fill(9);
    expect((await store.pattern({ runId: 1, selection: select([0, 1]) })).weights[0]).to.equal(0.5);
  });

  it('gives rows and columns equal to those of the pattern, aggregated or not', async () => {
    const store = new AttentionStore(1e6);
    store.add(1, held);
    for (const aggregation of ['mean', 'max'] as const) {
      const selection = { ...select([0, 0], [0, 1], [1, 1]), aggregation };
      const { weights } = await store.pattern({ runId: 1, selection });
      const row = await store.row({ runId: 1, selection, position: 2, direction: 'reads' });
      const column = await store.row({ runId: 1, selection, position: 2, direction: 'readBy' });
      for (let i = 0; i < 4; i++) {
        expect(row[i]).to.equal(weights[2 * 4 + i]);
        expect(column[i]).to.equal(weights[i * 4 + 2]);
      }
    }
  });

  it('keeps a single hot cell visible in a thumbnail', async () => {
    const store = new AttentionStore(1e9);
    store.add(1, [layer(3, 100, (h, q, k) => (h === 1 && q === 63 && k === 17 ? 0.8 : 0))]);
    const { pixels, rows, columns, numHeads } = await store.thumbnails({
      runId: 1,
      component: 'self',
      size: 10,
      isCausal: false,
    });
    expect({ rows, columns, numHeads }).to.deep.equal({ rows: 10, columns: 10, numHeads: [3] });
    const hot = [...pixels.entries()].filter(([, byte]) => byte > 0);
    expect(hot).to.have.length(1);
    expect(hot[0]?.[0]).to.equal(1 * 100 + 6 * 10 + 1);
    expect(decodeThumbnail(hot[0]?.[1] ?? 0)).to.be.closeTo(0.8, 4e-3);
  });

  it('names the sinks of each head with its thumbnail, none that only a few queries could read', async () => {
    const store = new AttentionStore(1e9);
    const n = 80;
    // Head 0 parks on key 2; head 1 looks at the token before: its last columns have one reader each.
    store.add(1, [
      layer(2, n, (h, q, k) =>
        h === 0 ? (q < 2 ? Number(k === q) : k === 2 ? 0.9 : k === q ? 0.1 : 0) : Number(k === Math.max(0, q - 1)),
      ),
    ]);
    expect((await store.thumbnails({ runId: 1, component: 'self', size: 16, isCausal: true })).sinks).to.deep.equal([
      [2],
      [],
    ]);
  });

  it('drops the oldest runs when the budget is spent, never the newest', async () => {
    const store = new AttentionStore(300);
    store.add(1, [layer(2, 4, () => 0.25)]);
    store.add(2, [layer(2, 4, () => 0.25)]);
    expect(store.bytes).to.equal(256);
    store.add(3, [layer(2, 8, () => 0.125)]);
    expect(store.bytes).to.equal(512);
    expect(await codeOf(store.pattern({ runId: 2, selection: select([0, 0]) }))).to.equal('unknownRun');
    expect((await store.pattern({ runId: 3, selection: select([0, 0]) })).numKeys).to.equal(8);
  });

  it('refuses heads, positions and runs that it does not hold', async () => {
    const store = new AttentionStore(1e6);
    store.add(1, held);
    for (const bad of [select([0, 2]), select([2, 0]), select([0, -1]), select([0, 0.5])]) {
      expect(await codeOf(store.pattern({ runId: 1, selection: bad }))).to.equal('invalidArgument');
    }
    expect(await codeOf(store.pattern({ runId: 1, selection: select() }))).to.equal('invalidArgument');
    expect(await codeOf(store.row({ runId: 1, selection: select([0, 0]), position: 4, direction: 'reads' }))).to.equal(
      'invalidArgument',
    );
    expect(await codeOf(store.row({ runId: 7, selection: select([0, 0]), position: 0, direction: 'reads' }))).to.equal(
      'unknownRun',
    );
  });

  it('gives the weight of a pair in every head, of several tokens their mean', async () => {
    const store = new AttentionStore(1e6);
    store.add(1, held);
    const pair = { runId: 1, component: 'self' as const };
    expect(
      [...(await store.headPairs({ ...pair, queries: [2], keys: [3] }))].map((weight) => weight.toFixed(4)),
    ).to.deep.equal(['0.0230', '0.5230', '5.0000', '6.0000']);
    expect((await store.headPairs({ ...pair, queries: [0, 2], keys: [3] }))[3]).to.equal(5);
    expect((await store.headPairs({ ...pair, queries: [2], keys: [1, 3] }))[2]).to.equal(4);
    for (const [queries, keys] of [
      [[4], [0]],
      [[0], [4]],
      [[-1], [0]],
      [[], [0]],
    ])
      expect(await codeOf(store.headPairs({ ...pair, queries, keys }))).to.equal('invalidArgument');
    expect(await codeOf(store.headPairs({ ...pair, runId: 7, queries: [0], keys: [0] }))).to.equal('unknownRun');
  });

  it('gives the row or column of a token in every head, no strong weight lost', async () => {
    const store = new AttentionStore(1e6);
    store.add(1, held);
    const row = { runId: 1, component: 'self' as const, positions: [2], mean: 'all' as const, isCausal: true };
    const whole = await store.headRows({ ...row, direction: 'reads', size: 16 });
    expect(whole.columns).to.equal(4);
    for (const [index, [layer, head]] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ].entries()) {
      const selection = select([layer, head]);
      expect([...whole.maxima.subarray(index * 4, index * 4 + 4)]).to.deep.equal([
        ...(await store.row({ runId: 1, selection, position: 2, direction: 'reads' })),
      ]);
      const columns = await store.headRows({ ...row, direction: 'readBy', size: 16 });
      expect([...columns.maxima.subarray(index * 4, index * 4 + 4)]).to.deep.equal([
        ...(await store.row({ runId: 1, selection, position: 2, direction: 'readBy' })),
      ]);
    }
    expect([...(await store.headRows({ ...row, direction: 'reads', size: 2 })).maxima.subarray(4, 8)]).to.deep.equal([
      3, 5, 4, 6,
    ]);
    expect(await codeOf(store.headRows({ ...row, positions: [1, 4], direction: 'reads', size: 2 }))).to.equal(
      'invalidArgument',
    );
  });

  it('averages rows over all tokens, or over those that can see a key', async () => {
    const store = new AttentionStore(1e6);
    store.add(1, [layer(1, 4, (_, q, k) => (k <= q ? 1 / (q + 1) : 0))]);
    const rows = (mean: 'all' | 'seeing') =>
      store.headRows({
        runId: 1,
        component: 'self',
        positions: [1, 3],
        direction: 'reads',
        mean,
        size: 4,
        isCausal: true,
      });
    expect([...(await rows('all')).maxima]).to.deep.equal([0.375, 0.375, 0.125, 0.125]);
    expect([...(await rows('seeing')).maxima]).to.deep.equal([0.375, 0.375, 0.25, 0.25]);
  });

  it('measures every head, the same for all who ask', async () => {
    const store = new AttentionStore(1e9);
    const n = 300;
    store.add(1, [layer(2, n, (h, q, k) => (h === 0 ? Number(k === Math.max(0, q - 1)) : Number(k === q)))]);
    const ids = Int32Array.from({ length: n }, (_, i) => i % 7);
    const params = { runId: 1, component: 'self', metrics: ['previousToken', 'self'], text: textOf(ids) } as const;
    const ask = () => store.headTable(params);
    const valuesOf = (table: HeadTable, id: 'previousToken' | 'self') => columnOf(table, id) ?? [];
    const [first, second] = await Promise.all([ask(), ask()]);
    expect([...valuesOf(first, 'previousToken')]).to.deep.equal([1, 0]);
    expect([...valuesOf(first, 'self')].map((value) => value.toFixed(3))).to.deep.equal(['0.003', '1.000']);
    first.values.fill(9);
    expect([...valuesOf(second, 'previousToken')], 'each has its own').to.deep.equal([1, 0]);
    const stopped = new AbortController();
    stopped.abort();
    const failure: unknown = await store.headTable(params, stopped.signal).catch((error: unknown) => error);
    expect(failure).to.equal(stopped.signal.reason);
  });
});
