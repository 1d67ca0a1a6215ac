import { expect } from 'chai';
import type { ComponentInfo } from '../../../src/model/head';
import {
  countsInMean,
  directionOf,
  hasSinks,
  lightingFrom,
  lookAt,
  oftenRead,
  provenSinks,
  sourcesOf,
  type Lighting,
} from '../../../src/model/lighting';
import { marginals, weightsOf, type Direction, type Pattern } from '../../../src/model/pattern';
import type { TokenRef } from '../../../src/model/token';

const self: ComponentInfo = { component: 'self', layers: [], queryStream: 0, keyStream: 0, isCausal: true };
const cross: ComponentInfo = { component: 'cross', layers: [], queryStream: 1, keyStream: 0, isCausal: false };
const pattern: Pattern = {
  numQueries: 3,
  numKeys: 3,
  weights: Float32Array.from([1, 0, 0, 0.25, 0.75, 0, 0.5, 0.25, 0.25]),
};
const at = (position: number, stream = 0): { stream: number; position: number } => ({ stream, position });

function lightingOf(
  whole: Pattern,
  component: ComponentInfo,
  tokens: readonly TokenRef[],
  direction: Direction,
): Lighting | undefined {
  const look = lookAt(whole, component, tokens, direction);
  return (
    look &&
    lightingFrom(
      look,
      look.tokens.map(({ position }) => weightsOf(whole, position, look.direction)),
    )
  );
}

describe('the lighting of tokens', () => {
  it('is a row for what a token reads, and a column for what reads it', () => {
    expect(Array.from(lightingOf(pattern, self, [at(2)], 'reads')?.weights ?? [])).to.deep.equal([0.5, 0.25, 0.25]);
    const readBy = lightingOf(pattern, self, [at(0)], 'readBy');
    expect(Array.from(readBy?.weights ?? [])).to.deep.equal([1, 0.25, 0.5]);
    expect(readBy?.maximum).to.equal(1);
  });

  it('is the mean of several', () => {
    expect(Array.from(lightingOf(pattern, self, [at(1), at(2)], 'reads')?.weights ?? [])).to.deep.equal([
      0.375, 0.5, 0.125,
    ]);
  });

  it('goes the only way there is between two streams', () => {
    const between: Pattern = { numQueries: 2, numKeys: 3, weights: Float32Array.from([0.2, 0.3, 0.5, 0.6, 0.4, 0]) };
    expect(directionOf(cross, 1, 'readBy')).to.equal('reads');
    expect(directionOf(cross, 0, 'reads')).to.equal('readBy');
    expect(directionOf(cross, 2, 'reads')).to.equal(undefined);
    const lighting = lightingOf(between, cross, [at(1, 0)], 'reads');
    expect(lighting).to.include({ stream: 1, direction: 'readBy' });
    expect(lighting?.weights[1]).to.be.closeTo(0.4, 1e-7);
    // A token of the other stream cannot join a mean of this one's.
    expect(lightingOf(between, cross, [at(0, 1), at(0, 0)], 'reads')?.tokens).to.deep.equal([at(0, 1)]);
  });

  it('is none without tokens, and none for tokens that the pattern lacks', () => {
    expect(lightingOf(pattern, self, [], 'reads')).to.equal(undefined);
    expect(lightingOf(pattern, self, [at(3)], 'reads')).to.equal(undefined);
    expect(lightingOf(pattern, self, [at(0, 1)], 'reads')).to.equal(undefined);
  });
});

describe('the sources of a lighting', () => {
  it('are the strongest, with what the rest and the sinks hold', () => {
    const lighting = lightingOf(pattern, self, [at(2)], 'reads');
    if (lighting === undefined) throw new Error('no lighting');
    expect(sourcesOf(lighting, 1, 0, [0])).to.deep.equal({
      strongest: [{ position: 0, weight: 0.5 }],
      restCount: 2,
      restWeight: 0.5,
      sinkWeight: 0.5,
      totalWeight: 1,
    });
    expect(sourcesOf(lighting, 8, 0.3, [])).to.deep.include({ restCount: 2, sinkWeight: 0 });
    const column = lightingOf(pattern, self, [at(0)], 'readBy');
    if (column === undefined) throw new Error('no lighting');
    expect(sourcesOf(column, 8, 0, [0])).to.deep.include({ sinkWeight: 0, restCount: 0, totalWeight: 1.75 });
  });
});

