import { expect } from 'chai';
import {
  patternSummer,
  PlainSummer,
  type PatternSummer,
  type PatternSums,
} from '../../../../src/engine/profile/patternSums';
import type { SummedCells } from '../../../../src/engine/profile/summedCells';
import { WeightKernel } from '../../../../src/engine/runtime/weightKernel';
import { randomPattern } from '../../../harness/randomPattern';

/** Cells of each kind: runs that meet at some sums, within a row each, and cells with others behind them. */
function cellsOf(numQueries: number, numKeys: number): SummedCells {
  const [runs, repeated]: number[][] = [[], []];
  const numRunSums = numKeys + 2;
  for (let query = 0; query < numQueries; query++) {
    for (let key = query % 3; key < numKeys; key += 11) {
      const length = Math.min(numKeys - key, 1 + ((query * 7 + key) % 9));
      runs.push(query * numKeys + key, length, (query + key) % (numRunSums - length + 1));
    }
    for (let key = 0; key + 1 < numKeys; key += 5) repeated.push(query * numKeys + key);
  }
  return { runs: Int32Array.from(runs), numRunSums, repeated: Int32Array.from(repeated) };
}

/** Copies of what a summer gives of a pattern, whose rows come so many at a time. */
function sumsOf(
  summer: PatternSummer,
  { numQueries, numKeys, isCausal, weights }: ReturnType<typeof randomPattern>,
  band: number,
): PatternSums {
  const classes = Uint8Array.from({ length: numQueries }, (_, query) => (query * 5) % 8);
  const keyClasses = Uint8Array.from({ length: numKeys }, (_, key) => (key * 3) % 8);
  summer.begin({ numQueries, numKeys, isCausal, classes, keyClasses, cells: cellsOf(numQueries, numKeys) });
  for (let from = 0; from < numQueries; from += band)
    summer.add(from, weights.subarray(from * numKeys, Math.min(numQueries, from + band) * numKeys));
  const { columnSums, classWeights, lags, entropies, runs, repeated, ...rest } = summer.sums();
  return {
    ...{ ...rest, lags: lags.slice(), entropies: entropies.slice(), runs: runs.slice(), repeated: repeated.slice() },
    ...{ columnSums: columnSums.slice(), classWeights: classWeights.slice() },
  };
}

describe('sums over a pattern', () => {
  const shapes = [
    [1, 1],
    [2, 2],
    [3, 3],
    [37, 37],
    [64, 64],
    [257, 257],
    [5, 11],
    [9, 4],
  ] as const;

  it('are the same to the bit with and without WebAssembly, however many rows come at a time', () => {
    const kernel = patternSummer(WeightKernel.create());
    const plain = new PlainSummer();
    expect(kernel).to.not.be.instanceOf(PlainSummer);
    for (const [numQueries, numKeys] of shapes)
      for (const isCausal of [true, false])
        for (const isSigned of [true, false]) {
          if (isCausal && numKeys < numQueries) continue;
          const pattern = randomPattern({ numQueries, numKeys, isCausal, isSigned });
          const wanted = sumsOf(plain, pattern, numQueries);
          for (const band of [numQueries, 3]) {
            const found = sumsOf(kernel, pattern, band);
            expect(found.hasSign).to.equal(isSigned && pattern.weights.some((weight) => weight < 0));
            expect(found, `${numQueries} × ${numKeys}, ${isCausal}, ${isSigned}`).to.deep.equal(wanted);
          }
          expect(sumsOf(plain, pattern, 3)).to.deep.equal(wanted);
        }
  });

  it('have the entropies that doubles have, to 1e-6, of sharp rows and of flat ones', () => {
    const n = 600;
    const { weights } = randomPattern({ numQueries: n, numKeys: n, isCausal: true });
    // One weight alone, all alike, and what no float32 tells from zero.
    weights.fill(0, 500 * n, 503 * n);
    weights[500 * n] = 1;
    weights.fill(1 / 502, 501 * n, 501 * n + 502);
    weights.fill(1e-42, 502 * n, 502 * n + 503);
    const { entropies } = sumsOf(
      patternSummer(WeightKernel.create()),
      { numQueries: n, numKeys: n, isCausal: true, weights },
      n,
    );
    for (let query = 0; query < n; query++) {
      let entropy = 0;
      for (let key = 0; key <= query; key++) {
        const weight = weights[query * n + key];
        if (weight > 0) entropy -= weight * Math.log(weight);
      }
      expect(entropies[query], `row ${query}`).to.be.closeTo(entropy, 1e-6 * Math.max(1, entropy));
    }
    expect(entropies[500]).to.equal(0);
  });

  it('are there without WebAssembly, and where the kernel has no room for them', () => {
    const { WebAssembly: own } = globalThis as { WebAssembly?: object };
    try {
      Reflect.deleteProperty(globalThis, 'WebAssembly');
      expect(patternSummer(WeightKernel.create())).to.be.instanceOf(PlainSummer);
    } finally {
      Reflect.set(globalThis, 'WebAssembly', own);
    }
    const long = randomPattern({ numQueries: 3, numKeys: 70_000, isCausal: false });
    expect(sumsOf(patternSummer(WeightKernel.create()), long, 2)).to.deep.equal(sumsOf(new PlainSummer(), long, 3));
  });
});
