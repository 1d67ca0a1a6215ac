import type { Direction } from '../../model/pattern';
import { cssColour, editorColours, rampFor, type ThemeKind } from '../../model/ramp';
import type { ColourMap } from '../../model/viewState';
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

/** The look of each depth bucket. In high contrast an outline carries the weight by its thickness. */
export function depthStyles(colourMap: ColourMap, direction: Direction, kind: ThemeKind): DepthStyle[] {
  const { background, foreground } = editorColours[kind];
  const ramp = rampFor(colourMap, background, foreground, direction);
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
