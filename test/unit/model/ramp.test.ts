import { expect } from 'chai';
import {
  contrastOf,
  cssColour,
  editorColours,
  oklabOf,
  parseColour,
  rampFor,
  surprisalRamp,
  type Rgb,
  type ThemeKind,
} from '../../../src/model/ramp';
import { colourMaps } from '../../../src/model/viewState';

const kinds = Object.keys(editorColours) as ThemeKind[]; // the keys of our own table
const directions = ['reads', 'readBy'] as const;

function forAll(
  check: (ramp: ReturnType<typeof rampFor>, background: Rgb, foreground: Rgb, name: string) => void,
): void {
  for (const kind of kinds) {
    const { background, foreground } = editorColours[kind];
    check(surprisalRamp(background, foreground), background, foreground, `surprisal ${kind}`);
    for (const map of colourMaps)
      for (const direction of directions)
        check(rampFor(map, background, foreground, direction), background, foreground, `${map} ${direction} ${kind}`);
  }
}

function distance(one: Rgb, other: Rgb): number {
  const [p, q] = [oklabOf(one), oklabOf(other)];
  return Math.hypot(p.l - q.l, p.a - q.a, p.b - q.b);
}

describe('the colour ramps', () => {
  it('start at the background, so that zero is invisible', () => {
    forAll((ramp, background, _, name) => {
      expect(ramp.colour(0), name).to.deep.equal(background);
      expect(ramp.overlay(0).a, name).to.equal(0);
      expect(ramp.colour(NaN), name).to.deep.equal(background);
    });
  });

  it('only ever move away from the background in lightness', () => {
    forAll((ramp, background, _, name) => {
      const sign = oklabOf(background).l < 0.5 ? 1 : -1;
      for (let i = 1; i <= 255; i++) {
        const step = sign * (oklabOf(ramp.colour(i / 255)).l - oklabOf(ramp.colour((i - 1) / 255)).l);
        expect(step, `${name} at ${i}`).to.be.greaterThan(-0.002); // the rounding to bytes
      }
      expect(sign * (oklabOf(ramp.colour(1)).l - oklabOf(background).l), name).to.be.greaterThan(0.4);
    });
  });

  it('make even steps to the eye, none too small to be seen', () => {
    forAll((ramp, _, __, name) => {
      const steps = Array.from({ length: 16 }, (_step, i) =>
        distance(ramp.colour(Math.max(1 / 255, i / 16)), ramp.colour((i + 1) / 16)),
      );
      expect(Math.min(...steps), name).to.be.greaterThan(0.02);
      expect(Math.max(...steps) / Math.min(...steps), name).to.be.lessThan(1.35);
    });
  });

  it('keep text readable at every depth', () => {
    forAll((ramp, _, foreground, name) => {
      for (let i = 0; i <= 255; i++)
        expect(contrastOf(ramp.colour(i / 255), ramp.text(i / 255)), `${name} at ${i}`).to.be.at.least(4.5);
      expect(ramp.text(0), name).to.deep.equal(foreground);
    });
  });

  it('tell the directions apart at full depth', () => {
    for (const kind of kinds) {
      const { background, foreground } = editorColours[kind];
      for (const map of ['blue', 'orange'] as const)
        expect(
          distance(
            rampFor(map, background, foreground, 'reads').colour(1),
            rampFor(map, background, foreground, 'readBy').colour(1),
          ),
        ).to.be.greaterThan(0.15);
    }
  });

  it('have an overlay that gives the same colour over the background wherever its opacity allows', () => {
    forAll((ramp, background, _, name) => {
      for (let i = 1; i <= 255; i++) {
        const { r, g, b, a } = ramp.overlay(i / 255);
        const wanted = ramp.colour(i / 255);
        expect(a, name).to.be.within(0, 0.85);
        if (a >= 0.85) continue;
        const over = {
          r: r * a + background.r * (1 - a),
          g: g * a + background.g * (1 - a),
          b: b * a + background.b * (1 - a),
        };
        for (const channel of ['r', 'g', 'b'] as const)
          expect(over[channel], `${name} at ${i}`).to.be.closeTo(wanted[channel], 1.5);
      }
    });
  });
});

describe('colours', () => {
  it('are read as CSS writes them', () => {
    expect(parseColour('#1f1f1f')).to.deep.equal({ r: 31, g: 31, b: 31 });
    expect(parseColour(' #FFF ')).to.deep.equal({ r: 255, g: 255, b: 255 });
    expect(parseColour('#10203040')).to.deep.equal({ r: 16, g: 32, b: 48 });
    expect(parseColour('rgba(1, 2, 3, 0.5)')).to.deep.equal({ r: 1, g: 2, b: 3 });
    expect(parseColour('rgb(4 5 6)')).to.deep.equal({ r: 4, g: 5, b: 6 });
    expect(parseColour('red')).to.equal(undefined);
  });

  it('are written as CSS reads them', () => {
    expect(cssColour({ r: 1, g: 2, b: 3 })).to.equal('rgb(1, 2, 3)');
    expect(cssColour({ r: 1, g: 2, b: 3, a: 0.12345 })).to.equal('rgba(1, 2, 3, 0.123)');
  });

  it('contrast as WCAG has it', () => {
    expect(contrastOf({ r: 0, g: 0, b: 0 }, { r: 255, g: 255, b: 255 })).to.be.closeTo(21, 1e-9);
  });
});
