import { ExplorerError } from '../../base/errors';
import { interpolate } from './interpolate';
import { roundHalfEven } from './pictureSizes';
import type { Processing } from './processorSteps';
import type { PixelSize, Raster, Region } from './raster';
import { maxLinePixels, resize, rowsNeeded, type Resampling } from './resample';
import { sizeAfter, type Fill, type Margins, type Shaping } from './shapings';
import { bytesNearestZero } from './pictureValues';

/** A picture as the model sees it, before its pixels become values. */
export interface ShapedPicture extends Raster {
  /** The part that has pixels: what lies around it is given to the model as the value 0. */
  readonly content: Region;
  /** The picture that was given, as it is turned. */
  readonly source: PixelSize;
  /** Where all of the source lies in this picture: beyond its edges where it was cut. */
  readonly placed: Region;
}

/** Pixels that a model is given at most: ten times what the attention of any model over them would leave room for. */
export const maxShapedPixels = 2 ** 24;
/** The longest side of a picture that is scaled, before the part that is wanted of it is cut out. */
const maxScaledSide = 2 ** 28;

const millions = (pixels: number): string => `${Math.floor(pixels / 1e5) / 10} million`;

/**
 * The picture as the model sees it, before its values change: resized, cropped, padded. Of what is cut after it is scaled only the part
 * that is left is made. Throws `imageTooLarge`, before anything is made, also where a narrow picture would become a long one on
 * the way, and `imageTooNarrow`.
 */
export function shapePicture(raster: Raster, processing: Processing, name: string): ShapedPicture {
  const shapings = processing.shapings(raster);
  checkSizes(raster, shapings, name);
  let shaped: ShapedPicture = {
    ...raster,
    content: wholeOf(raster),
    source: { width: raster.width, height: raster.height },
    placed: wholeOf(raster),
  };
  for (let i = 0; i < shapings.length; i++) {
    const shaping = shapings[i];
    const next = shapings[i + 1];
    switch (shaping.kind) {
      case 'resize':
        shaped = scaled(
          shaped,
          { size: shaping.size, crop: next?.kind === 'crop' ? next : shaping, resampling: shaping.resampling },
          name,
        );
        if (next?.kind === 'crop') i++;
        break;
      case 'interpolate':
        shaped = interpolated(shaped, shaping.size, shaping.method, name);
        break;
      case 'crop':
        shaped = scaled(shaped, { size: shaped, crop: shaping, resampling: 2 }, name);
        break;
      case 'pad':
        shaped = padded(shaped, shaping.margins, shaping.fill, processing);
        break;
    }
  }
  return shaped;
}

const wholeOf = ({ width, height }: PixelSize): Region => ({ left: 0, top: 0, width, height });

/** Sizes after each step, but those of what is only made in part. */
function checkSizes(from: PixelSize, shapings: readonly Shaping[], name: string): void {
  let size: PixelSize = from;
  if (shapings.length === 0 && from.width * from.height > maxShapedPixels)
    throw new ExplorerError('imageTooLarge', [
      name,
      `${from.width} × ${from.height} pixels once it is scaled`,
      millions(maxShapedPixels),
    ]);
  shapings.forEach((shaping, i) => {
    size = sizeAfter(size, shaping);
    const { width, height } = size;
    if (!(width >= 1 && height >= 1))
      throw new ExplorerError('imageTooNarrow', [name, `${from.width} × ${from.height}`]);
    const isPart = shaping.kind === 'resize' && shapings[i + 1]?.kind === 'crop';
    // What is on its way is held but once.
    const most = i + 1 < shapings.length ? maxLinePixels : maxShapedPixels;
    if (!isPart && width * height > most)
      throw new ExplorerError('imageTooLarge', [name, `${width} × ${height} pixels once it is scaled`, millions(most)]);
    if (Math.max(width, height) > maxScaledSide)
      throw new ExplorerError('imageTooLarge', [
        name,
        `${width} × ${height} pixels once it is scaled`,
        millions(maxScaledSide),
      ]);
  });
}

