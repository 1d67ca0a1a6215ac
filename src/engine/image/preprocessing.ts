import { ExplorerError } from '../../base/errors';
import type { PixelSize, Raster, Region } from './raster';
import { maxLinePixels, resize, rowsNeeded, type Resampling } from './resample';

/** How a picture becomes a model's input: the steps of the image processors of the library `transformers`, in their order. */
export interface Preprocessing {
  /** The size to resize to, for a picture of a size; undefined where it is not resized. */
  readonly sizeFor: ((size: PixelSize) => PixelSize) | undefined;
  readonly resampling: Resampling;
  readonly crop: PixelSize | undefined;
  /** What values in 0 … 255 are multiplied by; undefined where they are left. */
  readonly rescale: number | undefined;
  /** Means and deviations by channel; undefined where values are not normalised. */
  readonly normalize: { readonly mean: readonly number[]; readonly deviation: readonly number[] } | undefined;
  readonly isBgr: boolean;
}

type Config = Readonly<Record<string, unknown>>;

/** Processors that do more, or something else, than is done here. */
const otherProcessors = /levit|poolformer|convnext|qwen|glm|idefics|pix2struct|siglip2|donut|nougat|mllama|llava_?next|vivit|videomae|imagegpt|efficientnet|perceiver|flava|sam/i;
/** Processors that take a size of one number to be that of the shortest edge. */
const byShortestEdge = /clip|^bit|altclip|align|blip2|mobile|detr|yolos|vilt|dinov2/i;
const clipLike = /clip/i;

