import { expect } from 'chai';
import { AlignedLayer } from '../../../../src/engine/compare/alignedLayer';
import { ComparedLayer } from '../../../../src/engine/compare/comparedLayer';
import { AttentionStore } from '../../../../src/engine/weights/attentionStore';
import { WholeLayer } from '../../../../src/engine/weights/heldLayer';
import type { HeadSelection } from '../../../../src/model/head';
import { marginals, maxWholeCells, type Pattern } from '../../../../src/model/pattern';
import { provenSinks } from '../../../../src/model/lighting';
import { blocksAlong, isTiled, overviewLevel, overviewSize, tileSize } from '../../../../src/model/patternLevels';
import type { WeightForm } from '../../../../src/model/weightForm';
import { codeOf } from '../../../harness/codeOf';

/** Numbers without any order, the same each time. */
function randomLayer(numHeads: number, numQueries: number, numKeys: number, seed = 1): WholeLayer {
  let state = seed;
  const weights = Float32Array.from(
    { length: numHeads * numQueries * numKeys },
    () => (state = (state * 48271) % 2147483647) / 2147483647,
  );
  return new WholeLayer('self', { numHeads, numQueries, numKeys, weights });
}

function storeOf(...layers: WholeLayer[]): AttentionStore {
  const store = new AttentionStore(1e9);
  store.add(1, layers);
  return store;
}

const select = (aggregation: HeadSelection['aggregation'], ...heads: [number, number][]): HeadSelection => ({
  component: 'self',
  heads: heads.map(([layer, head]) => ({ layer, head })),
  aggregation,
});

/** The blocks of a level, each the maximum of its cells, by the definition. */
function blocksOf(
  { numQueries, numKeys, weights }: Pattern,
  level: number,
): { rows: number; columns: number; maxima: Float32Array } {
  const [rows, columns] = [blocksAlong(numQueries, level), blocksAlong(numKeys, level)];
  const maxima = new Float32Array(rows * columns);
  for (let q = 0; q < numQueries; q++)
    for (let k = 0; k < numKeys; k++)
      maxima[(q >> level) * columns + (k >> level)] = Math.max(
        maxima[(q >> level) * columns + (k >> level)],
        weights[q * numKeys + k],
      );
  return { rows, columns, maxima };
}

