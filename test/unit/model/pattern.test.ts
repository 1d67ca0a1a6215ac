import { expect } from 'chai';
import fc from 'fast-check';
import {
  aggregatePatterns,
  decodeThumbnail,
  encodeThumbnail,
  marginals,
  maxPool,
  meanOf,
  sinkKeys,
  strongest,
  weightsOf,
  type Pattern,
} from '../../../src/model/pattern';

const pattern = (rows: number[][]): Pattern => ({
  numQueries: rows.length,
  numKeys: rows[0]?.length ?? 0,
  weights: Float32Array.from(rows.flat()),
});
const causal = pattern([
  [1, 0, 0],
  [0.75, 0.25, 0],
  [0.5, 0.25, 0.25],
]);

const anyPattern = fc
  .tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }))
  .chain(([q, k]) =>
    fc
      .array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: q * k, maxLength: q * k })
      .map((cells): Pattern => ({ numQueries: q, numKeys: k, weights: Float32Array.from(cells) })),
  );

describe('attention patterns', () => {
  it('reads a row as what a query reads and a column as what reads a key', () => {
    expect([...weightsOf(causal, 1, 'reads')]).to.deep.equal([0.75, 0.25, 0]);
    expect([...weightsOf(causal, 1, 'readBy')]).to.deep.equal([0, 0.25, 0.25]);
  });

  it('aggregates by mean and maximum without changing its inputs', () => {
    const other = pattern([
      [0, 1, 0],
      [0.25, 0.75, 0],
      [0, 0, 1],
    ]);
    expect([...aggregatePatterns([causal, other], 'mean').weights]).to.deep.equal([
      0.5, 0.5, 0, 0.5, 0.5, 0, 0.25, 0.125, 0.625,
    ]);
    expect([...aggregatePatterns([causal, other], 'max').weights]).to.deep.equal([
      1, 1, 0, 0.75, 0.75, 0, 0.5, 0.25, 1,
    ]);
    expect(causal.weights[0]).to.equal(1);
    expect(() => aggregatePatterns([causal, pattern([[1]])], 'mean')).to.throw(RangeError);
    expect(() => aggregatePatterns([], 'mean')).to.throw(RangeError);
  });

  it('averages the rows of several pinned tokens', () => {
    expect([...meanOf([Float32Array.of(1, 0), Float32Array.of(0.5, 0.5)])]).to.deep.equal([0.75, 0.25]);
    expect(meanOf([]).length).to.equal(0);
  });

  it('lists the strongest, ties by position, nothing below the threshold and nothing of weight zero', () => {
    const weights = Float32Array.of(0.25, 0, 0.5, 0.25, 0.125);
    expect(strongest(weights, 3)).to.deep.equal([
      { position: 2, weight: 0.5 },
      { position: 0, weight: 0.25 },
      { position: 3, weight: 0.25 },
    ]);
    expect(strongest(weights, 9, 0.2).map(({ position }) => position)).to.deep.equal([2, 0, 3]);
  });

  it('takes column means over the queries that can read the key, and row sums', () => {
    const { rowSums, columnMeans } = marginals(causal, true);
    expect([...rowSums]).to.deep.equal([1, 1, 1]);
    expect([...columnMeans]).to.deep.equal([0.75, 0.25, 0.25]);
    expect(marginals(causal, false).columnMeans[2]).to.be.closeTo(0.25 / 3, 1e-7);
  });

  it('detects sinks by mass, wherever they are', () => {
    expect(sinkKeys(marginals(causal, true).columnMeans)).to.deep.equal([0]);
    expect(
      sinkKeys(
        marginals(
          pattern([
            [0.1, 0.9],
            [0.2, 0.8],
          ]),
          false,
        ).columnMeans,
      ),
    ).to.deep.equal([1]);
  });

  it('never loses the maximum when it pools, and never invents one', () => {
    fc.assert(
      fc.property(anyPattern, fc.integer({ min: 1, max: 10 }), (original, size) => {
        const pooled = maxPool(original, size);
        expect(pooled.numQueries).to.equal(Math.min(size, original.numQueries));
        expect(Math.max(...pooled.weights)).to.equal(Math.max(...original.weights));
        for (const weight of pooled.weights) expect(original.weights.includes(weight)).to.equal(true);
      }),
    );
  });

  it('codes thumbnails within their stated error', () => {
    for (let i = 0; i <= 1000; i++) {
      const [byte] = encodeThumbnail(Float32Array.of(i / 1000));
      expect(Math.abs(decodeThumbnail(byte) - i / 1000)).to.be.lessThan(4e-3);
    }
    expect([...encodeThumbnail(Float32Array.of(-1, 2))]).to.deep.equal([0, 255]);
  });
});
