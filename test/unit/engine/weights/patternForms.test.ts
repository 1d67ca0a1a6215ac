import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { AttentionStore } from '../../../../src/engine/weights/attentionStore';
import { WholeLayer, type HeldLayer } from '../../../../src/engine/weights/heldLayer';
import type { HeadSelection } from '../../../../src/model/head';
import type { Direction } from '../../../../src/model/pattern';
import type { WeightForm } from '../../../../src/model/weightForm';
import { codeOf } from '../../../harness/codeOf';

interface Fixture {
  readonly numTokens: number;
  readonly sinks: readonly Readonly<Record<string, number>>[];
  readonly starts: readonly number[];
  readonly rows: readonly number[];
  readonly removedOfHead: readonly (readonly number[])[];
  readonly rowsRemoved: readonly (readonly number[])[];
  readonly rowsRenormalized: readonly (readonly number[])[];
  readonly rowsFaded: readonly (readonly number[])[];
  readonly units: readonly (readonly number[])[];
  readonly unitsRenormalized: readonly (readonly number[])[];
  readonly unitsRemoved: readonly (readonly number[])[];
  readonly meanUnitsRemoved: readonly number[];
  readonly cells: readonly { readonly cell: readonly [number, number]; query: number; key: number; weight: number }[];
}

const fixture = JSON.parse(readFileSync('test/fixtures/patternForms.json', 'utf8')) as Fixture; // of our own script
const { numTokens, starts } = fixture;
const numHeads = fixture.sinks.length;

/** The formula of the script. */
function weightsOfHeads(): Float32Array {
  const weights = new Float32Array(numHeads * numTokens * numTokens);
  for (let head = 0; head < numHeads; head++)
    for (let query = 0; query < numTokens; query++) {
      const scores = Array.from(
        { length: query + 1 },
        (_, key) =>
          2 * Math.sin(3 * query + 7 * key + head) +
          (key in fixture.sinks[head] ? fixture.sinks[head][key] + Math.cos(query) : 0),
      );
      const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
      scores.forEach((score, key) => (weights[(head * numTokens + query) * numTokens + key] = Math.exp(score) / sum));
    }
  return weights;
}

const select = (...heads: number[]): HeadSelection => ({
  component: 'self',
  heads: heads.map((head) => ({ layer: 0, head })),
  aggregation: 'mean',
});
const plain: WeightForm = {
  method: 'attention',
  sinks: 'show',
  isRenormalized: false,
  canHaveSinks: true,
  isCausal: true,
};
const removed: WeightForm = { ...plain, sinks: 'remove' };
const renormalized: WeightForm = { ...removed, isRenormalized: true };
const units = { queries: Int32Array.from(starts), keys: Int32Array.from(starts) };

function expectClose(actual: ArrayLike<number>, wanted: readonly number[], tolerance = 2e-6): void {
  expect(actual.length).to.equal(wanted.length);
  wanted.forEach((value, i) => expect(actual[i], `number ${i}`).to.be.closeTo(value, tolerance));
}

