import { expect } from 'chai';
import {
  isToBeChosenAnew,
  learnReader,
  unknownReader,
  windowAroundSelection,
  type Reader,
  type SelectedPlace,
} from '../../../src/model/contextWindow';
import type { RunInfo } from '../../../src/model/modelInfo';

/** A document of lines of ten units, their break included. */
function placeOf(start: number, end: number, numLines = 100): SelectedPlace {
  const lineOf = (offset: number): number => Math.floor(offset / 10) * 10;
  return {
    selection: { start, end },
    firstLineStart: lineOf(start),
    lastLineEnd: end % 10 === 0 ? end : lineOf(end) + 9,
    documentLength: numLines * 10 - 1,
    lineStartFrom: (offset) => Math.ceil(offset / 10) * 10,
    lineEndUntil: (offset) => (offset % 10 === 9 ? offset : Math.max(0, lineOf(offset) - 1)),
  };
}

const oneUnit: Reader = { isCausal: true, unitsPerToken: 1, mostTokens: Infinity };
const bounds = { contextTokens: 113, tokenLimit: 0 }; // 99 units

describe('The text around a selection', () => {
  it('is, for a model that reads backwards, the whole lines before it and the rest of its line', () => {
    expect(windowAroundSelection(placeOf(503, 506), oneUnit, bounds)).to.deep.equal({ start: 410, end: 509 });
  });

  it('is, for a model that reads both ways, whole lines on both sides, and more on one where the other has fewer', () => {
    expect(windowAroundSelection(placeOf(503, 506), { ...oneUnit, isCausal: false }, bounds)).to.deep.equal({
      start: 450,
      end: 549,
    });
    expect(windowAroundSelection(placeOf(3, 6), { ...oneUnit, isCausal: false }, bounds)).to.deep.equal({
      start: 0,
      end: 99,
    });
    expect(windowAroundSelection(placeOf(993, 996), { ...oneUnit, isCausal: false }, bounds)).to.deep.equal({
      start: 900,
      end: 999,
    });
  });

  it('ends, for a model that reads backwards, with the function or statement that it stands in, as far as half of it may stand after it', () => {
    const around = (nodeEnds: readonly number[], reader = oneUnit): unknown =>
      windowAroundSelection({ ...placeOf(503, 506), nodeEnds }, reader, bounds);
    expect(around([539])).to.deep.equal({ start: 440, end: 539 });
    expect(around([700, 519]), 'the function is too long, the statement is not').to.deep.equal({
      start: 420,
      end: 519,
    });
    expect(around([700])).to.deep.equal({ start: 410, end: 509 });
    expect(
      around([539], { ...oneUnit, isCausal: false }),
      'one that reads both ways has its own measure',
    ).to.deep.equal({ start: 450, end: 549 });
  });

  it('ends with a selection of whole lines', () => {
    expect(windowAroundSelection(placeOf(500, 520), oneUnit, bounds)).to.deep.equal({ start: 410, end: 520 });
  });

  it('is as much as the model reads, the token limit or the setting allow, whichever is least', () => {
    const room = (reader: Reader, tokenLimit: number): number => {
      const window = windowAroundSelection(placeOf(503, 506), reader, { contextTokens: 113, tokenLimit });
      return window === undefined ? 0 : window.end - window.start;
    };
    expect(room({ ...oneUnit, mostTokens: 64 }, 0)).to.be.within(40, 55);
    expect(room(oneUnit, 40)).to.be.within(20, 34);
    expect(room({ ...oneUnit, unitsPerToken: 3 }, 0)).to.be.within(280, 299);
  });

  it('begins within the line where that is longer than what is read', () => {
    const place: SelectedPlace = {
      selection: { start: 5000, end: 5004 },
      firstLineStart: 0,
      lastLineEnd: 10_000,
      documentLength: 10_000,
      lineStartFrom: () => 10_001,
      lineEndUntil: () => 0,
    };
    expect(windowAroundSelection(place, oneUnit, bounds)).to.deep.equal({ start: 4925, end: 5028 });
    expect(windowAroundSelection(place, { ...oneUnit, isCausal: false }, bounds)).to.deep.equal({
      start: 4950,
      end: 5053,
    });
  });

  it('is not where nothing stands around it, or where the selection leaves no room', () => {
    expect(windowAroundSelection(placeOf(0, 9), oneUnit, bounds)).to.equal(undefined);
    expect(windowAroundSelection(placeOf(0, 999), { ...oneUnit, isCausal: false }, bounds)).to.equal(undefined);
    expect(windowAroundSelection(placeOf(300, 400), { ...oneUnit, mostTokens: 64 }, bounds)).to.equal(undefined);
  });

  it('has the selection in it, whatever the numbers are', () => {
    for (let start = 0; start < 300; start += 7) {
      for (const length of [1, 5, 10, 33]) {
        for (const isCausal of [true, false]) {
          const window = windowAroundSelection(placeOf(start, start + length, 35), { ...oneUnit, isCausal }, bounds);
          if (window === undefined) continue;
          expect(window.start, `${start} ${length}`).to.be.within(0, start);
          expect(window.end, `${start} ${length}`).to.be.within(start + length, 349);
        }
      }
    }
  });
});

describe('What a run shows of how a model reads', () => {
  const run = (numTokens: number, unitsPerToken: number, isCausal: boolean, contextLength?: number) =>
    ({
      streams: [
        {
          text: 'x'.repeat(numTokens * unitsPerToken),
          tokens: Array.from({ length: numTokens }, (_, i) => ({
            start: i * unitsPerToken,
            end: (i + 1) * unitsPerToken,
          })),
        },
      ],
      components: [{ isCausal }],
      model: { contextLength },
    }) as unknown as RunInfo; // what is looked at

  it('is its direction, the length of its tokens and how many it reads', () => {
    expect(learnReader(unknownReader, run(100, 4, false, 512), 400)).to.deep.equal({
      isCausal: false,
      unitsPerToken: 4,
      mostTokens: 512,
    });
    expect(learnReader(unknownReader, run(100, 3, true), 300), 'nearly as was thought').to.deep.equal(unknownReader);
    expect(learnReader(unknownReader, run(64, 1, true), 300), 'cut').to.deep.equal({
      isCausal: true,
      unitsPerToken: 1,
      mostTokens: 64,
    });
  });

  it('is nothing of the direction where it read one token, and nothing of lengths where it read few', () => {
    expect(learnReader(unknownReader, run(1, 5, false), 5)).to.deep.equal(unknownReader);
  });

  it('asks for another part where the selection was cut off, or the other side was left out', () => {
    expect(isToBeChosenAnew(unknownReader, unknownReader, 100, 90)).to.equal(false);
    expect(isToBeChosenAnew(unknownReader, unknownReader, 80, 90)).to.equal(true);
    expect(isToBeChosenAnew(unknownReader, { ...unknownReader, isCausal: false }, 100, 90)).to.equal(true);
  });
});
