import { expect } from 'chai';
import fc from 'fast-check';
import { chunkEnd, LinePlaces, nextStart, type ChunkSpan } from '../../../../src/model/profile/chunks';

/** Cuts a text where so many characters fit. */
function cut(text: string, most: number, overlapLines: number): ChunkSpan[] {
  const lines = new LinePlaces(text);
  const chunks: ChunkSpan[] = [];
  for (let [start, done] = [0, 0]; start < text.length;) {
    const end = chunkEnd(text, { start, end: Math.min(text.length, start + most) }, lines);
    if (end <= done) {
      start = done;
      continue;
    }
    chunks.push({ start, end });
    done = end;
    start = nextStart({ start, end }, overlapLines, lines);
  }
  return chunks;
}

describe('Chunks of a text', () => {
  it('are whole lines, as many as fit', () => {
    expect(cut('ab\ncd\nef\ngh', 6, 0)).to.deep.equal([
      { start: 0, end: 6 },
      { start: 6, end: 11 },
    ]);
  });

  it('repeat lines where somebody asks, and go on in any case', () => {
    expect(cut('a\nb\nc\nd\n', 4, 1).map(({ start, end }) => [start, end])).to.deep.equal([
      [0, 4],
      [2, 6],
      [4, 8],
    ]);
    expect(cut('a\nb\nc\n', 2, 5).map(({ start }) => start)).to.deep.equal([0, 2, 4]);
  });

  it('cut a line that is longer than a chunk, never between the halves of a character', () => {
    expect(cut('a\ud83d\ude00b', 2, 0)).to.deep.equal([
      { start: 0, end: 1 },
      { start: 1, end: 3 },
      { start: 3, end: 4 },
    ]);
  });

  it('leave nothing out, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', '\n', '\r\n', '\ud83d\ude00', ' '), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 3 }),
        (parts, most, overlapLines) => {
          const text = parts.join('');
          let read = 0;
          for (const { start, end } of cut(text, most, overlapLines)) {
            expect(start).to.be.at.most(read);
            expect(end).to.be.greaterThan(read);
            read = end;
          }
          expect(read).to.equal(text.length);
        },
      ),
    );
  });

  it('have lines and columns from one', () => {
    const lines = new LinePlaces('ab\ncd');
    expect([0, 2, 3, 5].map((at) => lines.placeOf(at))).to.deep.equal([
      [1, 1],
      [1, 3],
      [2, 1],
      [2, 3],
    ]);
  });
});
