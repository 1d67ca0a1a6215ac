import { expect } from 'chai';
import fc from 'fast-check';
import { applyEdits, findNearest } from '../../../src/host/run/textRange';

const edit = (rangeOffset: number, rangeLength: number, text: string) => ({ rangeOffset, rangeLength, text });

describe('A range of a document', () => {
  it('moves with what is inserted or deleted before it', () => {
    expect(applyEdits({ start: 10, end: 20 }, [edit(0, 0, 'abc')])).to.deep.equal({
      start: 13,
      end: 23,
      isTouched: false,
    });
    expect(applyEdits({ start: 10, end: 20 }, [edit(2, 5, '')])).to.deep.equal({ start: 5, end: 15, isTouched: false });
  });

  it('does not take in what is inserted at its edges', () => {
    expect(applyEdits({ start: 10, end: 20 }, [edit(10, 0, 'ab')])).to.deep.equal({
      start: 12,
      end: 22,
      isTouched: false,
    });
    expect(applyEdits({ start: 10, end: 20 }, [edit(20, 0, 'ab')])).to.deep.equal({
      start: 10,
      end: 20,
      isTouched: false,
    });
  });

  it('is touched by an edit inside, and grows with it', () => {
    expect(applyEdits({ start: 10, end: 20 }, [edit(15, 1, 'xyz')])).to.deep.equal({
      start: 10,
      end: 22,
      isTouched: true,
    });
  });

  it('takes in an edit that reaches over an edge', () => {
    expect(applyEdits({ start: 10, end: 20 }, [edit(5, 10, '-')])).to.deep.equal({
      start: 5,
      end: 11,
      isTouched: true,
    });
    expect(applyEdits({ start: 10, end: 20 }, [edit(15, 10, '-')])).to.deep.equal({
      start: 10,
      end: 16,
      isTouched: true,
    });
  });

  it('applies several edits of one event, in whatever order they come', () => {
    const edits = [edit(30, 0, 'after'), edit(15, 2, ''), edit(0, 1, 'abc')];
    expect(applyEdits({ start: 10, end: 20 }, edits)).to.deep.equal({ start: 12, end: 20, isTouched: true });
    expect(applyEdits({ start: 10, end: 20 }, [...edits].reverse())).to.deep.equal({
      start: 12,
      end: 20,
      isTouched: true,
    });
  });

  it('holds the same text after any edits that do not touch it', () => {
    const unit = fc.constantFrom('a', 'b', '\n', '😀', '');
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 30 }),
        fc.string({ minLength: 1, maxLength: 10 }),
        fc.string({ unit, maxLength: 30 }),
        fc.array(fc.tuple(fc.nat(80), fc.nat(10), fc.string({ unit, maxLength: 6 })), { maxLength: 3 }),
        (before, middle, after, raw) => {
          const text = before + middle + after;
          let from = 0;
          const edits = raw.flatMap(([skip, length, inserted]) => {
            const rangeOffset = Math.min(text.length, from + (skip % 20));
            const rangeLength = Math.min(length, text.length - rangeOffset);
            // Edits of one event do not touch one another.
            from = rangeOffset + rangeLength + 1;
            return rangeOffset === text.length && rangeLength === 0 && inserted === ''
              ? []
              : [edit(rangeOffset, rangeLength, inserted)];
          });
          let edited = text;
          for (const { rangeOffset, rangeLength, text: inserted } of [...edits].sort(
            (a, b) => b.rangeOffset - a.rangeOffset,
          ))
            edited = edited.slice(0, rangeOffset) + inserted + edited.slice(rangeOffset + rangeLength);
          const moved = applyEdits({ start: before.length, end: before.length + middle.length }, edits);
          expect(moved.start).to.be.within(0, moved.end);
          expect(moved.end).to.be.at.most(edited.length);
          if (!moved.isTouched) expect(edited.slice(moved.start, moved.end)).to.equal(middle);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('Finding a text again', () => {
  it('takes the place nearest to the former one', () => {
    expect(findNearest('ab..ab....ab', 'ab', 5)).to.equal(4);
    expect(findNearest('ab..ab....ab', 'ab', 9)).to.equal(10);
    expect(findNearest('ab', 'ab', 100)).to.equal(0);
  });

  it('finds nothing where there is nothing', () => {
    expect(findNearest('abc', 'x', 0)).to.equal(undefined);
    expect(findNearest('abc', '', 0)).to.equal(undefined);
  });
});
