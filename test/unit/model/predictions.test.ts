import { expect } from 'chai';
import { plain } from '../../../src/base/safeText';
import {
  joinPredictions,
  meanSurprisal,
  predictionAt,
  surprisalHeat,
  wordParts,
  type TokenPredictions,
} from '../../../src/model/predictions';
import type { TokenStream } from '../../../src/model/token';

function ofPlaces(places: readonly (readonly [position: number, surprisal: number, rank: number])[]): TokenPredictions {
  const ids = places.flatMap(([position]) => [position, position + 1]);
  return {
    kind: 'masked',
    stream: 0,
    positions: Int32Array.from(places, ([position]) => position),
    surprisal: Float32Array.from(places, ([, surprisal]) => surprisal),
    ranks: Int32Array.from(places, ([, , rank]) => rank),
    entropy: Float32Array.from(places, () => 1),
    count: 2,
    ids: Int32Array.from(ids),
    probabilities: Float32Array.from(ids, (id) => 1 / (id + 2)),
    texts: ids.map((id) => plain(`w${id}`)),
    vocabularySize: 9,
  };
}

const token = (
  start: number,
  end: number,
  more: Partial<TokenStream['tokens'][number]> = {},
): TokenStream['tokens'][number] => ({
  id: start,
  piece: 'x',
  start,
  end,
  isSpecial: false,
  ...more,
});

const stream: TokenStream = {
  role: 'source',
  text: ' fibonacci(n)',
  tokens: [
    token(0, 0, { isSpecial: true }),
    token(0, 2),
    token(2, 10),
    token(10, 11),
    token(11, 12, { template: 'user' }),
    token(12, 13),
  ],
};

describe('predictions', () => {
  it('of one place: what stands there, and the alternatives', () => {
    const all = ofPlaces([
      [1, 3, 4],
      [6, NaN, 0],
    ]);
    expect(predictionAt(all, 1)).to.deep.include({ position: 1, actual: { surprisal: 3, rank: 4 }, entropy: 1 });
    expect(predictionAt(all, 1)?.alternatives.map(({ text }) => text)).to.deep.equal(['w1', 'w2']);
    expect(predictionAt(all, 6)?.actual).to.equal(undefined);
    expect(predictionAt(all, 2)).to.equal(undefined);
  });

  it('are joined in the order of their places, the newer ones first', () => {
    const joined = joinPredictions(
      ofPlaces([
        [1, 3, 4],
        [6, NaN, 0],
      ]),
      ofPlaces([
        [2, 5, 2],
        [6, 7, 3],
      ]),
    );
    expect([...joined.positions]).to.deep.equal([1, 2, 6]);
    expect([...joined.surprisal]).to.deep.equal([3, 5, 7]);
    expect([...joined.ids]).to.deep.equal([1, 2, 2, 3, 6, 7]);
    expect(joined.texts).to.deep.equal(['w1', 'w2', 'w2', 'w3', 'w6', 'w7']);
  });

  it('have a mean over the text’s own tokens', () => {
    const all = ofPlaces([
      [0, 100, 1],
      [1, 3, 4],
      [3, 5, 4],
      [4, 100, 1],
      [5, NaN, 0],
      [6, NaN, 0],
    ]);
    expect(meanSurprisal(all, stream)).to.deep.equal({ surprisal: 4, numTokens: 2 });
    expect(meanSurprisal(ofPlaces([[6, NaN, 0]]), stream)).to.equal(undefined);
  });

  it('belong to parts of words', () => {
    const partOf = wordParts(stream);
    expect([0, 1, 2, 3, 9].map((position) => partOf(position))).to.deep.equal([
      undefined,
      { word: 'fibonacci', part: 1, of: 2 },
      { word: 'fibonacci', part: 2, of: 2 },
      undefined,
      undefined,
    ]);
  });

  it('colours a text up to what a guess among all tokens alike has, whatever the largest of the text is; labels have none', () => {
    const places = ofPlaces([
      [1, 0, 1],
      [2, 0.25, 1],
      [6, 12, 9],
      [7, NaN, 0],
      [9, 2, 1],
    ]);
    expect(surprisalHeat(places, 9)).to.deep.equal({
      kind: 'masked',
      stream: 0,
      bits: Float32Array.of(0, 0, 0.25, 0, 0, 0, 12, 0, 0),
      ceiling: Math.log2(9),
      numTokens: 3,
    });
    expect(surprisalHeat({ ...places, kind: 'tokenLabels' }, 9)).to.equal(undefined);
    expect(surprisalHeat({ kind: 'labels', questions: [] }, 9)).to.equal(undefined);
  });
});