describe('weights in another form', () => {
  const held = weightsOfHeads();
  const untouched = held.slice();
  const store = new AttentionStore(Infinity);
  store.add(1, [new WholeLayer('self', { numHeads, numQueries: numTokens, numKeys: numTokens, weights: held })]);
  const row = (form: WeightForm, head: number, position: number, direction: Direction = 'reads') =>
    store.row({ runId: 1, selection: select(head), position, direction, form });

  it('has no sinks, each head without its own, and rows divided only where that is asked for: as NumPy', async () => {
    for (let head = 0; head < numHeads; head++)
      for (const [at, position] of fixture.rows.entries()) {
        const part = (of: readonly (readonly number[])[]) => of[head].slice(at * numTokens, (at + 1) * numTokens);
        expectClose(await row(removed, head, position), part(fixture.rowsRemoved));
        expectClose(await row(renormalized, head, position), part(fixture.rowsRenormalized), 2e-5);
        expectClose(await row({ ...plain, sinks: 'fade' }, head, position), part(fixture.rowsFaded));
      }
  });

  it('says how much was taken out of each row, and finds sinks wherever they are, not at position 0', async () => {
    const masses = await Promise.all(
      [0, 1, 2].map((head) => store.sinkMass({ runId: 1, selection: select(head), form: removed })),
    );
    expect(masses.map(({ sinks }) => sinks)).to.deep.equal([[5], [], [0, 31]]);
    masses.forEach((mass, head) => expectClose(mass.removed, fixture.removedOfHead[head]));
    // Of several heads each loses its own, and what was removed is the mean.
    const all = await store.sinkMass({ runId: 1, selection: select(0, 1, 2), form: removed });
    expect(all.sinks).to.deep.equal([0, 5, 31]);
    expectClose(
      all.removed,
      fixture.removedOfHead[0].map((_, i) => (masses[0].removed[i] + masses[1].removed[i] + masses[2].removed[i]) / 3),
    );
  });

  it('leaves rows that lost more than 0.95 as they are: the rest of them is not blown up', async () => {
    const lost = fixture.removedOfHead.flatMap((shares, head) =>
      shares.flatMap((share, position) => (share > 0.95 ? [{ head, position, share }] : [])),
    );
    expect(lost.length).to.be.greaterThan(0);
    for (const { head, position, share } of lost.slice(0, 5)) {
      const sum = (await row(renormalized, head, position)).reduce((total, weight) => total + weight, 0);
      expect(sum).to.be.closeTo(1 - share, 1e-5);
    }
  });

  it('sums over the keys of units and takes the mean over their queries: as NumPy, and rows stay distributions', async () => {
    for (let head = 0; head < numHeads; head++) {
      const form = { ...plain, ...units };
      const { numQueries, numKeys, weights } = await store.pattern({ runId: 1, selection: select(head), form });
      expect([numQueries, numKeys]).to.deep.equal([starts.length, starts.length]);
      expectClose(weights, fixture.units[head]);
      for (let unit = 0; unit < numQueries; unit++)
        expect(
          weights.slice(unit * numKeys, (unit + 1) * numKeys).reduce((sum, weight) => sum + weight, 0),
        ).to.be.closeTo(1, 1e-5);
      // No unit of a causal head reads a later one.
      weights.forEach((weight, i) => i % numKeys > Math.floor(i / numKeys) && expect(weight).to.equal(0));
      const column = await row(form, head, 7, 'readBy');
      expectClose(
        column,
        fixture.units[head].filter((_, i) => i % starts.length === 7),
      );
    }
  });

  it('makes 1,500 lines of a file of 7,500 tokens whose weights are computed as they are read, not held', async () => {
    const [numLines, perLine] = [1500, 5];
    const numAll = numLines * perLine;
    // Each token reads all up to itself alike.
    const layer: HeldLayer = {
      component: 'self',
      numHeads: 1,
      numQueries: numAll,
      numKeys: numAll,
      held: 'recomputed',
      bytes: 0,
      rows: async (_, from, to) => {
        const rows = new Float32Array((to - from) * numAll);
        for (let query = from; query < to; query++)
          rows.fill(1 / (query + 1), (query - from) * numAll, (query - from) * numAll + query + 1);
        return rows;
      },
      column: async (_, key) =>
        Float32Array.from({ length: numAll }, (__, query) => (query < key ? 0 : 1 / (query + 1))),
    };
    const large = new AttentionStore(Infinity);
    large.add(1, [layer]);
    const lines = Int32Array.from({ length: numLines }, (_, line) => line * perLine);
    const form: WeightForm = { ...plain, canHaveSinks: false, queries: lines, keys: lines };
    const line = await large.row({ runId: 1, selection: select(0), position: 900, direction: 'reads', form });
    expect(line).to.have.length(numLines);
    const share = [0, 1, 2, 3, 4].reduce((sum, i) => sum + perLine / (900 * perLine + i + 1), 0) / perLine;
    expect(line[0]).to.be.closeTo(share, 1e-7);
    expect(line[899]).to.be.closeTo(share, 1e-7);
    expect(line[901]).to.equal(0);
    expect(line.reduce((sum, weight) => sum + weight, 0)).to.be.closeTo(1, 1e-5);
    const { rows, columns } = await large.overview({ runId: 1, selection: select(0), isCausal: true, form });
    expect([rows, columns]).to.deep.equal([375, 375]);
  });

  it('takes sinks out before tokens are put together', async () => {
    for (let head = 0; head < numHeads; head++) {
      const form = { ...renormalized, ...units };
      expectClose(
        (await store.pattern({ runId: 1, selection: select(head), form })).weights,
        fixture.unitsRenormalized[head],
        2e-5,
      );
      expectClose(
        (await store.sinkMass({ runId: 1, selection: select(head), form })).removed,
        fixture.unitsRemoved[head],
      );
    }
    const mean = await store.pattern({ runId: 1, selection: select(0, 1, 2), form: { ...removed, ...units } });
    expectClose(mean.weights, fixture.meanUnitsRemoved);
    const overview = await store.overview({
      runId: 1,
      selection: select(0, 1, 2),
      isCausal: true,
      form: { ...removed, ...units },
    });
    expect(overview.maxima).to.deep.equal(mean.weights);
  });

  it('knows the strongest single weight that a mean hides', async () => {
    for (const { cell, query, key, weight } of fixture.cells) {
      const found = await store.strongestCell({
        runId: 1,
        selection: select(0),
        query: cell[0],
        key: cell[1],
        form: { ...plain, ...units },
      });
      expect([found.query, found.key]).to.deep.equal([query, key]);
      expect(found.weight).to.be.closeTo(weight, 1e-6);
    }
  });

  it('never changes what is held, and has no sinks between two texts or in a short one', async () => {
    expect(held).to.deep.equal(untouched);
    const { sinks } = await store.sinkMass({
      runId: 1,
      selection: select(2),
      form: { ...removed, canHaveSinks: false },
    });
    expect(sinks).to.deep.equal([]);
    const short = new AttentionStore(Infinity);
    short.add(1, [
      new WholeLayer('self', { numHeads: 1, numQueries: 2, numKeys: 2, weights: Float32Array.of(1, 0, 0.9, 0.1) }),
    ]);
    expect((await short.sinkMass({ runId: 1, selection: select(0), form: removed })).sinks).to.deep.equal([]);
  });

  it('refuses units that are none of the text', async () => {
    for (const queries of [[], [1, 2], [0, 3, 3], [0, numTokens], [0, 9, 4]])
      expect(
        await codeOf(
          store.pattern({ runId: 1, selection: select(0), form: { ...plain, queries: Int32Array.from(queries) } }),
        ),
      ).to.equal('invalidArgument');
  });

  it('gives thumbnails without sinks, which still name them', async () => {
    const thumbnails = await store.thumbnails({
      runId: 1,
      component: 'self',
      size: numTokens,
      isCausal: true,
      form: removed,
    });
    expect(thumbnails.sinks).to.deep.equal([[5], [], [0, 31]]);
    const at = (head: number, key: number) =>
      Array.from({ length: numTokens }, (_, query) => thumbnails.pixels[(head * numTokens + query) * numTokens + key]);
    expect(Math.max(...at(2, 31))).to.equal(0);
    expect(Math.max(...at(0, 31))).to.be.greaterThan(0);
  });
});
