import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { AlignedLayer } from '../../../../src/engine/compare/alignedLayer';
import { readDifferences, readMatches } from '../../../../src/engine/compare/readDifferences';
import { WholeLayer } from '../../../../src/engine/weights/heldLayer';
import { alignTokens, numCommon, onlyInB } from '../../../../src/model/compare/alignTokens';
import type { HeadDifference } from '../../../../src/model/compare/headDifference';
import { longestCommon } from '../../../../src/model/compare/longestCommon';
import type { Token } from '../../../../src/model/token';

interface Spans {
  readonly text: string;
  readonly spans: readonly (readonly [start: number, end: number])[];
}

interface Fixture {
  readonly sequences: readonly { readonly a: number[]; readonly b: number[]; readonly places: number[] }[];
  readonly texts: readonly { readonly a: Spans; readonly b: Spans; readonly groups: readonly [number[], number[]][] }[];
  readonly differences: readonly {
    readonly unitsOfA: readonly number[];
    readonly unitsOfB: readonly number[];
    readonly isCausal: boolean;
    readonly heads: readonly (HeadDifference & { readonly isTied: boolean })[];
    readonly matches: readonly { readonly head: number; readonly jensenShannon: number }[];
  }[];
}

const fixture = JSON.parse(readFileSync('test/fixtures/compare.json', 'utf8')) as Fixture; // of our own script

/** The formula of the script. */
function layerOf(side: number, numTokens: number, numHeads: number, isCausal: boolean): WholeLayer {
  const weights = new Float32Array(numHeads * numTokens * numTokens);
  for (let head = 0; head < numHeads; head++)
    for (let query = 0; query < numTokens; query++) {
      const powers = Array.from({ length: isCausal ? query + 1 : numTokens }, (_, key) =>
        Math.exp(2 * Math.sin(5 * query + 3 * key + head + side / 2)),
      );
      const sum = powers.reduce((total, power) => total + power, 0);
      powers.forEach((power, key) => (weights[(head * numTokens + query) * numTokens + key] = power / sum));
    }
  return new WholeLayer('self', { numHeads, numQueries: numTokens, numKeys: numTokens, weights });
}

/** Tokens whose ids are those of no other text. */
const tokensOf = ({ spans }: Spans, firstId: number): Token[] =>
  spans.map(([start, end], i) => ({ id: firstId + i, piece: `${firstId + i}`, start, end, isSpecial: end === start }));

function words(text: string): { readonly text: string; readonly tokens: Token[] } {
  const tokens = [...text.matchAll(/ ?\S+/g)].map(({ 0: piece, index }) => ({
    id: [...piece].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 99991, 7),
    piece,
    start: index,
    end: index + piece.length,
    isSpecial: false,
  }));
  return { text, tokens };
}

