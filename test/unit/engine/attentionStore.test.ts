import { expect } from 'chai';
import { AttentionStore } from '../../../src/engine/attentionStore';
import { WholeLayer } from '../../../src/engine/heldLayer';
import { decodeThumbnail } from '../../../src/model/pattern';
import { codeOf } from '../../harness/codeOf';

function layer(numHeads: number, n: number, value: (head: number, query: number, key: number) => number): WholeLayer {
  const weights = new Float32Array(numHeads * n * n);
  for (let h = 0; h < numHeads; h++) for (let q = 0; q < n; q++) for (let k = 0; k < n; k++) weights[(h * n + q) * n + k] = value(h, q, k);
  return new WholeLayer('self', numHeads, n, n, weights);
}

describe('AttentionStore', () => {
  const held = [layer(2, 4, (h, q, k) => h * 0.5 + q * 0.01 + k * 0.001), layer(2, 4, (h, q, k) => h + q + k)];
  const select = (...heads: [number, number][]) => ({ component: 'self' as const, heads: heads.map(([l, head]) => ({ layer: l, head })), aggregation: 'mean' as const });

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
    const { pixels, rows, columns, numHeads } = await store.thumbnails({ runId: 1, component: 'self', size: 10, isCausal: false });
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
    store.add(1, [layer(2, n, (h, q, k) => (h === 0 ? (q < 2 ? Number(k === q) : k === 2 ? 0.9 : k === q ? 0.1 : 0) : Number(k === Math.max(0, q - 1))))]);
    expect((await store.thumbnails({ runId: 1, component: 'self', size: 16, isCausal: true })).sinks).to.deep.equal([[2], []]);
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
    expect(await codeOf(store.row({ runId: 1, selection: select([0, 0]), position: 4, direction: 'reads' }))).to.equal('invalidArgument');
    expect(await codeOf(store.row({ runId: 7, selection: select([0, 0]), position: 0, direction: 'reads' }))).to.equal('unknownRun');
  });
});
