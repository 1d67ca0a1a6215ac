import { cssColour, editorColours, type Ramp, type Rgb, type ThemeKind } from '../../model/ramp';
import { barOf, depthOfBucket, numDepths } from './decorationPlan';

/** How one depth of colour looks: colours as CSS has them, `outlineWidth` in pixels (0: none). */
export interface DepthStyle {
  readonly background: string;
  /** Undefined where the editor's own colour stays readable. */
  readonly text: string | undefined;
  readonly ruler: string;
  readonly outline: string;
  readonly outlineWidth: number;
}

/** Makes the ramp of an editor's colours. */
export type RampOver = (background: Rgb, foreground: Rgb) => Ramp;

/** The look of each depth bucket. In high contrast an outline carries the depth by its thickness. */
export function depthStyles(rampOver: RampOver, kind: ThemeKind): DepthStyle[] {
  const { background, foreground } = editorColours[kind];
  const ramp = rampOver(background, foreground);
  const isHighContrast = kind === 'highContrastDark' || kind === 'highContrastLight';
  return Array.from({ length: numDepths }, (_, bucket): DepthStyle => {
    const depth = depthOfBucket(bucket);
    const text = ramp.text(depth);
    const isOwnText = text.r === foreground.r && text.g === foreground.g && text.b === foreground.b;
    return {
      background: cssColour(ramp.overlay(depth)),
      text: isOwnText ? undefined : cssColour(text),
      ruler: cssColour(ramp.colour(depth)),
      outline: cssColour(ramp.colour(1)),
      outlineWidth: isHighContrast ? (barOf(depth) ?? 0) + 1 : 0,
    };
  });
}
