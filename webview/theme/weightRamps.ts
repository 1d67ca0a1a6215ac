import { rampFor, type Ramp } from '../../src/model/ramp';
import type { Direction } from '../../src/model/pattern';
import type { ColourMap } from '../../src/model/viewState';
import type { Theme } from './theme';

/** The ramps of weights in a theme's colours: of what tokens read, and of what reads them. */
export function weightRamps(
  { background, foreground }: Pick<Theme, 'background' | 'foreground'>,
  colourMap: ColourMap,
): Readonly<Record<Direction, Ramp>> {
  return {
    reads: rampFor(colourMap, background, foreground, 'reads'),
    readBy: rampFor(colourMap, background, foreground, 'readBy'),
  };
}
