import { expect } from 'chai';
import { chooseWindow, commonTokens, moveWindow, tokenBefore } from '../../../src/host/live/liveWindow';
import type { TextRange } from '../../../src/host/run/textRange';
import { budgetOf } from '../../../src/model/contextWindow';
import type { TokenStream } from '../../../src/model/token';

const lines = (count: number, width: number): string =>
  Array.from({ length: count }, (_, i) => String(i).padEnd(width, '.')).join('\n');

function choose(text: string, caret: number, budget: number, isCausal: boolean, former?: TextRange): TextRange {
  const start = text.lastIndexOf('\n', caret - 1) + 1;
  const end = text.indexOf('\n', caret);
  return chooseWindow({
    caret,
    line: { start, end: end < 0 ? text.length : end },
    documentLength: text.length,
    budget,
    isCausal,
    former,
    lineStartFrom: (offset) =>
      offset === 0 || text[offset - 1] === '\n'
        ? offset
        : text.indexOf('\n', offset) < 0
          ? text.length
          : text.indexOf('\n', offset) + 1,
  });
}

const streamOf = (...pieces: string[]): TokenStream => {
  let at = 0;
  return {
    role: 'source',
    text: pieces.join(''),
    tokens: pieces.map((piece) => ({
      id: piece.length === 0 ? 0 : piece.charCodeAt(0),
      piece,
      start: at,
      end: (at += piece.length),
      isSpecial: piece === '',
    })),
  };
};

describe('the window of live mode', () => {
  const text = lines(100, 19); // lines of 20 units

  it('begins with a line before the caret and ends with the caret’s line, for a model that reads backwards', () => {
    expect(choose(text, 1005, 300, true)).to.deep.equal({ start: 820, end: 1019 });
    expect(choose(text, 30, 300, true)).to.deep.equal({ start: 0, end: 39 });
    expect(choose('', 0, 300, true)).to.deep.equal({ start: 0, end: 0 });
  });

  it('keeps its start while the caret stays in it and there is room', () => {
    const former = { start: 820, end: 1019 };
    expect(choose(text, 1090, 300, true, former)).to.deep.equal({ start: 820, end: 1099 });
    expect(choose(text, 830, 300, true, former)).to.deep.equal({ start: 820, end: 839 });
    expect(choose(text, 1130, 300, true, former).start).to.equal(940);
    expect(choose(text, 810, 300, true, former).start).to.equal(620);
  });

  it('has text on both sides for a model that reads both ways, and stands still until the caret comes near an end', () => {
    const window = choose(text, 1005, 400, false);
    expect(window).to.deep.equal({ start: 820, end: 1220 });
    for (const caret of [900, 1005, 1150]) expect(choose(text, caret, 400, false, window)).to.deep.equal(window);
    expect(choose(text, 1200, 400, false, window)).to.deep.equal({ start: 1000, end: 1400 });
    expect(choose(text, 1990, 400, false).end).to.equal(text.length);
  });

  it('is bounded on lines that are longer than it', () => {
    const long = 'x'.repeat(10_000);
    expect(choose(long, 5000, 300, true)).to.deep.equal({ start: 4800, end: 5075 });
    expect(choose(long, 5000, 300, false)).to.deep.equal({ start: 4850, end: 5150 });
  });

  it('moves with edits before it and grows with edits in it and at its ends', () => {
    const window = { start: 100, end: 200 };
    const edit = (rangeOffset: number, rangeLength: number, inserted: string): TextRange =>
      moveWindow(window, [{ rangeOffset, rangeLength, text: inserted }]);
    expect(edit(10, 0, 'abc')).to.deep.equal({ start: 103, end: 203 });
    expect(edit(100, 0, 'abc')).to.deep.equal({ start: 100, end: 203 });
    expect(edit(150, 10, '')).to.deep.equal({ start: 100, end: 190 });
    expect(edit(200, 0, 'abc')).to.deep.equal({ start: 100, end: 203 });
    expect(edit(201, 0, 'abc')).to.deep.equal(window);
    expect(edit(50, 300, '')).to.deep.equal({ start: 50, end: 50 });
    expect(
      moveWindow(window, [
        { rangeOffset: 0, rangeLength: 0, text: 'a' },
        { rangeOffset: 150, rangeLength: 0, text: 'bc' },
      ]),
    ).to.deep.equal({ start: 101, end: 203 });
  });

  it('lights the token before the caret', () => {
    const stream = streamOf('', 'def', ' f', '(');
    expect([0, 1, 3, 4, 5, 6, 99].map((offset) => tokenBefore(stream, offset))).to.deep.equal([0, 1, 1, 2, 2, 3, 3]);
  });

  it('knows which tokens are as they were', () => {
    expect(commonTokens(streamOf('', 'a', 'b', 'c'), streamOf('', 'a', 'b', 'd', 'e'))).to.equal(3);
    expect(commonTokens(streamOf('', 'a'), streamOf('', 'a'))).to.equal(2);
    expect(budgetOf(256, 2.5)).to.equal(571);
    expect(budgetOf(1, 1)).to.equal(8);
  });
});