describe('what is compared', () => {
  it('is found as longest common subsequences by a whole table', () => {
    for (const { a, b, places } of fixture.sequences) expect([...longestCommon(a, b)]).to.deep.equal(places);
  });

  it('keeps the equal ends of sequences that are too long for a table', () => {
    const middle = (salt: number): number[] => Array.from({ length: 5000 }, (_, i) => i * 2 + salt);
    const places = longestCommon([7, ...middle(0), 9], [7, ...middle(1), 9]);
    expect([places[0], places[5001], places.filter((place) => place >= 0).length]).to.deep.equal([0, 5001, 2]);
  });

  it('of branches is put together by ids: what a model wrote after a text is not in it', () => {
    const { text, tokens } = words('return left');
    const branch = (...pieces: readonly string[]): Parameters<typeof alignTokens>[0] => ({
      text,
      tokens: [
        ...tokens,
        ...pieces.flatMap((piece) =>
          words(piece).tokens.map((token) => ({ ...token, start: text.length, end: text.length, template: piece })),
        ),
      ],
      written: { from: tokens.length, sampling: undefined, shares: pieces.map(() => null), ending: undefined },
    });
    const alignment = alignTokens(branch('+', 'right', '*', '2'), branch('-', 'right', '*', '3'));
    expect(alignment.kind).to.equal('ids');
    expect([...alignment.isCommon]).to.deep.equal([1, 1, 0, 1, 1, 0]);
    expect(onlyInB(alignment)).to.deep.equal([2, 5]);
    expect(alignTokens(branch('+'), { text, tokens }).kind, 'a text and its continuation').to.equal('ids');
  });

  it('of other tokenizers is put together by characters', () => {
    for (const { a, b, groups } of fixture.texts) {
      const alignment = alignTokens(
        { text: a.text, tokens: tokensOf(a, 0) },
        { text: b.text, tokens: tokensOf(b, 1000) },
      );
      expect(alignment.kind).to.equal('characters');
      const found = [...alignment.isCommon.keys()].flatMap((unit) =>
        alignment.isCommon[unit] === 0
          ? []
          : [
              [alignment.unitsOfA, alignment.unitsOfB].map((units) =>
                [...units.keys()].filter((position) => units[position] === unit),
              ),
            ],
      );
      expect(found).to.deep.equal(groups);
      expect(alignment.starts.length).to.equal(alignment.isCommon.length);
      alignment.starts.forEach((start, unit) => expect(alignment.unitsOfA[start]).to.equal(unit));
    }
  });

  it('is every token where text and tokens are the same, and by ids where a text was edited', () => {
    const [a, b] = [words('one two three two four'), words('one two five two four six')];
    const same = alignTokens(a, words(a.text));
    expect([same.kind, numCommon(same), onlyInB(same)]).to.deep.equal(['same', 5, []]);
    const edited = alignTokens(a, b);
    expect([edited.kind, [...edited.isCommon], [...edited.unitsOfB]]).to.deep.equal([
      'ids',
      [1, 1, 0, 1, 1],
      [0, 1, -1, 3, 4, -1],
    ]);
    expect(onlyInB(edited)).to.deep.equal([2, 5]);
  });

  it('is not joined by ids that stand for other pieces', () => {
    const a = words('one two');
    const other = { ...a, text: 'one two!', tokens: a.tokens.map((token) => ({ ...token, piece: `_${token.piece}` })) };
    expect(alignTokens(a, other).kind).to.equal('characters');
  });

  for (const { unitsOfA, unitsOfB, isCausal, heads, matches } of fixture.differences) {
    const numUnits = Math.max(...unitsOfA) + 1;
    const axis = (units: readonly number[]) => ({ unitOf: Int32Array.from(units), numUnits });
    const common = Uint8Array.from({ length: numUnits }, (_, unit) => Number(unitsOfB.includes(unit)));
    const aligned = (side: number, units: readonly number[], numHeads: number): AlignedLayer =>
      new AlignedLayer(layerOf(side, units.length, numHeads, isCausal), axis(units), axis(units));
    const title = `${unitsOfA.length} and ${unitsOfB.length} tokens, ${isCausal ? 'causal' : 'both ways'}`;

    it(`differs as NumPy says (${title})`, async () => {
      const found = await readDifferences([aligned(0, unitsOfA, 3)], [aligned(1, unitsOfB, 3)], {
        pairs: [0, 1, 2].map((head) => [
          { layer: 0, head },
          { layer: 0, head },
        ]),
        common: { queries: common, keys: common, isCausal },
      });
      found.forEach(({ jensenShannon, meanAbsolute, largest, unaligned }, i) => {
        const wanted = heads[i];
        expect(jensenShannon).to.be.closeTo(wanted.jensenShannon, 1e-6);
        expect(meanAbsolute).to.be.closeTo(wanted.meanAbsolute, 1e-7);
        expect(Math.abs(largest.difference)).to.be.closeTo(Math.abs(wanted.largest.difference), 1e-6);
        if (!wanted.isTied) {
          expect([largest.query, largest.key]).to.deep.equal([wanted.largest.query, wanted.largest.key]);
          expect(largest.difference).to.be.closeTo(wanted.largest.difference, 1e-6);
        }
        expect(unaligned.a).to.be.closeTo(wanted.unaligned.a, 1e-6);
        expect(unaligned.b).to.be.closeTo(wanted.unaligned.b, 1e-6);
      });
    });

    it(`matches heads as NumPy does (${title})`, async () => {
      // The heads of B lie in two layers.
      const five = layerOf(1, unitsOfB.length, 5, isCausal);
      const part = (from: number, to: number): AlignedLayer =>
        new AlignedLayer(
          new WholeLayer('self', {
            numHeads: to - from,
            numQueries: unitsOfB.length,
            numKeys: unitsOfB.length,
            weights: five.weights.subarray(from * unitsOfB.length ** 2, to * unitsOfB.length ** 2),
          }),
          axis(unitsOfB),
          axis(unitsOfB),
        );
      const found = await readMatches([aligned(0, unitsOfA, 3)], [part(0, 2), part(2, 5)], {
        queries: common,
        keys: common,
      });
      found.forEach((match, i) => {
        expect(match && (match.layer === 0 ? match.head : match.head + 2)).to.equal(matches[i].head);
        expect(match?.jensenShannon).to.be.closeTo(matches[i].jensenShannon, 1e-6);
      });
    });
  }

  it('has no divergence where weights are negative', async () => {
    const axis = { unitOf: Int32Array.of(0, 1), numUnits: 2 };
    const layer = (weights: readonly number[]): AlignedLayer =>
      new AlignedLayer(
        new WholeLayer('self', { numHeads: 1, numQueries: 2, numKeys: 2, weights: Float32Array.from(weights) }),
        axis,
        axis,
      );
    const common = { queries: Uint8Array.of(1, 1), keys: Uint8Array.of(1, 1), isCausal: false };
    const [a, b] = [layer([1, 0, 0.5, 0.5]), layer([1, 0, -0.5, 1.5])];
    const head = { layer: 0, head: 0 };
    const [found] = await readDifferences([a], [b], { pairs: [[head, head]], common });
    expect(found.jensenShannon).to.be.NaN;
    expect(found.meanAbsolute).to.be.closeTo(0.5, 1e-7);
    expect(await readMatches([a], [b], common)).to.deep.equal([undefined]);
  });
});
