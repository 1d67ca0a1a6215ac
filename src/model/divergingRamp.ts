import { fromLch, rampThrough, type Ramp, type Rgb } from './ramp';

/** Colours of numbers on both sides of zero, by their share of the largest in [−1, 1]: zero is the editor's background, and both sides are equally far from it to the eye. */
export type DivergingRamp = Ramp;

/** Green above zero and purple below: the pair that those who see no red or no green tell apart as well (Harrower & Brewer 2003, PRGn). */
const aboveHue = 145;
const belowHue = 318;

/** The diverging ramp over an editor's background; its hues are none of those that weights have. */
export function divergingRamp(background: Rgb, foreground: Rgb): DivergingRamp {
  const above = rampThrough((isDark) => [fromLch(...end(isDark), aboveHue)], background, foreground);
  const below = rampThrough((isDark) => [fromLch(...end(isDark), belowHue)], background, foreground);
  const side = (share: number): Ramp => (share < 0 ? below : above);
  return {
    colour: (share) => side(share).colour(Math.abs(share)),
    text: (share) => side(share).text(Math.abs(share)),
    overlay: (share) => side(share).overlay(Math.abs(share)),
  };
}

/** Lightness and chroma of full colour, the same on both sides, so that neither looks larger. */
function end(isDark: boolean): [l: number, chroma: number] {
  return isDark ? [0.8, 0.14] : [0.46, 0.125];
}
