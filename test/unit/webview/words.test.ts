import { expect } from 'chai';
import type { TokenStream } from '../../../src/model/token';
import type { ComponentInfo } from '../../../src/model/head';
import { shortWeight } from '../../../src/model/shortWeight';
import { shortMeasure, signedNumber } from '../../../webview/headWords';
import { componentName, formatWeight, tokensName } from '../../../webview/words';

/** A stream of these pieces, one after the other. */
function streamOf(...pieces: readonly string[]): TokenStream {
  let at = 0;
  return {
    role: 'source',
    text: pieces.join(''),
    tokens: pieces.map((piece, id) => ({ id, piece, start: at, end: (at += piece.length), isSpecial: false })),
  };
}

describe('Several tokens by name', () => {
  const name = (stream: TokenStream, ...positions: readonly number[]): string =>
    tokensName(
      [stream],
      positions.map((position) => ({ stream: 0, position })),
    );
  const stream = streamOf('return', ' fib', 'onacci', '_', 'memo', '(', 'n', ')', ' + an_even_longer_name');

  it('are what they are together where they are neighbours', () => {
    expect(name(stream, 1)).to.equal('"·fib" (1)');
    expect(name(stream, 1, 2, 3, 4)).to.equal('mean of 4 tokens: "·fibonacci_memo" (1–4)');
    expect(name(stream, 3, 2)).to.equal('mean of 2 tokens: "onacci_" (2–3)');
    expect(name(stream, 4, 5, 6, 7, 8)).to.equal('mean of 5 tokens: "memo(n)·+·an…longer_name" (4–8)');
  });

  it('are named one by one where they are not, the first of many and the last', () => {
    expect(name(stream, 6, 1)).to.equal('mean of 2 tokens: "n" (6), "·fib" (1)');
    expect(name(stream, 0, 2, 4, 6, 7)).to.equal('mean of 5 tokens: "return" (0), "onacci" (2), "memo" (4) … ")" (7)');
  });
});

describe('A weight', () => {
  it('has three digits, and of what is too little to matter only that it is', () => {
    expect([1, 0.6172, 0.05, 0.001, 5.6e-7, 0].map(formatWeight)).to.deep.equal([
      '1.00',
      '0.617',
      '0.0500',
      '0.00100',
      '<0.001',
      '0',
    ]);
    expect([0.997, 0.41, 0.0049, 0].map(shortWeight)).to.deep.equal(['1', '.41', '<.01', '0']);
  });

  it('is bounded from the side of zero on which it is, where it is too small to be told', () => {
    expect([0.5, 4e-4, 0, -4e-4, -0.5].map(signedNumber)).to.deep.equal(['+0.500', '<0.001', '0', '>−0.001', '−0.500']);
    const short = [0.5, 4e-4, 0, -4e-4, -0.5].map((value) => shortMeasure('effect', value));
    expect(short).to.deep.equal(['+.50', '<.01', '0', '>−.01', '−.50']);
  });
});

describe('A stage of a model of pictures', () => {
  it('is called by its grids of patches', () => {
    const streams = [8, 2].map((side): TokenStream => ({
      role: 'image',
      text: '',
      tokens: [],
      grid: { rows: side, columns: side + 1, first: 0, patchWidth: 4, patchHeight: 4 },
    }));
    const stage = (queryStream: number, keyStream: number): ComponentInfo => ({
      component: 'stage2',
      layers: [],
      queryStream,
      keyStream,
      isCausal: false,
    });
    expect(componentName(stage(0, 0), streams)).to.equal('8 × 9 patches');
    expect(componentName(stage(0, 1), streams)).to.equal('8 × 9 patches read 2 × 3 patches');
    expect(componentName({ ...stage(0, 0), component: 'self' }, streams)).to.equal('Self-attention');
  });
});
