import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { WholeLayer } from '../../../../src/engine/weights/heldLayer';
import { ScaledLayer } from '../../../../src/engine/weights/scaledLayer';
import { readRelations } from '../../../../src/engine/weights/readRelations';
import type { RelationPairs } from '../../../../src/model/relations/relation';

interface Fixture {
  readonly numTokens: number;
  readonly cases: readonly {
    readonly name: string;
    readonly isCausal: boolean;
    readonly numPairs: number;
    readonly heads: readonly (readonly (number | null)[])[];
    /** The same where each key's column is times a length. */
    readonly byNorm: readonly (readonly (number | null)[])[];
  }[];
}

const { numTokens, cases } = JSON.parse(readFileSync('test/fixtures/relations.json', 'utf8')) as Fixture; // of our own script

/** The formulas of the script. */
function weightsOf(isCausal: boolean): Float32Array {
  const weights = new Float32Array(3 * numTokens * numTokens);
  for (let head = 0; head < 3; head++)
    for (let query = 0; query < numTokens; query++) {
      const numReadable = isCausal ? query + 1 : numTokens;
      const powers = Array.from({ length: numReadable }, (_, key) =>
        Math.exp(2 * Math.sin(5 * query + 3 * key + head)),
      );
      const sum = powers.reduce((total, power) => total + power, 0);
      powers.forEach((power, key) => (weights[(head * numTokens + query) * numTokens + key] = power / sum));
    }
  return weights;
}

const rules: Readonly<Record<string, (query: number, key: number) => boolean>> = {
  several: (query, key) => (query * 7 + key * 3) % 11 === 0,
  oneLag: (query, key) => query - key === 2 && query % 3 === 0,
  wholeLag: (query, key) => query - key === 1 || (query - key === 5 && query % 2 === 0),
  few: (query, key) => query - key === 4 && query % 9 === 0,
};

function pairsOf(name: string, isCausal: boolean): RelationPairs {
  const [queries, ends, keys]: number[][] = [[], [], []];
  for (let query = 0; query < numTokens; query++) {
    for (let key = 0; key < numTokens; key++)
      if (key !== query && (!isCausal || key < query) && rules[name](query, key)) keys.push(key);
    if (keys.length > (ends.at(-1) ?? 0)) {
      queries.push(query);
      ends.push(keys.length);
    }
  }
  return { queries: Int32Array.from(queries), ends: Int32Array.from(ends), keys: Int32Array.from(keys) };
}

describe('what heads read along relations', () => {
  for (const isCausal of [true, false])
    it(`is what NumPy computes by masks, with the same interval: ${isCausal ? 'causal' : 'both ways'}`, async () => {
      const own = cases.filter((each) => each.isCausal === isCausal);
      const relations = own.map(({ name }) => pairsOf(name, isCausal));
      expect(relations.map(({ keys }) => keys.length)).to.deep.equal(own.map(({ numPairs }) => numPairs));
      const layer = new WholeLayer('self', {
        numHeads: 3,
        numQueries: numTokens,
        numKeys: numTokens,
        weights: weightsOf(isCausal),
      });
      const norms = new ScaledLayer(
        layer,
        Float32Array.from({ length: 3 * numTokens }, (_, i) => 1 + ((i % numTokens) % 7)),
      );
      for (const [measured, of] of [
        [layer, 'heads'],
        [norms, 'byNorm'],
      ] as const) {
        const values = await readRelations([measured], relations);
        own.forEach(({ name, [of]: heads }, relation) =>
          heads.forEach((wanted, head) =>
            wanted.forEach((value, i) => {
              const found = values[(head * relations.length + relation) * 5 + i];
              if (value === null) expect(found, `${of} ${name} ${head} ${i}`).to.be.NaN;
              else expect(found, `${of} ${name} ${head} ${i}`).to.be.closeTo(value, 2e-6 * Math.max(1, value));
            }),
          ),
        );
      }
    });

  it('is no more than its distance where a head reads by distance alone: the previous token is no syntax', async () => {
    const weights = new Float32Array(numTokens * numTokens);
    for (let query = 0; query < numTokens; query++) weights[query * numTokens + Math.max(0, query - 2)] = 1;
    const layer = new WholeLayer('self', { numHeads: 1, numQueries: numTokens, numKeys: numTokens, weights });
    const [share, baseline, ratio, low, high] = await readRelations([layer], [pairsOf('oneLag', true)]);
    expect([share, baseline, ratio, low, high]).to.deep.equal([1, 1, 1, 1, 1]);
  });

  it('gives no verdict on fewer than ten pairs, and the same numbers each time', async () => {
    const layer = new WholeLayer('self', {
      numHeads: 3,
      numQueries: numTokens,
      numKeys: numTokens,
      weights: weightsOf(true),
    });
    const relations = [pairsOf('few', true), pairsOf('several', true)];
    const [first, second] = [await readRelations([layer], relations), await readRelations([layer], relations)];
    expect(first).to.deep.equal(second);
    expect([...first.slice(2, 5)].every(Number.isNaN)).to.equal(true);
    expect(first[0]).to.be.greaterThan(0);
  });
});