const defaults = {
  plain: { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
  clip: { mean: [0.48145466, 0.4578275, 0.40821073], deviation: [0.26862954, 0.26130258, 0.27577711] },
} as const;

/** Reads a preprocessor_config.json. Throws `modelUnsupported` for steps that are not known. */
export function readPreprocessing(config: Config, modelName: string): Preprocessing {
  const type = [config['image_processor_type'], config['feature_extractor_type']].find((value) => typeof value === 'string') ?? '';
  const unsupported = (what: string): ExplorerError => new ExplorerError('modelUnsupported', [modelName, `its preprocessor_config.json asks for ${what}`]);
  if (otherProcessors.test(type)) throw unsupported(`the steps of ${type}`);
  for (const key of ['crop_pct', 'offset', 'rescale_offset', 'do_thumbnail', 'do_align_long_axis', 'do_image_splitting']) if (config[key] !== undefined && config[key] !== null && config[key] !== false) throw unsupported(`"${key}"`);
  const isClip = clipLike.test(type);
  const flag = (key: string, fallback: boolean): boolean => (typeof config[key] === 'boolean' ? config[key] : fallback);
  const usual = isClip ? defaults.clip : defaults.plain;
  const numbers = (key: string, fallback: readonly number[]): readonly number[] => {
    const value = config[key];
    if (value === undefined || value === null) return fallback;
    const list = Array.isArray(value) ? value : [value];
    if (list.length === 0 || list.length > 4 || !list.every((each) => typeof each === 'number' && Number.isFinite(each))) throw unsupported(`a "${key}" that is no list of numbers`);
    return list;
  };
  const rescale = config['rescale_factor'];
  const resampling = config['resample'] ?? (isClip ? 3 : 2);
  if (typeof resampling !== 'number' || ![0, 1, 2, 3, 4, 5].includes(resampling)) throw unsupported('a "resample" that is not known');
  const size = readSize(config['size'] ?? 224, byShortestEdge.test(type));
  const crop = readSize(config['crop_size'] ?? 224, false);
  const doResize = flag('do_resize', true);
  const doCrop = flag('do_center_crop', isClip);
  if (doResize && size === undefined) throw unsupported('a "size" that is not known');
  if (doCrop && (crop === undefined || typeof crop === 'function')) throw unsupported('a "crop_size" that is not known');
  const deviation = numbers('image_std', usual.deviation);
  const doNormalize = flag('do_normalize', true);
  if (doNormalize && deviation.includes(0)) throw unsupported('an "image_std" of zero');
  return {
    sizeFor: doResize ? (typeof size === 'function' ? size : () => size ?? { width: 224, height: 224 }) : undefined,
    resampling: resampling as Resampling, // one of the list
    crop: doCrop && typeof crop === 'object' ? crop : undefined,
    rescale: flag('do_rescale', true) ? (typeof rescale === 'number' ? rescale : 1 / 255) : undefined,
    normalize: doNormalize ? { mean: numbers('image_mean', usual.mean), deviation } : undefined,
    isBgr: flag('do_flip_channel_order', false),
  };
}

/** What is done where there is no preprocessor_config.json: the model's size, and values from −1 to 1. */
export function assumedPreprocessing(size: PixelSize): Preprocessing {
  return { sizeFor: () => size, resampling: 2, crop: undefined, rescale: 1 / 255, normalize: defaults.plain, isBgr: false };
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 8192;

function readSize(written: unknown, isShortestEdge: boolean): PixelSize | ((size: PixelSize) => PixelSize) | undefined {
  if (isCount(written)) return isShortestEdge ? (size) => byEdges(size, written, undefined) : { width: written, height: written };
  if (Array.isArray(written)) {
    const [height, width] = written;
    return isCount(height) && isCount(width) ? { height, width } : undefined;
  }
  if (typeof written !== 'object' || written === null) return undefined;
  const { height, width, shortest_edge: shortest, longest_edge: longest } = { ...written } as Config; // fields are checked one by one
  if (isCount(shortest)) return (size) => byEdges(size, shortest, isCount(longest) ? longest : undefined);
  return isCount(height) && isCount(width) ? { height, width } : undefined;
}

/** The shortest edge as asked for, the other in proportion, neither beyond the longest (`get_size_with_aspect_ratio`). */
function byEdges({ width, height }: PixelSize, shortest: number, longest: number | undefined): PixelSize {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  let edge = shortest;
  let raw: number | undefined;
  if (longest !== undefined && (long / short) * shortest > longest) {
    raw = (longest * short) / long;
    edge = roundHalfEven(raw);
  }
  if (short === edge) return { width, height };
  const other = Math.max(1, Math.trunc(((raw ?? edge) * long) / short));
  return width < height ? { width: edge, height: other } : { width: other, height: edge };
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** Pixels that a model is given at most: ten times what the attention of any model over them would leave room for. */
export const maxShapedPixels = 2 ** 24;
/** The longest side of a picture that is scaled, before the part that is wanted of it is cut out. */
const maxScaledSide = 2 ** 28;

/**
 * The picture as the model sees it, before its values change: resized and cropped. Only what the crop leaves is made.
 * Throws `imageTooLarge`, before anything is made, also where a narrow picture would become a long one on the way.
 */
export function shapePicture(raster: Raster, { sizeFor, resampling, crop }: Preprocessing, name: string): Raster {
  const size = sizeFor?.(raster) ?? { width: raster.width, height: raster.height };
  const shaped = crop ?? size;
  const { left, top, part } = centre(size, shaped);
  const check = (pixels: number, most: number, what: string): void => {
    if (pixels > most) throw new ExplorerError('imageTooLarge', [name, what, `${Math.floor(most / 1e5) / 10} million`]);
  };
  check(shaped.width * shaped.height, maxShapedPixels, `${shaped.width} × ${shaped.height} pixels once it is scaled`);
  check(Math.max(size.width, size.height), maxScaledSide, `${size.width} × ${size.height} pixels once it is scaled`);
  const numRows = rowsNeeded(raster.height, size, part, resampling);
  check(part.width * numRows, maxLinePixels, `${part.width} × ${numRows} pixels on the way to its new size`);
  const isWhole = part.width === raster.width && part.height === raster.height;
  const resized = isWhole && size.width === raster.width && size.height === raster.height ? raster : resize(raster, size, part, resampling);
  return part.width === shaped.width && part.height === shaped.height ? resized : onBlack(resized, shaped, left, top);
}

/** The part of a picture that `center_crop` of the library leaves, and where it comes to lie. */
function centre(size: PixelSize, crop: PixelSize): { readonly left: number; readonly top: number; readonly part: Region } {
  const shift = (have: number, want: number): number => (have < want ? Math.ceil((want - have) / 2) : -Math.floor((have - want) / 2));
  const [left, top] = [shift(size.width, crop.width), shift(size.height, crop.height)];
  const part = { left: Math.max(0, -left), top: Math.max(0, -top), width: Math.min(size.width, crop.width), height: Math.min(size.height, crop.height) };
  return { left: Math.max(0, left), top: Math.max(0, top), part };
}

/** A picture on a larger one: what a small picture lacks is filled with black. */
function onBlack(raster: Raster, { width, height }: PixelSize, left: number, top: number): Raster {
  const pixels = new Uint8Array(width * height * 4);
  for (let i = 3; i < pixels.length; i += 4) pixels[i] = 255;
  for (let y = 0; y < raster.height; y++) pixels.set(raster.pixels.subarray(y * raster.width * 4, (y + 1) * raster.width * 4), ((y + top) * width + left) * 4);
  return { width, height, pixels };
}

/** The values of a shaped picture: `values[(channel * height + y) * width + x]`, or the channel last. */
export function pictureValues({ width, height, pixels }: Raster, { rescale, normalize, isBgr }: Preprocessing, numChannels: 1 | 3, isChannelLast: boolean): Float32Array {
  const count = width * height;
  const values = new Float32Array(count * numChannels);
  for (let channel = 0; channel < numChannels; channel++) {
    // As many steps as there are byte values: each is computed once, rounded where the library rounds.
    const table = Float32Array.from({ length: 256 }, (_, byte) => {
      let value = rescale === undefined ? byte : Math.fround(byte * rescale);
      if (normalize !== undefined) {
        const { mean, deviation } = normalize;
        value = Math.fround(Math.fround(value - Math.fround(mean[channel % mean.length])) / Math.fround(deviation[channel % deviation.length]));
      }
      return value;
    });
    for (let i = 0; i < count; i++) {
      const at = i * 4;
      const byte = numChannels === 1 ? (pixels[at] * 19595 + pixels[at + 1] * 38470 + pixels[at + 2] * 7471 + 0x8000) >> 16 : pixels[at + (isBgr ? 2 - channel : channel)];
      values[isChannelLast ? i * numChannels + channel : channel * count + i] = table[byte];
    }
  }
  return values;
}
