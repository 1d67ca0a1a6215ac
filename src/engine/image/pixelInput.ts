import { dataTypeName } from '../../onnx/file/dataType';
import type { ValueInfo } from '../../onnx/file/onnxModel';
import { allocate, itemsOf, type ModelInput } from '../../onnx/inputs/inputs';
import type { PatchEmbedding } from '../../onnx/inputs/patchEmbedding';
import type { Notice } from '../../model/modelInfo';
import { halfBits } from '../runtime/feeds';
import { pictureValues } from './pictureValues';
import type { PixelSize } from './raster';
import { assumedPreprocessing, type Preprocessing } from './readPreprocessing';
import type { ShapedPicture } from './shapePicture';
import { sizeAfter, type Margins } from './shapings';

/** How the input for pixels is laid out; a size is undefined where the model takes any. */
export interface PixelLayout {
  readonly input: ValueInfo;
  readonly numChannels: 1 | 3;
  readonly isChannelLast: boolean;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** How an input is laid out, by its dimensions; of several pictures beside each other (rank five) each is so. */
export function layoutOf(input: ValueInfo, embedding: PatchEmbedding | undefined): PixelLayout {
  const dims = input.dims?.slice(-4) ?? [];
  const isColour = (dim: unknown): dim is 1 | 3 => dim === 1 || dim === 3;
  const isChannelLast = !isColour(dims[1]) && isColour(dims[3]);
  const stated = dims[isChannelLast ? 3 : 1];
  const numChannels = isColour(stated) ? stated : embedding?.numChannels === 1 ? 1 : 3;
  const side = (axis: number): number | undefined => {
    const dim = dims[axis];
    return typeof dim === 'number' && dim > 0 ? dim : undefined;
  };
  return { input, numChannels, isChannelLast, height: side(isChannelLast ? 1 : 2), width: side(isChannelLast ? 2 : 3) };
}

/** The pixels of a picture as an input, made as its settings say; without any, as most models want them. */
export function pixelInput(
  picture: ShapedPicture,
  preprocessing: Preprocessing | undefined,
  { input, numChannels, isChannelLast }: PixelLayout,
): ModelInput {
  const { width, height } = picture;
  const type = dataTypeName(input.dataType) ?? 'float32';
  const steps = preprocessing ?? {
    ...assumedPreprocessing(picture),
    ...(type === 'uint8' ? { rescale: undefined, normalize: undefined } : {}),
  };
  const values = pictureValues(picture, steps, numChannels, isChannelLast);
  const isOfSeveral = input.dims?.length === 5;
  const numItems = isOfSeveral ? 1 : itemsOf(input);
  // A fixed batch is filled with copies.
  const data = allocate(type, values.length * numItems);
  for (let item = 0; item < numItems; item++)
    for (let i = 0; i < values.length; i++)
      data[item * values.length + i] = type === 'float16' ? halfBits(values[i]) : values[i];
  return {
    name: input.name,
    type,
    dims: [
      ...(isOfSeveral ? [1] : []),
      ...(isChannelLast ? [numItems, height, width, numChannels] : [numItems, numChannels, height, width]),
    ],
    data,
  };
}

/** 1 where a picture has pixels, 0 where it was only filled up. */
export function pixelMask(input: ValueInfo, { width, height, content }: ShapedPicture): ModelInput {
  const type = dataTypeName(input.dataType) ?? 'int64';
  const data = allocate(type, width * height);
  for (let y = content.top; y < content.top + content.height; y++) {
    const [from, to] = [y * width + content.left, y * width + content.left + content.width];
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(1n, from, to);
    else data.fill(type === 'float16' ? halfBits(1) : 1, from, to);
  }
  return {
    name: input.name,
    type,
    dims: [...Array.from({ length: Math.max(1, (input.dims?.length ?? 3) - 2) }, () => 1), height, width],
    data,
  };
}

/** What the reader must know of what was done to a picture: that parts of it are not seen, or that parts of what is seen are not of it. */
export function shapingNotices({ shapings, by, file }: Preprocessing, decoded: PixelSize): Notice[] {
  const notices: Notice[] = by === 'assumption' ? [{ code: 'processorAssumed', args: [file] }] : [];
  let size = decoded;
  for (const shaping of shapings(decoded)) {
    if (shaping.kind === 'crop' && (size.width > shaping.size.width || size.height > shaping.size.height))
      notices.push({ code: 'pictureCut', args: [] });
    size = sizeAfter(size, shaping);
    if (shaping.kind === 'pad' && hasMargins(shaping.margins))
      notices.push({ code: 'picturePadded', args: [size.width, size.height] });
  }
  return notices;
}

function hasMargins({ left, top, right, bottom }: Margins): boolean {
  return Math.max(left, top, right, bottom) > 0;
}
