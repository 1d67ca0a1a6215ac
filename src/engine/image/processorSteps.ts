import { toShortest, withinBox, withinEdges, type SizeSetting, type Sizing } from './pictureSizes';
import type { ProcessorSettings } from './processorSettings';
import type { PixelSize } from './raster';
import { marginsAround, marginsTo, sizeAfter, type Fill, type Shaping, type Tiler } from './shapings';

/** What an image processor does to a picture. */
export interface Processing {
  /** The steps for a picture of a size, in their order. Throws `modelUnsupported` for one that they cannot be applied to. */
  readonly shapings: (size: PixelSize) => readonly Shaping[];
  /** How bytes become values; undefined where that is left out. */
  readonly rescale: number | undefined;
  readonly normalize: Normalization | undefined;
  /** What is added between the two. */
  readonly offset?: number;
  /** What all is divided by in the end, by channel. */
  readonly divisors?: readonly number[];
  readonly isBgr?: boolean;
  /** Where the picture is cut into several. */
  readonly tiles?: Tiler;
  /** Where the model is given a table of patches in the place of a picture. */
  readonly patches?: PatchCut;
}

/** How a picture is cut into a table of patches. */
export interface PatchCut {
  /** The side of a patch, in pixels. */
  readonly side: number;
  /** Patches that become one token, along either side: these follow one another in the table. */
  readonly merge: number;
  /** How often a picture stands in a patch, which may be of a film. */
  readonly times: number;
}

/** Means and deviations by channel, or one of each for all. */
interface Normalization {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export type Processor = (settings: ProcessorSettings) => Processing;
/** A step, for the size that the steps before it give; undefined where it changes nothing. */
export type Step = (size: PixelSize) => Shaping | undefined;

/** Steps one after the other. */
export function inTurn(steps: readonly (Step | undefined)[]): (size: PixelSize) => readonly Shaping[] {
  return (size) => {
    const shapings: Shaping[] = [];
    let current = size;
    for (const step of steps) {
      const shaping = step?.(current);
      if (shaping === undefined) continue;
      shapings.push(shaping);
      current = sizeAfter(current, shaping);
    }
    return shapings;
  };
}

/** Rescaling and normalising, as nearly all do it. */
export function values(settings: ProcessorSettings): Pick<Processing, 'rescale' | 'normalize'> {
  return {
    rescale: rescaling(settings),
    normalize: settings.flag('do_normalize') ? normalization(settings) : undefined,
  };
}

export function rescaling(settings: ProcessorSettings): number | undefined {
  if (!settings.flag('do_rescale')) return undefined;
  const factor = settings.number('rescale_factor');
  if (factor === undefined) throw settings.unsupported('rescaling without a "rescale_factor"');
  return factor;
}

export function normalization(settings: ProcessorSettings): Normalization {
  const deviation = settings.channels('image_std');
  if (deviation.includes(0)) throw settings.unsupported('an "image_std" of zero');
  return { mean: settings.channels('image_mean'), deviation };
}

export function resizing(settings: ProcessorSettings, sizing: () => Sizing): Step | undefined {
  if (!settings.flag('do_resize')) return undefined;
  const resampling = settings.resampling();
  const toSize = sizing();
  return (size) => ({ kind: 'resize', size: toSize(size), resampling });
}

export function sizeSetting(settings: ProcessorSettings, isSquare = settings.isSquare()): SizeSetting {
  const size = settings.size('size', isSquare);
  if (size === undefined) throw settings.unsupported('no "size"');
  return size;
}

const fixed = ({ height, width }: SizeSetting): PixelSize | undefined =>
  height === undefined || width === undefined ? undefined : { height, width };

/** What the library's `resize` makes of a size. */
export function usualSizing(settings: ProcessorSettings, size: SizeSetting): Sizing {
  const { shortest, longest, maxHeight, maxWidth } = size;
  if (shortest !== undefined) return longest === undefined ? toShortest(shortest) : withinEdges(shortest, longest);
  if (maxHeight !== undefined && maxWidth !== undefined) return withinBox(maxHeight, maxWidth);
  const box = fixed(size);
  if (box === undefined) throw settings.unsupported('a "size" of the longest edge alone');
  return () => box;
}

/** The same where the shortest edge alone will not do. */
export function edgesSizing(settings: ProcessorSettings, size: SizeSetting): Sizing {
  if (size.shortest !== undefined && size.longest === undefined)
    throw settings.unsupported('a "size" of the shortest edge alone');
  return usualSizing(settings, size);
}

export function boxOf(settings: ProcessorSettings, size: SizeSetting): PixelSize {
  const box = fixed(size);
  if (box === undefined) throw settings.unsupported('a "size" that is no height and width');
  return box;
}

export function shortestOf(settings: ProcessorSettings, size: SizeSetting): number {
  if (size.shortest === undefined) throw settings.unsupported('a "size" without the shortest edge');
  return size.shortest;
}

export function cropping(settings: ProcessorSettings): Step | undefined {
  if (!settings.flag('do_center_crop')) return undefined;
  const size = settings.size('crop_size', true);
  const crop = size === undefined ? undefined : fixed(size);
  if (crop === undefined) throw settings.unsupported('a "crop_size" that is not known');
  return () => ({ kind: 'crop', size: crop });
}

/** Padding right and below, behind all else: with the value 0. */
export function paddingTo(settings: ProcessorSettings, key: 'pad_size' | 'crop_size' = 'pad_size'): Step | undefined {
  const written = settings.size(key, true);
  if (written === undefined) return undefined;
  const target = fixed(written);
  if (target === undefined) throw settings.unsupported('a "pad_size" that is no height and width');
  return (size) => {
    const margins = marginsTo(size, target);
    if (margins === undefined)
      throw settings.unsupported(
        `padding to ${target.width} × ${target.height} pixels, and this picture is ${size.width} × ${size.height} by then`,
      );
    return { kind: 'pad', margins, fill: 'zero' };
  };
}

export const padding = (settings: ProcessorSettings): Step | undefined =>
  settings.flag('do_pad') ? paddingTo(settings) : undefined;

export function toSquare(fill: Fill): Step {
  return (size) => {
    const side = Math.max(size.width, size.height);
    const margins = marginsAround(size, { width: side, height: side });
    return margins === undefined || size.width === size.height ? undefined : { kind: 'pad', margins, fill };
  };
}

/** The mean as a colour. */
export function meanColour(settings: ProcessorSettings): Fill {
  const [red, green = red, blue = red] = settings
    .channels('image_mean')
    .map((mean) => Math.min(255, Math.max(0, Math.trunc(mean * 255))));
  return [red, green, blue];
}
