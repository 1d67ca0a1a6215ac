import { expect } from 'chai';
import { PNG } from 'pngjs';
import { matrixSvg, type MatrixFigure } from '../../../../src/model/figures/matrixSvg';
import { mostVectorCells, type Paper } from '../../../../src/model/figures/paper';
import { palettePng } from '../../../../src/model/figures/palettePng';
import { divergingRamp } from '../../../../src/model/divergingRamp';
import { cssColour, editorColours, rampFor } from '../../../../src/model/ramp';

const { background, foreground } = editorColours.light;
const ramp = rampFor('blue', background, foreground, 'reads');

function figure(numTokens: number, weights: Float32Array, change: Partial<MatrixFigure> = {}): MatrixFigure {
  const labels = Array.from({ length: numTokens }, (_, i) => `t${i}`);
  return {
    pattern: { numQueries: numTokens, numKeys: numTokens, weights },
    queries: labels,
    keys: labels,
    scale: 'absolute',
    ceiling: 1,
    threshold: 0,
    ramp,
    ...change,
  };
}

const paper: Paper = { caption: ['model · head 0.0'], background, foreground, millimetres: 85 };

const rects = (svg: string): RegExpMatchArray[] => [
  ...svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="1" height="1" fill="([^"]+)"\/>/g),
];

const pictureIn = (svg: string): PNG =>
  PNG.sync.read(Buffer.from(/href="data:image\/png;base64,([^"]+)"/.exec(svg)?.[1] ?? '', 'base64'));

describe('A figure of a matrix', () => {
  it('has a shape for each cell, in its colour, and text as text', () => {
    const svg = matrixSvg(figure(2, Float32Array.of(1, 0, 0.5, 0.25)), paper);
    expect(rects(svg).map(([, x, y, fill]) => [x, y, fill])).to.deep.equal(
      (
        [
          ['0', '0', 255],
          ['0', '1', 128],
          ['1', '1', 64],
        ] as const
      ).map(([x, y, depth]) => [x, y, cssColour(ramp.colour(depth / 255))]),
    );
    expect(svg).to.match(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="85mm"/);
    expect(svg.match(/>t[01]<\/text>/g)).to.have.length(4);
    expect(svg).to.include('>model · head 0.0</text>').and.not.include('<image');
  });

  it('shows what the view shows: its scale, its threshold, what full depth stands for', () => {
    const weights = Float32Array.of(4, 2, 1, 1);
    const fills = (change: Partial<MatrixFigure>): string[] =>
      rects(matrixSvg(figure(2, weights, { ceiling: 4, ...change }), paper)).map(([, , , fill]) => fill);
    const colours = (...depths: readonly number[]): string[] => depths.map((depth) => cssColour(ramp.colour(depth)));
    expect(fills({})).to.deep.equal(colours(1, 128 / 255, 64 / 255, 64 / 255));
    expect(fills({ threshold: 0.5 })).to.deep.equal(colours(1, 128 / 255));
    expect(fills({ scale: 'row' })).to.deep.equal(colours(1, 128 / 255, 1, 1));
  });

  it('shows differences on both sides of zero, as shapes and as one picture', () => {
    const signed = divergingRamp(background, foreground);
    const weights = Float32Array.of(-1, 0.5, 0, -0.25);
    const fills = rects(matrixSvg(figure(2, weights, { ramp: signed }), paper)).map(([, , , fill]) => fill);
    expect(fills).to.deep.equal([-255, 128, -64].map((depth) => cssColour(signed.colour(depth / 255))));
    const numTokens = 102;
    const many = Float32Array.from({ length: numTokens ** 2 }, (_, i) => (i % 2 === 0 ? 1 : -1));
    const { data } = pictureIn(matrixSvg(figure(numTokens, many, { ramp: signed }), paper));
    for (const [at, share] of [
      [0, 1],
      [1, -1],
    ] as const) {
      const { r, g, b } = signed.colour(share);
      expect([...data.subarray(4 * at, 4 * at + 3)]).to.deep.equal([r, g, b]);
    }
  });

  it('outlines the rows and columns of what is pinned, and draws blocks over all of their cells', () => {
    const pinned = { rows: [1], columns: [] };
    expect(matrixSvg(figure(2, Float32Array.of(1, 0, 0, 1), { pinned }), paper)).to.match(
      /height="16" fill="none" stroke="rgb\(59, 59, 59\)" stroke-width="1"/,
    );
    const blocks = { numQueries: 1, numKeys: 1, weights: Float32Array.of(1) };
    const svg = matrixSvg(figure(2, new Float32Array(4), { pattern: blocks, block: 2 }), paper);
    expect(rects(svg)).to.have.length(1);
    expect(svg).to.include('scale(32)');
  });

  it('is no markup of what a token says', () => {
    const svg = matrixSvg(figure(1, Float32Array.of(1), { queries: ['<script>"&'], keys: ['\u202e]]>'] }), {
      ...paper,
      caption: ['</text><a href="x">'],
    });
    expect(svg).to.include('&lt;script&gt;&quot;&amp;').and.include('&lt;/text&gt;&lt;a href=&quot;x&quot;&gt;');
    expect(svg).to.not.match(/<script|<a |\u202e/);
  });

  it('has one picture in the place of too many shapes, with the same colours', () => {
    const numTokens = Math.ceil(Math.sqrt(mostVectorCells)) + 1;
    const weights = Float32Array.from({ length: numTokens ** 2 }, (_, i) => ((i % 255) + 1) / 255);
    const svg = matrixSvg(figure(numTokens, weights), paper);
    expect(rects(svg)).to.deep.equal([]);
    const { width, height, data: pixels } = pictureIn(svg);
    expect([width, height]).to.deep.equal([numTokens, numTokens]);
    for (const at of [0, 1, 100, 254, numTokens ** 2 - 1]) {
      const { r, g, b } = ramp.colour(((at % 255) + 1) / 255);
      expect([...pixels.subarray(4 * at, 4 * at + 4)], `${at}`).to.deep.equal([r, g, b, 255]);
    }
    // Not each label, but all that fit.
    expect((svg.match(/>t\d+<\/text>/g) ?? []).length).to.be.within(40, 2 * numTokens - 1);
  });
});

describe('A picture of a palette', () => {
  it('is read as it was, beyond a block, too', () => {
    const [width, height] = [300, 250];
    const pixels = Uint8Array.from({ length: width * height }, (_, i) => (i * 31) % 256);
    const palette = Array.from({ length: 256 }, (_, i) => ({ r: i, g: 255 - i, b: i ^ 85 }));
    const { data } = PNG.sync.read(Buffer.from(palettePng(width, height, pixels, palette)));
    for (let i = 0; i < pixels.length; i += 997)
      expect([...data.subarray(4 * i, 4 * i + 3)]).to.deep.equal([pixels[i], 255 - pixels[i], pixels[i] ^ 85]);
  });
});
