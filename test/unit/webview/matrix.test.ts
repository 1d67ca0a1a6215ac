import { expect } from 'chai';
import fc from 'fast-check';
import { editorColours, rampFor } from '../../../src/model/ramp';
import { depthOf, scales } from '../../../src/model/viewState';
import { DepthPyramid, depthByte, depthImage, halve } from '../../../webview/draw/depthPyramid';
import {
  axisTicks,
  cellAt,
  fitView,
  levelFor,
  panView,
  placeMatrix,
  revealCell,
  rowsWithoutKey,
  visibleRange,
  zoomView,
  type MatrixFrame,
} from '../../../webview/layout/matrixView';
import { edgeOf, levelOf, levelRules, numLevels, paletteOf } from '../../../webview/theme/palette';
import { shortWeight } from '../../../src/model/shortWeight';
import { formatWeight } from '../../../webview/words';

describe('the view of a matrix', () => {
  const frame: MatrixFrame = { numQueries: 100, numKeys: 200, width: 400, height: 300 };

  it('fits the whole matrix with square cells, and does not blow up small ones', () => {
    expect(fitView(frame)).to.deep.equal({ cell: 2, x: 0, y: 0 });
    expect(fitView({ ...frame, numQueries: 2, numKeys: 2 }).cell).to.equal(28);
  });

  it('knows where rows lie whose queries read no key, as far as no mask hatches them', () => {
    const small: MatrixFrame = { numQueries: 3, numKeys: 3, width: 30, height: 25 };
    const view = { cell: 10, x: 0, y: 0 };
    expect(rowsWithoutKey(placeMatrix(view, small), [1, 0, 0], false)).to.deep.equal([
      { x: 0, y: 10, width: 30, height: 10 },
      { x: 0, y: 20, width: 30, height: 10 },
    ]);
    expect(rowsWithoutKey(placeMatrix(view, small), [0, 1, 0], true)).to.deep.equal([
      { x: 0, y: 0, width: 10, height: 10 },
      { x: 0, y: 20, width: 30, height: 10 },
    ]);
    expect(rowsWithoutKey(placeMatrix({ cell: 10, x: -12, y: -15 }, small), [0, 0, 1], false)).to.deep.equal([
      { x: 0, y: -5, width: 18, height: 10 },
    ]);
    expect(rowsWithoutKey(placeMatrix(view, small), [1, 0.5, 1], false)).to.deep.equal([]);
  });

  it('keeps the place under the pointer while it zooms', () => {
    const before = fitView(frame);
    const after = zoomView(before, frame, 4, { x: 200, y: 100 });
    expect(after.cell).to.equal(8);
    expect(cellAt(after, frame, 200, 100)).to.deep.equal(cellAt(before, frame, 200, 100));
  });

  it('never leaves the fitted size, the largest cell, or the matrix', () => {
    expect(zoomView(fitView(frame), frame, 0.1, { x: 0, y: 0 })).to.deep.equal(fitView(frame));
    expect(zoomView(fitView(frame), frame, 1e6, { x: 0, y: 0 }).cell).to.equal(64);
    const zoomed = zoomView(fitView(frame), frame, 4, { x: 0, y: 0 });
    fc.assert(
      fc.property(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: -5000, max: 5000 }), (dx, dy) => {
        const { cell, x, y } = panView(zoomed, frame, dx, dy);
        expect(x).to.be.within(frame.width - frame.numKeys * cell, 0);
        expect(y).to.be.within(frame.height - frame.numQueries * cell, 0);
      }),
    );
  });

  it('finds the cell under a place, and none outside', () => {
    const view = fitView(frame);
    expect(cellAt(view, frame, 0, 0)).to.deep.equal({ query: 0, key: 0 });
    expect(cellAt(view, frame, 399.9, 199.9)).to.deep.equal({ query: 99, key: 199 });
    expect(cellAt(view, frame, 100, 200.5)).to.equal(undefined);
    expect(cellAt(view, frame, -1, 5)).to.equal(undefined);
  });

  it('moves as little as shows a cell', () => {
    const zoomed = zoomView(fitView(frame), frame, 8, { x: 0, y: 0 });
    const shown = revealCell(zoomed, frame, { query: 50, key: 100 });
    expect(cellAt(shown, frame, 399, 299)).to.deep.equal({ query: 50, key: 100 });
    expect(revealCell(shown, frame, { query: 50, key: 100 })).to.deep.equal(shown);
  });

  it('names rows as space asks, none nearer than the gap', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 64, noNaN: true }), fc.integer({ min: 1, max: 4096 }), (cell, count) => {
        const ticks = axisTicks(visibleRange(0, cell, count, 400), cell, 12);
        for (let i = 1; i < ticks.length; i++) expect((ticks[i] - ticks[i - 1]) * cell).to.be.at.least(12);
        expect(ticks[0]).to.equal(0);
      }),
    );
    expect(axisTicks(visibleRange(-100, 10, 100, 200), 10, 12)).to.deep.equal([10, 12, 14, 16, 18, 20, 22, 24, 26, 28]);
    expect(visibleRange(-15, 10, 100, 50)).to.deep.equal({ from: 1, to: 7 });
  });

  it('takes the level whose blocks are at least a device pixel', () => {
    expect(levelFor(2, 1)).to.equal(0);
    expect(levelFor(0.6, 1)).to.equal(1);
    expect(levelFor(0.6, 2)).to.equal(0);
    expect(levelFor(0.1, 1)).to.equal(4);
  });
});

