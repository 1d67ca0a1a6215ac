import { expect } from 'chai';
import { PNG } from 'pngjs';
import { sourceSvg } from '../../../../src/model/figures/sourceSvg';
import { sourceFigure, type LitView } from '../../../../src/model/figures/viewFigures';
import { cssColour, editorColours, rampFor } from '../../../../src/model/ramp';
import type { TokenStream } from '../../../../src/model/token';

const { background, foreground } = editorColours.light;
const ramp = rampFor('blue', background, foreground, 'reads');
const token = (id: number, piece: string) => ({ id, piece, start: 0, end: 0, isSpecial: true });

/** A class token and two by two patches of two pixels each, in a picture with a margin of one pixel. */
const stream: TokenStream = {
  role: 'image',
  text: '',
  tokens: ['[CLS]', 'a', 'b', 'c', 'd'].map((piece, i) => token(i, piece)),
  grid: { rows: 2, columns: 2, first: 1, patchWidth: 2, patchHeight: 2 },
};
const picture = {
  width: 5,
  height: 5,
  pixels: Uint8Array.from({ length: 100 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 256)),
};
const view = (of: TokenStream, weights: readonly number[] | undefined): LitView => ({
  streams: [of],
  lighting:
    weights === undefined
      ? undefined
      : ({ stream: 0, direction: 'reads', weights: Float32Array.from(weights) } as LitView['lighting'] & object), // what is drawn of it
  pinned: [{ stream: 0, position: 0 }],
  colours: { scale: 'absolute', ceiling: 1, threshold: 0, ramp },
  isSigned: false,
  sinks: [],
});
const drawn = (of: TokenStream, weights: readonly number[] | undefined): string =>
  sourceSvg(sourceFigure(view(of, weights), [], 4, picture), {
    background,
    foreground,
    millimetres: 85,
    caption: ['model · picture.png'],
  });

describe('A figure of a picture', () => {
  it('has the picture itself, each patch as deep as its weight, its number, and the class token below', () => {
    const svg = drawn(stream, [0.25, 0.5, 0, 0.125, 0.125]);
    const png = /href="data:image\/png;base64,([^"]+)"/.exec(svg)?.[1] ?? '';
    const { width, height, data } = PNG.sync.read(Buffer.from(png, 'base64'));
    expect([width, height]).to.deep.equal([5, 5]);
    expect([...data]).to.deep.equal([...picture.pixels]);
    const opacities = (colour: string): string[] =>
      [...svg.matchAll(/<rect [^>]*fill="([^"]+)" fill-opacity="([\d.]+)"/g)]
        .filter(([, fill]) => fill === colour)
        .map(([, , opacity]) => opacity);
    expect(opacities(cssColour(ramp.colour(1)))).to.deep.equal(['0.275', '0.069', '0.069']);
    expect(opacities(cssColour(background))).to.deep.equal(['0.33', '0.66', '0.578', '0.578']);
    expect(svg.match(/fill-rule="evenodd"/g), 'the margin').to.have.length(1);
    expect([...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, words]) => words)).to.deep.equal([
      '.50',
      '.13',
      '.13',
      '[CLS] .25',
      'model · picture.png',
    ]);
  });

  it('is the picture as it is where nothing is looked at, and no picture of what has no patches', () => {
    const plain = drawn(stream, undefined);
    expect(plain).to.include('<image ').and.not.include('fill-opacity');
    const { grid: _, ...queries } = stream;
    const learned = drawn(
      { ...queries, grid: { rows: 0, columns: 0, first: 0, patchWidth: 0, patchHeight: 0 } },
      [1, 0, 0, 0, 0],
    );
    expect(learned).to.not.include('<image ');
    expect(learned.match(/>(?:\[CLS\] 1|a|b|c|d)[^<]*<\/text>/g)).to.have.length(5);
  });

  it('is no markup of what a token says', () => {
    const tokens = stream.tokens.map((each) => ({ ...each, piece: '<script>' }));
    expect(drawn({ ...stream, tokens }, [1, 0, 0, 0, 0])).to.not.include('<script');
  });
});
