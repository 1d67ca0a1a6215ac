import { expect } from 'chai';
import * as fc from 'fast-check';
import { hasNegative, scanWeights, type WeightScan } from '../../../../src/engine/weights/scanWeights';
import { WeightKernel } from '../../../../src/engine/runtime/weightKernel';

/** What the scan means, one weight after the other. */
function definition(
  weights: Float32Array,
  numQueries: number,
  numKeys: number,
  numPast: number,
): Omit<WeightScan, 'mayBeNegative'> {
  const rows = Array.from({ length: weights.length / numKeys }, (_, row) => [
    ...weights.subarray(row * numKeys, (row + 1) * numKeys),
  ]);
  const sums = rows.map((row) => row.reduce((sum, weight) => sum + weight, 0));
  const counted = sums.filter((sum) => sum !== 0);
  const read = rows.flatMap((row, index) =>
    row.flatMap((weight, key) => (weight === 0 ? [] : [{ query: numPast + (index % numQueries), key }])),
  );
  return {
    isFinite: sums.every(Number.isFinite),
    smallest: Math.min(...(counted.length > 0 ? counted : sums).filter((sum) => !Number.isNaN(sum))),
    largest: Math.max(...sums.filter((sum) => !Number.isNaN(sum))),
    isCausal: numQueries + numPast === numKeys && numKeys > 1 && read.every(({ query, key }) => key <= query),
    reach: Math.max(0, ...read.map(({ query, key }) => query - key + 1)),
  };
}

/** Weights of some matrices; causal, banded or dense, with zeros of both signs, and now and then a number that must not be there. */
const cases = fc
  .record({
    numMatrices: fc.integer({ min: 1, max: 3 }),
    numQueries: fc.integer({ min: 1, max: 9 }),
    numKeys: fc.integer({ min: 1, max: 9 }),
    numPast: fc.option(fc.integer({ min: 0, max: 5 })),
    isCausal: fc.boolean(),
    band: fc.integer({ min: 1, max: 9 }),
  })
  .chain(({ numMatrices, numQueries, numKeys: own, numPast, isCausal, band }) => {
    const numKeys = numPast === null ? own : numQueries + numPast;
    const weight = fc.oneof(
      { weight: 20, arbitrary: fc.float({ min: 0, max: 1, noNaN: true }) },
      { weight: 5, arbitrary: fc.constantFrom(0, -0) },
      { weight: 1, arbitrary: fc.constantFrom(-0.25, Infinity, 1e30) },
    );
    const length = numMatrices * numQueries * numKeys;
    return fc.array(weight, { minLength: length, maxLength: length }).map((values) => ({
      numQueries,
      numKeys,
      numPast: numPast ?? 0,
      weights: Float32Array.from(values, (value, i) => {
        const query = (numPast ?? 0) + (Math.floor(i / numKeys) % numQueries);
        const key = i % numKeys;
        return (isCausal && key > query) || query - key >= band ? 0 : value;
      }),
    }));
  });

const kernel = WeightKernel.create();

function omitSums({ smallest: _, largest: __, ...rest }: ReturnType<typeof definition>): object {
  return rest;
}

describe('the scan of weights', () => {
  it('finds what one look at each weight after the other finds', () => {
    fc.assert(
      fc.property(cases, ({ weights, numQueries, numKeys, numPast }) => {
        const wanted = definition(weights, numQueries, numKeys, numPast);
        expect(scanWeights(weights, numQueries, numKeys, numPast)).to.deep.equal({ ...wanted, mayBeNegative: true });
        // Where they lie in a kernel's memory, the sums of rows are added up in another order.
        kernel?.reserve(weights.byteLength);
        const placed = kernel?.array(0, weights.length) ?? new Float32Array(0);
        placed.set(weights);
        const { smallest, largest, ...rest } = scanWeights(placed, numQueries, numKeys, numPast);
        const [others, mayBeNegative] = [
          omitSums(wanted),
          weights.some((weight) => weight < 0 || Object.is(weight, -0)),
        ];
        expect(rest).to.deep.equal({ ...others, mayBeNegative });
        for (const [found, sum] of [
          [smallest, wanted.smallest],
          [largest, wanted.largest],
        ])
          if (Number.isFinite(sum)) expect(found).to.be.closeTo(sum, 1e-12 * Math.max(1, Math.abs(sum)));
          else expect(found).to.equal(sum);
        expect(hasNegative(weights)).to.equal(weights.some((weight) => weight < 0));
      }),
      { numRuns: 2000 },
    );
  });

  it('finds numbers that are not finite, also beside the diagonal of a causal matrix', () => {
    expect(scanWeights(Float32Array.of(1, NaN, 0.5, 0.5), 2, 2)).to.include({ isFinite: false, isCausal: false });
    expect(scanWeights(Float32Array.of(NaN, 0, 0.5, 0.5), 2, 2)).to.include({ isFinite: false, isCausal: true });
  });

  it('counts a row of zeros as one that may read nothing', () => {
    expect(scanWeights(Float32Array.of(0, 0, 0.25, 0.75), 2, 2)).to.include({ smallest: 1, largest: 1 });
    expect(scanWeights(new Float32Array(4), 2, 2)).to.include({ smallest: 0, largest: 0 });
  });

  it('finds nothing where there is nothing', () => {
    expect(scanWeights(new Float32Array(0), 0, 0)).to.deep.equal({
      isFinite: true,
      smallest: 0,
      largest: 0,
      isCausal: false,
      reach: 0,
      mayBeNegative: true,
    });
  });
});
