import { expect } from 'chai';
import { lastSelectedWord, selectedTokens } from '../../../src/model/selectedTokens';
import type { TokenStream } from '../../../src/model/token';

/** A stream of these pieces, one after the other, after a token that stands for no text. */
function streamOf(...pieces: readonly string[]): TokenStream {
  let at = 0;
  const tokens = pieces.map((piece, id) => ({ id, piece, start: at, end: (at += piece.length), isSpecial: false }));
  return {
    role: 'source',
    text: pieces.join(''),
    tokens: [{ id: 99, piece: '<s>', start: 0, end: 0, isSpecial: true }, ...tokens],
  };
}

describe('The tokens of a selection', () => {
  const stream = streamOf('if', ' cache', '[', 'n', ']', ':', '\n', '    ', 'return');
  const span = (text: string): { start: number; end: number } => {
    const start = stream.text.indexOf(text);
    return { start, end: start + text.length };
  };

  it('are those that have something of it, also where they begin before it', () => {
    expect(selectedTokens(stream, span('cache'))).to.deep.equal([2]);
    expect(selectedTokens(stream, span('ache[n'))).to.deep.equal([2, 3, 4]);
  });

  it('are without white space, unless there is nothing else', () => {
    expect(selectedTokens(stream, span(':\n    return'))).to.deep.equal([6, 9]);
    expect(selectedTokens(stream, span(' '))).to.deep.equal([2]);
    expect(selectedTokens(stream, span('\n    '))).to.deep.equal([7, 8]);
  });

  it('have a last word', () => {
    expect(lastSelectedWord(stream, span('cache[n]:'))).to.equal(4);
    expect(lastSelectedWord(stream, span(']:'))).to.equal(6);
    expect(lastSelectedWord(stream, { start: 3, end: 3 })).to.equal(undefined);
  });
});
