import { expect } from 'chai';
import { AttentionStore } from '../../../../src/engine/weights/attentionStore';
import { AttentionFlow } from '../../../../src/engine/weights/flow';
import { WholeLayer } from '../../../../src/engine/weights/heldLayer';
import { lackOfComponent } from '../../../../src/engine/weights/weighedLayers';
import { codeOf } from '../../../harness/codeOf';
import { readFixtureText } from '../../../harness/fixtures';

interface Reference {
  readonly shape: readonly [numLayers: number, numHeads: number, numTokens: number];
  readonly cases: readonly {
    readonly isCausal: boolean;
    readonly weights: readonly number[];
    readonly flow: readonly number[];
  }[];
}

describe('attention flow', () => {
  let reference: Reference;
  before(async () => {
    reference = JSON.parse(await readFixtureText('flow.json')) as Reference; // as its script writes it
  });

  const layersOf = (weights: readonly number[]): WholeLayer[] => {
    const [numLayers, numHeads, n] = reference.shape;
    const size = numHeads * n * n;
    return Array.from(
      { length: numLayers },
      (_, layer) =>
        new WholeLayer('self', {
          numHeads,
          numQueries: n,
          numKeys: n,
          weights: Float32Array.from(weights.slice(layer * size, (layer + 1) * size)),
        }),
    );
  };

  it('is the maximum flow that networkx finds, from every token behind every layer', async () => {
    const [numLayers, , n] = reference.shape;
    for (const { isCausal, weights, flow } of reference.cases) {
      const layers = new AttentionFlow(layersOf(weights)).of(Array.from({ length: n }, (_, token) => token));
      expect(layers).to.have.length(numLayers);
      for (const [number, layer] of layers.entries()) {
        const rows = await layer.rows(0, 0, n);
        rows.forEach((value, i) => expect(value, `${number} ${i}`).to.be.closeTo(flow[number * n * n + i], 1e-6));
        if (isCausal)
          for (let query = 0; query < n; query++)
            for (let key = query + 1; key < n; key++) expect(rows[query * n + key]).to.equal(0);
      }
    }
  });

  it('is told of the tokens that are named, or of the last one, and the rest of its rows are empty', async () => {
    const [numLayers, , n] = reference.shape;
    const [{ weights, flow }] = reference.cases;
    const store = new AttentionStore(Infinity);
    store.add(1, layersOf(weights));
    const selection = { component: 'self', heads: [{ layer: 2, head: 1 }], aggregation: 'mean' } as const;
    const form = {
      method: 'flow',
      isCausal: true,
      sinks: 'show',
      isRenormalized: false,
      canHaveSinks: false,
    } as const;
    const last = await store.pattern({ runId: 1, selection, form });
    const some = await store.pattern({ runId: 1, selection, form: { ...form, tokens: [3, 5] } });
    for (let query = 0; query < n; query++)
      for (let key = 0; key < n; key++) {
        const wanted = flow[(2 * n + query) * n + key];
        const at = query * n + key;
        expect(last.weights[at]).to.be.closeTo(query === n - 1 ? wanted : 0, 1e-6);
        expect(some.weights[at]).to.be.closeTo(query === 3 || query === 5 ? wanted : 0, 1e-6);
      }
    const column = await store.row({
      runId: 1,
      selection,
      position: 1,
      direction: 'readBy',
      form: { ...form, tokens: [5] },
    });
    expect(column[5]).to.be.closeTo(flow[(2 * n + 5) * n + 1], 1e-6);
    expect(await codeOf(store.pattern({ runId: 1, selection, form: { ...form, tokens: [n] } }))).to.equal(
      'invalidArgument',
    );
    expect(numLayers).to.be.greaterThan(2);
  });

  it('ends where its signal says so, and is made for whoever asks next', async () => {
    const n = 60;
    const weights = Float32Array.from({ length: n * n }, (_, i) => (i % n <= i / n ? 1 / (1 + Math.floor(i / n)) : 0));
    const layer = new WholeLayer('self', { numHeads: 1, numQueries: n, numKeys: n, weights });
    const [top] = new AttentionFlow([layer, layer, layer, layer]).of([n - 1]).slice(-1);
    const ended = await top.rows(0, n - 1, n, AbortSignal.abort(new Error('no longer wanted'))).then(
      () => 'done',
      (error: unknown) => String(error),
    );
    expect(ended).to.match(/no longer wanted/);
    const row = await top.rows(0, n - 1, n);
    expect(row.reduce((sum, share) => sum + share, 0)).to.be.closeTo(1, 1e-5);
  });

  it('is refused of long texts and of a decoder that reads an encoder', () => {
    const long = new WholeLayer('self', {
      numHeads: 1,
      numQueries: 81,
      numKeys: 81,
      weights: new Float32Array(81 * 81),
    });
    expect(lackOfComponent('flow', 'self', () => [long])).to.match(/at most 80 tokens: read a part/);
    for (const component of ['cross', 'decoder'] as const)
      expect(lackOfComponent('flow', component, () => [])).to.match(/a decoder reads two/);
  });
});
