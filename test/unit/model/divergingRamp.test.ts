import { expect } from 'chai';
import { filterDeficiencyDeuter, filterDeficiencyProt, filterDeficiencyTrit } from 'culori';
import { divergingRamp } from '../../../src/model/divergingRamp';
import { contrastOf, editorColours, oklabOf, type Rgb, type ThemeKind } from '../../../src/model/ramp';

const kinds = Object.keys(editorColours) as ThemeKind[]; // the keys of our own table
const deficiencies = [filterDeficiencyProt(1), filterDeficiencyDeuter(1), filterDeficiencyTrit(1)];

function distance(one: Rgb, other: Rgb): number {
  const [p, q] = [oklabOf(one), oklabOf(other)];
  return Math.hypot(p.l - q.l, p.a - q.a, p.b - q.b);
}

function seenBy(filter: (typeof deficiencies)[number], { r, g, b }: Rgb): Rgb {
  const seen = filter({ mode: 'rgb', r: r / 255, g: g / 255, b: b / 255 }) as Rgb; // of a colour in sRGB it gives one
  return { r: seen.r * 255, g: seen.g * 255, b: seen.b * 255 };
}

describe('the diverging ramp', () => {
  for (const kind of kinds) {
    const { background, foreground } = editorColours[kind];
    const ramp = divergingRamp(background, foreground);

    it(`shows nothing at zero, and both sides equally far from it (${kind})`, () => {
      expect(ramp.colour(0)).to.deep.equal(background);
      expect(ramp.colour(NaN)).to.deep.equal(background);
      for (const share of [0.25, 0.5, 1]) {
        const [above, below] = [distance(ramp.colour(share), background), distance(ramp.colour(-share), background)];
        expect(above).to.be.greaterThan(0.4 * share);
        expect(above / below).to.be.within(0.9, 1.1);
      }
    });

    it(`has two sides that everybody tells apart (${kind})`, () => {
      for (const share of [0.5, 1]) {
        const [above, below] = [ramp.colour(share), ramp.colour(-share)];
        expect(distance(above, below)).to.be.greaterThan(0.12 * share);
        for (const filter of deficiencies)
          expect(distance(seenBy(filter, above), seenBy(filter, below))).to.be.greaterThan(0.1 * share);
      }
    });

    it(`keeps text readable on every colour (${kind})`, () => {
      for (let share = -1; share <= 1; share += 1 / 32)
        expect(contrastOf(ramp.colour(share), ramp.text(share))).to.be.greaterThan(4.49);
    });
  }
});
