import { expect } from 'chai';
import { findByHash } from '../../../src/host/run/findByHash';
import { textHash } from '../../../src/host/run/textHash';

describe('A text known by its hash', () => {
  const text = 'import os\n\ndef f():\n    return 1\n';
  const wanted = 'return 1\n';
  const start = text.indexOf(wanted);
  const known = { start, end: start + wanted.length, textHash: textHash(wanted) };

  it('is found where it was', () => {
    expect(findByHash(text, known)).to.equal(start);
  });

  it('is found after lines came before it', () => {
    expect(findByHash(`# one\n# two\n${text}`, known)).to.equal(start + 12);
  });

  it('is found nearest to where it was', () => {
    expect(
      findByHash(text + text, { ...known, start: known.start + text.length, end: known.end + text.length }),
    ).to.equal(start + text.length);
  });

  it('is not found when it changed, or when the document is shorter', () => {
    expect(findByHash(text.replace('return 1', 'return 2'), known)).to.equal(undefined);
    expect(findByHash('', known)).to.equal(undefined);
  });

  it('has a hash of its own for a change of one unit, an order and a length', () => {
    const hashes = ['', 'a', 'b', 'ab', 'ba', 'a\n', 'a\r\n', '😀', '\ud83d'].map(textHash);
    expect(new Set(hashes).size).to.equal(hashes.length);
  });
});
