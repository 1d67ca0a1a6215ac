import { noDifference } from '../../src/model/pattern';
import { cssColour, type Ramp, type Rgb } from '../../src/model/ramp';

/** 256 colours as the words of little-endian RGBA image data; the first is transparent. */
export type Palette = Uint32Array;

/** The palette of a ramp for bytes of depth. */
export function paletteOf(ramp: Ramp): Palette {
  const palette = new Uint32Array(256);
  for (let byte = 1; byte < 256; byte++) {
    const { r, g, b } = ramp.colour(byte / 255);
    palette[byte] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return palette;
}

/** The palette of a ramp on both sides of zero, for bytes around {@link noDifference}. */
export function divergingPalette(ramp: Ramp): Palette {
  const palette = new Uint32Array(256);
  for (let byte = 1; byte < 256; byte++) {
    if (byte === noDifference) continue;
    const { r, g, b } = ramp.colour((byte - noDifference) / 127);
    palette[byte] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return palette;
}

/** How many depths of colour tokens can have, nothing aside. */
export const numLevels = 48;

/** The level of a depth in [0, 1], from 0 (nothing) to `numLevels`; of one below zero, as many more. */
export function levelOf(depth: number): number {
  if (depth < 0) {
    const below = levelOf(-depth);
    return below === 0 ? 0 : numLevels + below;
  }
  return depth > 0 ? Math.min(numLevels, Math.round(depth * numLevels)) : 0;
}

/** Of depths in high contrast: none below a hundredth, then a frame of so many CSS pixels from each of these on. */
const edgeSteps = [0.01, 0.05, 0.2, 0.5] as const;

/** The thickness of the frame that carries a depth in high contrast, in CSS pixels. */
export function edgeOf(depth: number): number {
  return edgeSteps.filter((step) => depth >= step).length;
}

/** A frame of one pixel within a token, and the rest of its thickness below it, where it covers neither the text nor the number above. */
function frameOf(thickness: number, colour: string): string {
  return `inset 0 0 0 1px ${colour}, 0 ${thickness - 1}px ${colour}`;
}

/**
 * The style rules of all levels, for one style sheet: a token's depth is then one class, and a new theme touches no token.
 * In high contrast an outline's thickness carries the depth too. A ramp on both sides of zero has as many levels again, below it: a dotted line tells them from those above.
 */
export function levelRules(ramp: Ramp, outline: Rgb | undefined, isDiverging = false): string {
  const rules: string[] = [];
  for (let level = 1; level <= (isDiverging ? 2 : 1) * numLevels; level++) {
    const isBelow = level > numLevels;
    const depth = isBelow ? (numLevels - level) / numLevels : level / numLevels;
    const edge =
      (outline === undefined ? '' : `box-shadow: ${frameOf(edgeOf(Math.abs(depth)), cssColour(outline))};`) +
      (isBelow ? 'text-decoration: underline dotted;' : '');
    rules.push(
      `.d${level} { background-color: ${cssColour(ramp.colour(depth))}; color: ${cssColour(ramp.text(depth))}; ${edge} }`,
    );
  }
  return rules.join('\n');
}