/** The middle of a picture that is scaled. */
function scaled(
  from: ShapedPicture,
  {
    size,
    crop: { size: crop, isRounded },
    resampling,
  }: {
    readonly size: PixelSize;
    readonly crop: { readonly size: PixelSize; readonly isRounded?: boolean };
    readonly resampling: Resampling;
  },
  name: string,
): ShapedPicture {
  const { left, top, part } = centre(size, crop, isRounded);
  const numRows = rowsNeeded(from.height, size, part, resampling);
  if (part.width * numRows > maxLinePixels)
    throw new ExplorerError('imageTooLarge', [
      name,
      `${part.width} × ${numRows} pixels on the way to its new size`,
      millions(maxLinePixels),
    ]);
  const isWhole =
    part.width === from.width &&
    part.height === from.height &&
    size.width === from.width &&
    size.height === from.height;
  const resized = isWhole ? from : resize(from, size, part, resampling);
  const isFull = part.width === crop.width && part.height === crop.height;
  const { width, height, pixels } = isFull
    ? resized
    : around(
        resized,
        { left, top, right: crop.width - part.width - left, bottom: crop.height - part.height - top },
        [0, 0, 0],
      );
  const [across, down] = [size.width / from.width, size.height / from.height];
  const placed = {
    left: from.placed.left * across - part.left + left,
    top: from.placed.top * down - part.top + top,
    width: from.placed.width * across,
    height: from.placed.height * down,
  };
  return { width, height, pixels, content: wholeOf({ width, height }), source: from.source, placed };
}

/** Scaled in floats, which only then become bytes. */
function interpolated(
  from: ShapedPicture,
  size: PixelSize,
  method: 'corners' | 'gaussian',
  name: string,
): ShapedPicture {
  if (size.width * from.height > maxShapedPixels)
    throw new ExplorerError('imageTooLarge', [
      name,
      `${size.width} × ${from.height} pixels on the way to its new size`,
      millions(maxShapedPixels),
    ]);
  const raster = interpolate(from, size, method);
  const [across, down] = [size.width / from.width, size.height / from.height];
  const placed = {
    left: from.placed.left * across,
    top: from.placed.top * down,
    width: from.placed.width * across,
    height: from.placed.height * down,
  };
  return { ...raster, content: wholeOf(size), source: from.source, placed };
}

/** The part of a picture that `center_crop` of the library leaves, and where it comes to lie; torchvision's is rounded otherwise. */
function centre(
  size: PixelSize,
  crop: PixelSize,
  isRounded = false,
): { readonly left: number; readonly top: number; readonly part: Region } {
  const shift = (have: number, want: number): number => {
    if (isRounded) return have < want ? Math.floor((want - have) / 2) : -roundHalfEven((have - want) / 2);
    return have < want ? Math.ceil((want - have) / 2) : -Math.floor((have - want) / 2);
  };
  const [left, top] = [shift(size.width, crop.width), shift(size.height, crop.height)];
  const part = {
    left: Math.max(0, -left),
    top: Math.max(0, -top),
    width: Math.min(size.width, crop.width),
    height: Math.min(size.height, crop.height),
  };
  return { left: Math.max(0, left), top: Math.max(0, top), part };
}

function padded(from: ShapedPicture, margins: Margins, fill: Fill, processing: Processing): ShapedPicture {
  const { left, top } = margins;
  const { width, height, pixels } = around(from, margins, fill === 'zero' ? bytesNearestZero(processing) : fill);
  const placed = { ...from.placed, left: from.placed.left + left, top: from.placed.top + top };
  const content = fill === 'zero' ? { ...wholeOf(from), left, top } : wholeOf({ width, height });
  return { width, height, pixels, content, source: from.source, placed };
}

/** A picture on a larger one: around it a colour, or the picture itself mirrored. */
function around(raster: Raster, { left, top, right, bottom }: Margins, fill: Exclude<Fill, 'zero'>): Raster {
  const [width, height] = [raster.width + left + right, raster.height + top + bottom];
  const from = new Uint32Array(raster.pixels.buffer, raster.pixels.byteOffset, raster.width * raster.height);
  const to = new Uint32Array(width * height);
  if (typeof fill === 'string') {
    const columns = mirrored(raster.width, left, width, fill);
    const rows = mirrored(raster.height, top, height, fill);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) to[y * width + x] = from[rows[y] * raster.width + columns[x]];
  } else {
    const [red, green, blue] = fill;
    to.fill((red | (green << 8) | (blue << 16) | 0xff000000) >>> 0);
    for (let y = 0; y < raster.height; y++)
      to.set(from.subarray(y * raster.width, (y + 1) * raster.width), (y + top) * width + left);
  }
  return { width, height, pixels: new Uint8Array(to.buffer) };
}

/** For each place of a longer side the place of the side that is mirrored at its ends, as often as it takes (`numpy.pad`). */
function mirrored(length: number, before: number, total: number, mode: 'reflect' | 'symmetric'): Int32Array {
  const period = mode === 'symmetric' ? 2 * length : Math.max(1, 2 * (length - 1));
  return Int32Array.from({ length: total }, (_, i) => {
    const at = (((i - before) % period) + period) % period;
    return at < length ? at : period - at - (mode === 'symmetric' ? 1 : 0);
  });
}
