import { expect } from 'chai';
import { isSameToken, tokensAt, visibleText, type TokenStream } from '../../../src/model/token';
import { depthOf, initialView, logFloor } from '../../../src/model/viewState';

describe('tokens', () => {
  // Three byte-level tokens share the emoji (two UTF-16 units); the last token was added by the tokenizer.
  const stream: TokenStream = {
    role: 'source',
    text: 'a\t🙂 b\r\n',
    tokens: [
      { id: 1, piece: 'a', start: 0, end: 1, isSpecial: false },
      { id: 2, piece: 'ĉ', start: 1, end: 2, isSpecial: false },
      { id: 3, piece: 'ðŁ', start: 2, end: 4, isSpecial: false },
      { id: 4, piece: 'ĻĤ', start: 2, end: 4, isSpecial: false },
      { id: 5, piece: 'Ġb', start: 4, end: 6, isSpecial: false },
      { id: 6, piece: 'čĊ', start: 6, end: 8, isSpecial: false },
      { id: 0, piece: '<|endoftext|>', start: 8, end: 8, isSpecial: true },
    ],
  };

  it('are found by offset, all that share a character', () => {
    expect(tokensAt(stream, 2)).to.deep.equal([2, 3]);
    expect(tokensAt(stream, 3)).to.deep.equal([2, 3]);
    expect(tokensAt(stream, 6)).to.deep.equal([5]);
    expect(tokensAt(stream, 8)).to.deep.equal([]);
  });

  it('show their whitespace', () => {
    expect(stream.tokens.map((_, i) => visibleText(stream, i))).to.deep.equal([
      'a',
      '→',
      '🙂',
      '🙂',
      '·b',
      '↵',
      '<|endoftext|>',
    ]);
    expect(visibleText(stream, 99)).to.equal('');
  });

  it('are the same by stream and position', () => {
    expect(isSameToken({ stream: 0, position: 1 }, { stream: 0, position: 1 })).to.equal(true);
    expect(isSameToken({ stream: 0, position: 1 }, { stream: 1, position: 1 })).to.equal(false);
    expect(isSameToken(undefined, { stream: 0, position: 1 })).to.equal(false);
    expect(isSameToken(undefined, undefined)).to.equal(true);
  });
});

describe('the depth of colour', () => {
  it('is the weight itself on the absolute scale', () => {
    for (const weight of [0, 0.001, 0.5, 1]) expect(depthOf(weight, 'absolute', 0.5)).to.equal(weight);
  });

  it('is the share of the strongest on the scale by row', () => {
    expect(depthOf(0.1, 'row', 0.2)).to.equal(0.5);
    expect(depthOf(0.1, 'row', 0)).to.equal(0);
  });

  it('runs from its floor to one on the logarithmic scale', () => {
    expect(depthOf(1, 'log', 1)).to.equal(1);
    expect(depthOf(logFloor, 'log', 1)).to.equal(0);
    expect(depthOf(0.01, 'log', 1)).to.be.closeTo(0.5, 1e-12);
  });

  it('is zero for nothing, for less than nothing and for what is not a number', () => {
    for (const scale of ['absolute', 'row', 'log'] as const)
      for (const weight of [0, -1, NaN]) expect(depthOf(weight, scale, 1)).to.equal(0);
  });
});

describe('the view that nobody has touched', () => {
  it('compares heads by one scale for all, with sinks shown, no row divided again and the weights themselves', () => {
    expect(initialView).to.include({
      scale: 'absolute',
      sinks: 'show',
      isRenormalized: false,
      method: 'attention',
      level: 'token',
      threshold: 0,
    });
  });
});