describe('a large pattern', () => {
  it('is shown in parts from a certain size, and its overview has at most 512 blocks along each side', () => {
    expect([isTiled(1, maxWholeCells), isTiled(1024, 1024), isTiled(1449, 1448), isTiled(4096, 4096)]).to.deep.equal([
      false,
      false,
      true,
      true,
    ]);
    for (const [queries, keys, level] of [
      [512, 512, 0],
      [513, 1, 1],
      [1, 1025, 2],
      [4096, 4096, 3],
      [4097, 2, 4],
    ]) {
      expect(overviewLevel(queries, keys), `${queries} × ${keys}`).to.equal(level);
      expect(blocksAlong(Math.max(queries, keys), level)).to.be.at.most(overviewSize);
    }
  });

  for (const [numQueries, numKeys] of [
    [1030, 1030],
    [515, 1301],
    [1287, 3],
    [300, 300],
  ]) {
    it(`has tiles whose every number is the maximum of its cells: ${numQueries} × ${numKeys}`, async () => {
      const store = storeOf(randomLayer(2, numQueries, numKeys), randomLayer(1, numQueries, numKeys, 7));
      for (const selection of [
        select('mean', [0, 1]),
        select('mean', [0, 0], [0, 1], [1, 0]),
        select('max', [0, 0], [1, 0]),
      ]) {
        const whole = await store.pattern({ runId: 1, selection });
        for (let level = 0; level <= overviewLevel(numQueries, numKeys); level++) {
          const expected = blocksOf(whole, level);
          for (let row = 0; row * tileSize < expected.rows; row++) {
            for (let column = 0; column * tileSize < expected.columns; column++) {
              const tile = await store.tile({ runId: 1, selection, level, row, column });
              expect([tile.rows, tile.columns]).to.deep.equal([
                Math.min(tileSize, expected.rows - row * tileSize),
                Math.min(tileSize, expected.columns - column * tileSize),
              ]);
              for (let y = 0; y < tile.rows; y++) {
                const from = (row * tileSize + y) * expected.columns + column * tileSize;
                expect(
                  tile.maxima.subarray(y * tile.columns, (y + 1) * tile.columns),
                  `level ${level}, tile ${row}, ${column}, row ${y}`,
                ).to.deep.equal(expected.maxima.subarray(from, from + tile.columns));
              }
            }
          }
        }
      }
    });
  }

  it('of differences has in every block the largest by size, with its sign', async () => {
    const [numQueries, numKeys] = [1030, 515];
    const store = storeOf(randomLayer(1, numQueries, numKeys));
    const other = randomLayer(1, numQueries, numKeys, 7);
    store.add(2, [other]);
    const axis = (count: number) => ({ unitOf: Int32Array.from({ length: count }, (_, i) => i), numUnits: count });
    const [queries, keys] = [axis(numQueries), axis(numKeys)];
    const all = (count: number): Uint8Array => new Uint8Array(count).fill(1);
    const compared = { otherId: 2, pairing: 'index', shows: 'difference' } as const;
    const layer = new ComparedLayer(
      store.layersOf(1, 'self')[0],
      {
        layers: [new AlignedLayer(other, queries, keys)],
        others: [{ layer: 0, head: 0 }],
        queries: { ...queries, isCommon: all(numQueries) },
        keys: { ...keys, isCommon: all(numKeys) },
      },
      'difference',
    );
    store.addCompared(1, 'self', compared, { layers: [layer], ceiling: 1 });
    const selection = select('mean', [0, 0]);
    const form: WeightForm = {
      method: 'attention',
      isCausal: false,
      sinks: 'show',
      isRenormalized: false,
      canHaveSinks: false,
      compared,
    };
    const { weights } = await store.pattern({ runId: 1, selection, form });
    const overview = await store.overview({ runId: 1, selection, isCausal: false, form });
    expect([overview.level, overview.sinks]).to.deep.equal([2, []]);
    const blocks = new Float32Array(overview.rows * overview.columns);
    const rowMaxima = new Float32Array(numQueries);
    weights.forEach((value, i) => {
      const [query, key] = [Math.floor(i / numKeys), i % numKeys];
      const block = (query >> 2) * overview.columns + (key >> 2);
      if (Math.abs(value) > Math.abs(blocks[block])) blocks[block] = value;
      rowMaxima[query] = Math.max(rowMaxima[query], Math.abs(value));
    });
    expect(Math.min(...blocks)).to.be.below(-0.5);
    expect(overview.maxima).to.deep.equal(blocks);
    expect(overview.rowMaxima).to.deep.equal(rowMaxima);
  });

  it('has an overview that says what the whole says', async () => {
    for (const [numQueries, numKeys] of [
      [1030, 1030],
      [515, 1301],
      [200, 200],
    ]) {
      const store = storeOf(randomLayer(2, numQueries, numKeys));
      const selection = select('mean', [0, 0], [0, 1]);
      const whole = await store.pattern({ runId: 1, selection });
      const overview = await store.overview({ runId: 1, selection, isCausal: true });
      const { rows, columns, maxima } = blocksOf(whole, overview.level);
      expect([overview.numQueries, overview.numKeys, overview.level, overview.rows, overview.columns]).to.deep.equal([
        numQueries,
        numKeys,
        overviewLevel(numQueries, numKeys),
        rows,
        columns,
      ]);
      expect(overview.maxima).to.deep.equal(maxima);
      const { rowSums, columnMeans } = marginals(whole, true);
      expect(overview.rowSums).to.deep.equal(rowSums);
      expect(overview.columnMeans).to.deep.equal(columnMeans);
      expect(overview.sinks).to.deep.equal(provenSinks(whole, true));
      expect(overview.rowMaxima).to.deep.equal(
        Float32Array.from({ length: numQueries }, (_, q) =>
          Math.max(...whole.weights.subarray(q * numKeys, (q + 1) * numKeys)),
        ),
      );
    }
  });

  it('keeps a single hot cell at every level, wherever it is', async () => {
    const [numQueries, numKeys] = [1537, 1101];
    for (const [query, key] of [
      [0, 0],
      [numQueries - 1, numKeys - 1],
      [511, 512],
      [512, 255],
      [1024, 1023],
      [777, 1100],
    ]) {
      const layer = new WholeLayer('self', {
        numHeads: 1,
        numQueries,
        numKeys,
        weights: new Float32Array(numQueries * numKeys),
      });
      layer.weights[query * numKeys + key] = 0.625;
      const store = storeOf(layer);
      const selection = select('mean', [0, 0]);
      for (let level = 0; level <= 2; level++) {
        const [blockRow, blockColumn] = [query >> level, key >> level];
        const [row, column] = [Math.floor(blockRow / tileSize), Math.floor(blockColumn / tileSize)];
        const tile = await store.tile({ runId: 1, selection, level, row, column });
        expect(tile.maxima.filter((value) => value > 0)).to.deep.equal(Float32Array.of(0.625));
        expect(
          tile.maxima[(blockRow - row * tileSize) * tile.columns + blockColumn - column * tileSize],
          `${query}, ${key} at level ${level}`,
        ).to.equal(0.625);
      }
      const { maxima, columns, level } = await store.overview({ runId: 1, selection, isCausal: false });
      expect(maxima[(query >> level) * columns + (key >> level)]).to.equal(0.625);
      expect((await store.row({ runId: 1, selection, position: query, direction: 'reads' }))[key]).to.equal(0.625);
      expect((await store.row({ runId: 1, selection, position: key, direction: 'readBy' }))[query]).to.equal(0.625);
    }
  });

  it('refuses tiles that it does not have', async () => {
    const store = storeOf(randomLayer(1, 700, 300));
    const tile = (level: number, row: number, column: number): Promise<string> =>
      codeOf(store.tile({ runId: 1, selection: select('mean', [0, 0]), level, row, column }));
    expect([await tile(0, 2, 1), await tile(1, 1, 0)]).to.deep.equal(['none', 'none']);
    for (const [level, row, column] of [
      [0, 3, 0],
      [0, 0, 2],
      [1, 2, 0],
      [1, 0, 1],
      [2, 0, 0],
      [-1, 0, 0],
      [0, -1, 0],
      [0.5, 0, 0],
      [0, NaN, 0],
    ])
      expect(await tile(level, row, column)).to.equal('invalidArgument');
  });

  it('is read once for all that ask at the same time, and no longer when none does', async () => {
    const layer = randomLayer(1, 1030, 1030);
    let numReads = 0;
    /** Counts how often bands are read, and gives turns as recomputing would. */
    class Counting extends WholeLayer {
      override async rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
        numReads++;
        await new Promise((resolve) => setTimeout(resolve));
        signal?.throwIfAborted();
        return super.rows(head, from, to);
      }
    }
    const store = storeOf(new Counting('self', layer));
    const selection = select('mean', [0, 0]);
    const [ended, kept] = [new AbortController(), new AbortController()];
    const asked = [
      store.overview({ runId: 1, selection, isCausal: true }, ended.signal),
      store.tile({ runId: 1, selection, level: 1, row: 0, column: 0 }, kept.signal),
      store.overview({ runId: 1, selection, isCausal: true }),
    ];
    ended.abort();
    const [first, ...others] = await Promise.allSettled(asked);
    expect(first.status).to.equal('rejected');
    expect(others.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled']);
    expect(numReads).to.equal(5);
    await store.overview({ runId: 1, selection, isCausal: false });
    expect(numReads).to.equal(5);
    store.release(1);
    store.add(2, [new Counting('self', layer)]);
    const alone = new AbortController();
    const work = Promise.allSettled([store.overview({ runId: 2, selection, isCausal: true }, alone.signal)]);
    alone.abort();
    expect((await work)[0]?.status).to.equal('rejected');
    expect(numReads).to.be.at.most(6);
  });
});
