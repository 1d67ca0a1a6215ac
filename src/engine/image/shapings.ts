import type { PixelSize } from './raster';
import type { Resampling } from './resample';

/** Pixels that are added on each side of a picture. */
export interface Margins {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What is put around a picture: a colour, the picture mirrored (with its edge once or twice), or nothing that has pixels: the value 0. */
export type Fill = readonly [red: number, green: number, blue: number] | 'reflect' | 'symmetric' | 'zero';

/** One thing that is done to a picture before its pixels become values. */
export type Shaping =
  | { readonly kind: 'resize'; readonly size: PixelSize; readonly resampling: Resampling }
  /** In floats: linearly from corner to corner (torch), or blurred by a Gaussian as wide as the scale and then linearly (scikit-image). */
  | { readonly kind: 'interpolate'; readonly size: PixelSize; readonly method: 'corners' | 'gaussian' }
  /** The middle; what a small picture lacks is black. Where it does not come out even, the cut is rounded down, or to even. */
  | { readonly kind: 'crop'; readonly size: PixelSize; readonly isRounded?: boolean }
  | { readonly kind: 'pad'; readonly margins: Margins; readonly fill: Fill };

/** How a picture is cut into tiles of one size, which a model reads one after the other, row by row, and then the whole of it as small as one of them: the thumbnail. */
export interface Tiling {
  readonly rows: number;
  readonly columns: number;
  readonly tile: PixelSize;
  /** What brings the picture to the size that is cut. */
  readonly shapings: readonly Shaping[];
  /** Whether the thumbnail is made of the picture that was given, else of the one that is cut. */
  readonly isOfSource: boolean;
  readonly resampling: Resampling;
}

/** The tiles of a picture of a size; undefined where it is read as a whole alone. */
export type Tiler = (size: PixelSize) => Tiling | undefined;

/** Margins right and below that bring a size to another; undefined where it is larger already. */
export function marginsTo(size: PixelSize, target: PixelSize): Margins | undefined {
  const [right, bottom] = [target.width - size.width, target.height - size.height];
  return right < 0 || bottom < 0 ? undefined : { left: 0, top: 0, right, bottom };
}

/** Margins on both sides, the smaller half first. */
export function marginsAround(size: PixelSize, target: PixelSize): Margins | undefined {
  const after = marginsTo(size, target);
  if (after === undefined) return undefined;
  const [left, top] = [Math.floor(after.right / 2), Math.floor(after.bottom / 2)];
  return { left, top, right: after.right - left, bottom: after.bottom - top };
}

/** The size of a picture after a step. */
export function sizeAfter(size: PixelSize, shaping: Shaping): PixelSize {
  if (shaping.kind !== 'pad') return shaping.size;
  const { left, top, right, bottom } = shaping.margins;
  return { width: size.width + left + right, height: size.height + top + bottom };
}