describe('the depths of a matrix', () => {
  const pattern = { numQueries: 2, numKeys: 3, weights: Float32Array.from([0.5, 0.25, 0, 0.1, 0.004, 0.896]) };

  it('are those of the scales, to the byte', () => {
    for (const scale of scales) {
      const { bytes } = depthImage(pattern, scale, 0);
      pattern.weights.forEach((weight, i) => {
        const maximum = i < 3 ? 0.5 : pattern.weights[5];
        expect(bytes[i], `${scale} ${weight}`).to.be.closeTo(depthByte(depthOf(weight, scale, maximum)), 1);
      });
    }
  });

  it('are nothing below the threshold', () => {
    expect([...depthImage(pattern, 'absolute', 0.2).bytes].map((byte) => byte > 0)).to.deep.equal([
      true,
      true,
      false,
      false,
      false,
      true,
    ]);
  });

  it('keep their maximum in every level', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.infiniteStream(fc.nat(255)),
        (rows, columns, stream) => {
          const bytes = Uint8Array.from({ length: rows * columns }, () => stream.next().value as number);
          const pyramid = new DepthPyramid({ rows, columns, bytes });
          for (let level = 0; level < 7; level++) {
            const image = pyramid.level(level);
            expect(Math.max(...image.bytes)).to.equal(Math.max(...bytes));
          }
          expect(pyramid.level(9)).to.include({ rows: 1, columns: 1 });
        },
      ),
    );
    expect([...halve({ rows: 2, columns: 3, bytes: Uint8Array.from([1, 2, 3, 4, 5, 6]) }).bytes]).to.deep.equal([5, 6]);
  });
});

describe('the palette', () => {
  const { background, foreground } = editorColours.dark;
  const ramp = rampFor('blue', background, foreground, 'reads');

  it('has nothing at zero and the ramp above it', () => {
    const palette = paletteOf(ramp);
    expect(palette[0]).to.equal(0);
    const { r, g, b } = ramp.colour(1);
    expect([
      palette[255] & 255,
      (palette[255] >> 8) & 255,
      (palette[255] >> 16) & 255,
      palette[255] >>> 24,
    ]).to.deep.equal([r, g, b, 255]);
  });

  it('has a rule for every level, with a growing outline in high contrast, in steps that can be told apart', () => {
    expect(levelRules(ramp, undefined).split('\n')).to.have.length(numLevels);
    expect(levelRules(ramp, undefined)).not.to.contain('box-shadow');
    // A pixel within the token, whose text nothing covers, and the rest below.
    const frames = /inset 0 0 0 1px rgb\([^)]*\), 0 ([\d.]+)px /g;
    const widths = [...levelRules(ramp, foreground).matchAll(frames)].map(([, below]) => 1 + Number(below));
    expect(widths).to.have.length(numLevels);
    expect([...widths].sort((a, b) => a - b)).to.deep.equal(widths);
    expect([0, 0.009, 0.01, 0.06, 0.2, 0.6].map(edgeOf)).to.deep.equal([0, 0, 1, 2, 3, 4]);
    expect(new Set(widths)).to.deep.equal(new Set([1, 2, 3, 4]));
    expect([levelOf(0), levelOf(NaN), levelOf(1), levelOf(2)]).to.deep.equal([0, 0, numLevels, numLevels]);
  });
});

describe('numbers', () => {
  it('are the true ones, to three digits where they matter', () => {
    expect([0, 1, 0.312456, 0.04, 0.00012345, 0.00001234].map(formatWeight)).to.deep.equal([
      '0',
      '1.00',
      '0.312',
      '0.0400',
      '<0.001',
      '<0.001',
    ]);
    expect([0, 0.999, 0.314, 0.004, 0.05].map(shortWeight)).to.deep.equal(['0', '1', '.31', '<.01', '.05']);
  });
});
