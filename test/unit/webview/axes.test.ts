import { expect } from 'chai';
import type { TokenStream } from '../../../src/model/token';
import { axisLabel, hasUnevenSums, marginsFor } from '../../../webview/draw/drawAxes';
import { tokenName } from '../../../webview/words';

const token = (start: number, end: number): TokenStream['tokens'][number] => ({
  id: 0,
  piece: '',
  start,
  end,
  isSpecial: false,
});
const source: TokenStream = { role: 'source', text: '7 is a number', tokens: [token(0, 1), token(1, 4), token(4, 13)] };
const target: TokenStream = {
  role: 'target',
  text: '197',
  tokens: [token(0, 1), token(1, 2), token(2, 3)],
  target: { isWritten: true, ending: '</s>' },
};

describe('the labels of the axes', () => {
  it('tell a token from its position', () => {
    expect(axisLabel(source, 0, true)).to.deep.equal({ text: '7', index: '0' });
    expect(axisLabel(source, 2, false)).to.deep.equal({ text: '·a·num…', index: '2' });
  });

  it('name a row of a target by what is written next, and a column by what is read', () => {
    expect([0, 1, 2].map((position) => axisLabel(target, position, true).text)).to.deep.equal(['→9', '→7', '→</s>']);
    expect(axisLabel(target, 1, false)).to.deep.equal({ text: '9', index: '1' });
    expect(axisLabel({ ...target, target: { isWritten: true, ending: undefined } }, 2, true)).to.deep.equal({
      text: '7',
      index: '2',
    });
  });
});

describe('the bars beside the rows', () => {
  it('stand only where rows do not all sum to one', () => {
    expect(hasUnevenSums(Float32Array.from([1, 0.999, 1.001]))).to.equal(false);
    expect(hasUnevenSums(Float32Array.from([1, 0.7]))).to.equal(true);
    expect(marginsFor(400, 400, true).right).to.be.greaterThan(marginsFor(400, 400).right);
  });
});

describe('the name of a token', () => {
  it('keeps a text that is written from the right apart from its position', () => {
    const arabic: TokenStream = { role: 'source', text: 'سلام', tokens: [token(0, 4)] };
    expect(tokenName([arabic], { stream: 0, position: 0 })).to.equal('"\u2068سلام\u2069" (0)');
    expect(tokenName([source], { stream: 0, position: 0 })).to.equal('"7" (0)');
  });
});
