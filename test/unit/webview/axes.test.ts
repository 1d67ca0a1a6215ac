import { expect } from 'chai';
import type { TokenStream } from '../../../src/model/token';
import type { MatrixStyle } from '../../../webview/draw/drawMatrix';
import {
  axisLabel,
  drawAxes,
  drawMarginals,
  hasUnevenSums,
  marginsFor,
  type AxisScene,
} from '../../../webview/draw/drawAxes';
import { placeMatrix } from '../../../webview/layout/matrixView';
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

/** What is written on a canvas, each text with its colour; and how many boxes are filled. */
class WrittenContext {
  readonly texts: (readonly [string, string])[] = [];
  numBoxes = 0;
  fillStyle = '';
  font = '';
  textAlign = '';
  textBaseline = '';
  direction = '';
  measureText(text: string): { readonly width: number } {
    return { width: 6 * text.length };
  }
  fillText(text: string): void {
    this.texts.push([text, this.fillStyle]);
  }
  fillRect(): void {
    this.numBoxes++;
  }
  save(): void {}
  restore(): void {}
  translate(): void {}
  rotate(): void {}
}

const scene: AxisScene = {
  placed: placeMatrix({ x: 0, y: 0, cell: 40 }, { numQueries: 3, numKeys: 3, width: 120, height: 120 }),
  margins: marginsFor(220, 220),
  colours: { foreground: 'strong', dim: 'dim', bar: 'grey', fontFamily: 'serif' } as MatrixStyle, // what is written with
};

function written(draw: (context: CanvasRenderingContext2D) => void): WrittenContext {
  const context = new WrittenContext();
  draw(context as unknown as CanvasRenderingContext2D); // what labels and bars ask of it
  return context;
}

describe('the labels of the axes', () => {
  it('are written with a position that is fainter than the token', () => {
    const { texts } = written((context) => drawAxes(context, scene, target, source));
    expect(texts).to.deep.include.members([
      ['→9', 'strong'],
      ['0', 'dim'],
      ['→7', 'strong'],
      ['1', 'dim'],
      ['7', 'strong'],
    ]);
    for (const [text, colour] of texts) expect(colour, text).to.equal(/^[0-2]$/.test(text) ? 'dim' : 'strong');
  });

  it('tell a token from its position', () => {
    expect(axisLabel(source, 0, true)).to.deep.equal({ text: '7', index: '0' });
    expect(axisLabel(source, 2, false)).to.deep.equal({ text: '·a·num…', index: '2' });
  });

  it('number words by their first token, and lines and symbols by their line, as the readout does', () => {
    const units = {
      starts: Int32Array.of(0, 3, 4),
      numTokens: 5,
      lines: [
        [6, 6],
        [8, 9],
        [10, 10],
      ],
    } as const;
    const numbered = (level: 'word' | 'line' | 'symbol'): string[] =>
      [0, 1, 2].map((unit) => axisLabel({ ...source, units: { ...units, level } }, unit, true).index);
    expect(numbered('word')).to.deep.equal(['0', '3', '4']);
    expect(numbered('line')).to.deep.equal(['7', '9', '11']);
    expect(numbered('symbol')).to.deep.equal(['7', '9', '11']);
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

describe('a plot that has little height', () => {
  const low = { ...scene, margins: marginsFor(220, 130) };

  it('has nearly all of it: no labels of columns, and no bars below them', () => {
    expect(130 - low.margins.top - low.margins.bottom).to.be.greaterThan(110);
    const { texts, numBoxes } = written((context) => {
      drawAxes(context, low, target, source);
      drawMarginals(
        context,
        low,
        { rowSums: Float32Array.of(1, 1, 1), columnMeans: Float32Array.of(0.6, 0.3, 0.1) },
        { hasRowBars: false, sinks: [0], name: 'mean read' },
      );
    });
    expect(texts.map(([text]) => text)).to.deep.equal(['0', '→9', '1', '→7', '2', '→</s>']);
    expect(numBoxes).to.equal(0);
  });
});

describe('the bars beside the rows', () => {
  it('stand only where rows do not all sum to one', () => {
    expect(hasUnevenSums(Float32Array.from([1, 0.999, 1.001]))).to.equal(false);
    expect(hasUnevenSums(Float32Array.from([1, 0.7]))).to.equal(true);
    expect(marginsFor(400, 400, true).right).to.be.greaterThan(marginsFor(400, 400).right);
  });

  it('say below the columns what those there are, and are not drawn beside rows that sum to one', () => {
    const sums = { rowSums: Float32Array.of(1, 1, 0.5), columnMeans: Float32Array.of(0.6, 0.3, 0.1) };
    const drawn = (hasRowBars: boolean): WrittenContext =>
      written((context) => drawMarginals(context, scene, sums, { hasRowBars, sinks: [], name: 'mean read' }));
    expect(drawn(false).texts).to.deep.equal([['mean read', 'dim']]);
    expect([drawn(false).numBoxes, drawn(true).numBoxes]).to.deep.equal([3, 6]);
  });
});

describe('the name of a token', () => {
  it('keeps a text that is written from the right apart from its position', () => {
    const arabic: TokenStream = { role: 'source', text: 'سلام', tokens: [token(0, 4)] };
    expect(tokenName([arabic], { stream: 0, position: 0 })).to.equal('"\u2068سلام\u2069" (0)');
    expect(tokenName([source], { stream: 0, position: 0 })).to.equal('"7" (0)');
  });
});