describe('the sinks of a pattern', () => {
  /** Every query reads the first key with `share`, and the one before it with the rest. */
  const causal = (share: number, n = 100): Pattern => {
    const weights = new Float32Array(n * n);
    for (let query = 0; query < n; query++) {
      weights[query * n] += share;
      weights[query * n + Math.max(0, query - 1)] += 1 - share;
    }
    return { numQueries: n, numKeys: n, weights };
  };
  /** A head that reads the sign of the statement that it is in, of which there is one each `length` tokens. */
  const statements = (n: number, length: number): Pattern => {
    const weights = new Float32Array(n * n);
    for (let query = 0; query < n; query++) weights[query * n + Math.floor(query / length) * length] = 1;
    return { numQueries: n, numKeys: n, weights };
  };
  const means = (pattern: Pattern, isCausal: boolean): Float32Array => marginals(pattern, isCausal).columnMeans;

  it('are keys that queries all over the text could have read, not the last ones of a local head', () => {
    expect(provenSinks(causal(0.6), true)).to.deep.equal([0]);
    expect(provenSinks(causal(0), true)).to.deep.equal([]);
  });

  it('are none in a short text: there a head that reads its own statement looks the same', () => {
    expect(provenSinks(causal(0.6, 63), true)).to.deep.equal([]);
    expect(provenSinks(causal(0.6, 64), true)).to.deep.equal([0]);
    expect(provenSinks(statements(34, 20), true)).to.deep.equal([]);
    expect(provenSinks(statements(200, 20), true)).to.deep.equal([]);
    expect(oftenRead(means(statements(34, 20), true), { numQueries: 34, isCausal: true }, [])).to.deep.equal([0, 20]);
    expect(oftenRead(means(causal(0.6), true), { numQueries: 100, isCausal: true }, [0])).to.deep.equal([]);
    // Of two tokens each is read often: there are no others.
    expect(oftenRead(Float32Array.of(0.5, 0.5), { numQueries: 2, isCausal: false }, [])).to.deep.equal([]);
    expect(oftenRead(Float32Array.of(0.5, 0.5), { numQueries: 8, isCausal: false }, [])).to.deep.equal([0, 1]);
  });

  it('can stand anywhere where there is no mask', () => {
    const n = 64;
    const weights = new Float32Array(n * n).map((_, i) => (i % n === 60 ? 0.7 : 0.3 / (n - 1)));
    expect(provenSinks({ numQueries: n, numKeys: n, weights }, false)).to.deep.equal([60]);
    expect(provenSinks({ numQueries: n - 1, numKeys: n, weights: weights.slice(n) }, false)).to.deep.equal([]);
  });

  it('are none in what one text reads of another', () => {
    expect(hasSinks(self, 64)).to.equal(true);
    expect(hasSinks(self, 63)).to.equal(false);
    expect(hasSinks({ ...self, component: 'cross', keyStream: 1 }, 500)).to.equal(false);
  });
});

describe('the mean of several tokens', () => {
  const look = {
    tokens: [
      { stream: 0, position: 1 },
      { stream: 0, position: 3 },
    ],
    direction: 'reads' as const,
    stream: 0,
  };
  const rows = [Float32Array.of(0.5, 0.5, 0, 0), Float32Array.of(0.25, 0.25, 0.25, 0.25)];

  it('is over all of them, or over those that can see the other one', () => {
    expect([...lightingFrom(look, rows, countsInMean(self, look, 'all')).weights]).to.deep.equal([
      0.375, 0.375, 0.125, 0.125,
    ]);
    expect([...lightingFrom(look, rows, countsInMean(self, look, 'seeing')).weights]).to.deep.equal([
      0.375, 0.375, 0.25, 0.25,
    ]);
  });

  it('is over those that the other one can see, where they are what is read', () => {
    const readBy = { ...look, direction: 'readBy' as const };
    const columns = [Float32Array.of(0, 0.5, 0.2, 0.25), Float32Array.of(0, 0, 0, 0.25)];
    expect(
      [...lightingFrom(readBy, columns, countsInMean(self, readBy, 'seeing')).weights].map((weight) =>
        weight.toFixed(2),
      ),
    ).to.deep.equal(['0.00', '0.50', '0.20', '0.25']);
  });

  it('is one and the same where all see all, and of one token', () => {
    expect(countsInMean({ ...self, isCausal: false }, look, 'seeing')).to.equal(undefined);
    expect(countsInMean(self, { ...look, tokens: look.tokens.slice(1) }, 'seeing')).to.equal(undefined);
  });
});
