import { expect } from 'chai';
import { rangeInOther } from '../../../../src/model/compare/otherSide';

describe('A part of a text in another version of it', () => {
  const text = 'one\ntwo\nthree\nfour\n';
  const partOf = (other: string, part: string): string => {
    const start = text.indexOf(part);
    const range = rangeInOther(text, other, { start, end: start + part.length });
    return other.slice(range.start, range.end);
  };

  it('is the same lines where those did not change', () => {
    expect(partOf('zero\none\ntwo\nthree\nfour\n', 'two\nthree')).to.equal('two\nthree');
    expect(partOf('zero\r\none\r\ntwo\r\nthree\r\nfour\r\n', 'wo\nthr')).to.equal('wo\r\nthr');
    expect(partOf('zero\none\ntwo\nthree\nfour\n', text)).to.equal('one\ntwo\nthree\nfour\n');
  });

  it('is what its lines became', () => {
    expect(partOf('one\n2\n3\nfour\n', 'two\nthree')).to.equal('2\n3');
    expect(partOf('one\ntwo\nnew\nthree\nfour\n', 'two\nthree')).to.equal('two\nnew\nthree');
    expect(partOf('one\n2\nthree\nfour\n', 'two')).to.equal('2');
    expect(partOf('1\ntwo', 'one')).to.equal('1');
  });

  it('is nothing where its lines are gone', () => {
    expect(partOf('one\nfour\n', 'two\nthree')).to.equal('');
    expect(partOf('', 'two')).to.equal('');
  });
});
