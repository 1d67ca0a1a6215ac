import { expect } from 'chai';
import { readingHabits, windowAroundCaret } from '../../../src/host/run/caretWindow';
import type { RunInfo } from '../../../src/model/modelInfo';

/** A document of lines of ten units, their break included. */
function placeOf(caret: number, numLines = 100): Parameters<typeof windowAroundCaret>[0] {
  const start = Math.floor(caret / 10) * 10;
  return {
    caret,
    line: { start, end: start + 9 },
    documentLength: numLines * 10 - 1,
    lineStartFrom: (offset) => Math.ceil(offset / 10) * 10,
  };
}

describe('The text around the caret', () => {
  it('is not asked for where the start has the caret in it', () => {
    expect(windowAroundCaret(placeOf(200), { budget: 200, isCausal: true })).to.equal(undefined);
  });

  it('ends with the caret’s line for a model that reads backwards, and begins with a line', () => {
    expect(windowAroundCaret(placeOf(505), { budget: 200, isCausal: true })).to.deep.equal({ start: 310, end: 509 });
  });

  it('ends with what the caret stands in, where that leaves half for what stands before', () => {
    expect(windowAroundCaret(placeOf(505), { budget: 200, isCausal: true }, [900, 579])).to.deep.equal({
      start: 380,
      end: 579,
    });
    expect(windowAroundCaret(placeOf(505), { budget: 200, isCausal: true }, [900])).to.deep.equal({
      start: 310,
      end: 509,
    });
  });

  it('has both sides for a model that reads both ways, and ends with the document', () => {
    expect(windowAroundCaret(placeOf(505), { budget: 200, isCausal: false })).to.deep.equal({ start: 410, end: 605 });
    expect(windowAroundCaret(placeOf(995), { budget: 200, isCausal: false })).to.deep.equal({ start: 800, end: 999 });
  });

  it('begins within the line where that is longer than the model reads', () => {
    const place = { caret: 5000, line: { start: 0, end: 10_000 }, documentLength: 10_000, lineStartFrom: () => 10_001 };
    expect(windowAroundCaret(place, { budget: 400, isCausal: true })).to.deep.equal({ start: 4700, end: 5100 });
  });

  it('is as long as what the model has read, with some caution', () => {
    const info = (texts: readonly string[], isCausal: boolean) =>
      ({ streams: texts.map((text) => ({ text })), components: [{ isCausal }] }) as unknown as RunInfo; // what is looked at
    expect(readingHabits(info(['x'.repeat(100)], false), 500)).to.deep.equal({ budget: 85, isCausal: false });
    expect(readingHabits(info(['x'.repeat(100)], true), 100), 'all was read').to.equal(undefined);
    expect(readingHabits(info(['x'.repeat(100), 'y'], true), 500), 'it writes').to.equal(undefined);
  });
});
