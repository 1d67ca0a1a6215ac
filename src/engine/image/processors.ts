import { byDivisor, byMultiples, byPixels, byPatches, downToMultiples, roundHalfEven, thumbnailOf, toLongest, toLongestAbove, toLongestEven, toShortest, upToMultiples, withinEdgesBySixteens, type Sizing } from './pictureSizes';
import type { PixelSize } from './raster';
import type { Resampling } from './resample';
import { marginsAround, marginsTo } from './shapings';
import { byAspect, byWholeTiles } from './tilings';
import { type Processor, type Step, inTurn, values, rescaling, normalization, resizing, sizeSetting, usualSizing, edgesSizing, boxOf, shortestOf, cropping, paddingTo, padding, toSquare, meanColour } from './processorSteps';

/** Resize, crop, rescale, normalise, pad: what the library's own backend does. */
const plain: Processor = (settings) => ({
  shapings: inTurn([resizing(settings, () => usualSizing(settings, sizeSetting(settings))), cropping(settings), padding(settings)]),
  ...values(settings),
});

/** The same without padding. */
const plainUnpadded: Processor = (settings) => ({
  shapings: inTurn([resizing(settings, () => usualSizing(settings, sizeSetting(settings))), cropping(settings)]),
  ...values(settings),
});

/** Resize, rescale, normalise. */
const resizeOnly: Processor = (settings) => ({
  shapings: inTurn([resizing(settings, () => usualSizing(settings, sizeSetting(settings)))]),
  ...values(settings),
});

/** One that can also cut a picture into several: then it is refused. */
const wholeUnless = (key: string, what: string, processor: Processor): Processor => (settings) => {
  if (settings.flag(key)) throw settings.unsupported(what);
  return processor(settings);
};

const clip: Processor = (settings) => {
  // KOSMOS-2's: a square of the size that the class has.
  if (!settings.isStated('use_square_size') || !settings.flag('use_square_size')) return plain(settings);
  return { ...plain(settings), shapings: inTurn([resizing(settings, () => () => ({ width: 224, height: 224 })), cropping(settings), padding(settings)]) };
};

/** Early settings say `rescale` for `do_rescale`. */
const owlVit: Processor = (settings) => {
  const processing = plain(settings);
  return settings.isStated('rescale') ? { ...processing, rescale: settings.flag('rescale') ? settings.number('rescale_factor') : undefined } : processing;
};

const idefics: Processor = (settings) => {
  const side = settings.isStated('image_size') ? settings.divisor('image_size') : undefined;
  return side === undefined ? plain(settings) : { ...plain(settings), shapings: inTurn([resizing(settings, () => () => ({ width: side, height: side })), cropping(settings), padding(settings)]) };
};

/** DETR and its kin: an `int` is the shortest edge, with the longest at most `max_size`. */
const detr = (bySixteens: boolean): Processor => (settings) => {
  const read = sizeSetting(settings, false);
  const size = read.shortest !== undefined && typeof settings.value('size') === 'number' ? { ...read, longest: settings.number('max_size') ?? 1333 } : read;
  const sizing = (): Sizing => (bySixteens && size.shortest !== undefined && size.longest !== undefined ? withinEdgesBySixteens(size.shortest, size.longest) : edgesSizing(settings, size));
  const isPadded = settings.flag(settings.isStated('do_pad') || !settings.isStated('pad_and_return_pixel_mask') ? 'do_pad' : 'pad_and_return_pixel_mask');
  return { shapings: inTurn([resizing(settings, sizing), isPadded ? paddingTo(settings) : undefined]), ...values(settings) };
};

const rtDetr: Processor = (settings) => ({
  shapings: inTurn([resizing(settings, () => edgesSizing(settings, sizeSetting(settings))), padding(settings)]),
  ...values(settings),
});

/** MaskFormer and Mask2Former: both sides grow to multiples. */
const maskFormer: Processor = (settings) => {
  const read = sizeSetting(settings, false);
  const longest = typeof settings.value('size') === 'number' || !settings.isStated('size') ? settings.number('max_size') : undefined;
  const size = longest === undefined ? read : { ...read, longest };
  const divisor = settings.number('size_divisor') === 0 ? undefined : settings.divisor('size_divisor');
  const sizing = (): Sizing => (divisor === undefined ? edgesSizing(settings, size) : upToMultiples(edgesSizing(settings, size), divisor));
  return { shapings: inTurn([resizing(settings, sizing), paddingTo(settings)]), ...values(settings) };
};

/** DPT, Depth Anything: multiples, and the aspect where it is to be kept; padding all around to a multiple. */
const dpt: Processor = (settings) => {
  const multiple = settings.divisor('ensure_multiple_of') ?? 1;
  const keepsAspect = settings.flag('keep_aspect_ratio');
  const divisor = settings.flag('do_pad') ? settings.divisor('size_divisor') : undefined;
  const pad: Step | undefined = divisor === undefined ? undefined : (size) => {
    const margins = marginsAround(size, upToMultiples((same) => same, divisor)(size));
    return margins === undefined ? undefined : { kind: 'pad', margins, fill: 'zero' };
  };
  return { shapings: inTurn([resizing(settings, () => byMultiples(boxOf(settings, sizeSetting(settings)), multiple, keepsAspect)), pad]), ...values(settings) };
};

const glpn: Processor = (settings) => ({ shapings: inTurn([resizing(settings, () => downToMultiples(settings.divisor('size_divisor') ?? 32))]), ...values(settings) });

const vilt: Processor = (settings) => ({
  shapings: inTurn([resizing(settings, () => byDivisor(shortestOf(settings, sizeSetting(settings)), settings.divisor('size_divisor') ?? 32))]),
  ...values(settings),
});

const bridgeTower: Processor = (settings) => {
  const crop = settings.flag('do_center_crop') ? settings.size('crop_size', true)?.shortest : undefined;
  if (settings.flag('do_center_crop') && crop === undefined) throw settings.unsupported('a "crop_size" without the shortest edge');
  const { shapings, ...rest } = vilt(settings);
  return { shapings: (size) => [...shapings(size), ...(crop === undefined ? [] : [{ kind: 'crop', size: { width: crop, height: crop } } as const])], ...rest };
};

/** Janus, DeepSeek-VL: the longest edge, then a square of the mean's colour. */
const longestInSquare: Processor = (settings) => {
  const sizing = (): Sizing => {
    const { width, height } = boxOf(settings, sizeSetting(settings));
    if (width !== height) throw settings.unsupported('a "size" that is no square');
    return toLongestAbove(width, settings.divisor('min_size') ?? 14);
  };
  return { shapings: inTurn([resizing(settings, sizing), settings.flag('do_pad') ? toSquare(meanColour(settings)) : undefined]), ...values(settings) };
};

/** Idefics3, SmolVLM: the longest edge, with an even other, then the square of a tile. */
const idefics3: Processor = (settings) => {
  const sizing = (): Sizing => {
    const { longest } = sizeSetting(settings);
    return longest === undefined ? usualSizing(settings, sizeSetting(settings)) : toLongestEven(longest);
  };
  const tile = settings.size('max_image_size', false)?.longest;
  if (tile === undefined) throw settings.unsupported('a "max_image_size" without the longest edge');
  const resampling = settings.resampling();
  return {
    shapings: inTurn([resizing(settings, sizing), () => ({ kind: 'resize', size: { width: tile, height: tile }, resampling })]),
    ...values(settings),
    ...(settings.flag('do_image_splitting') ? { tiles: byWholeTiles(settings, settings.flag('do_resize') ? sizing() : undefined, tile) } : {}),
  };
};
const idefics3Whole = wholeUnless('do_image_splitting', 'a picture that is cut into several ("do_image_splitting")', idefics3);

/** LLaVA: a square of the mean's colour first. */
const llava: Processor = (settings) => ({
  shapings: inTurn([settings.flag('do_pad') ? toSquare(meanColour(settings)) : undefined, resizing(settings, () => usualSizing(settings, sizeSetting(settings))), cropping(settings)]),
  ...values(settings),
});

const levit: Processor = (settings) => {
  const sizing = (): Sizing => {
    const size = sizeSetting(settings);
    return size.shortest === undefined ? usualSizing(settings, size) : toShortest(Math.trunc((256 / 224) * size.shortest));
  };
  return { shapings: inTurn([resizing(settings, sizing), cropping(settings), padding(settings)]), ...values(settings) };
};

/** ConvNeXT: below 384 pixels a little more, and its middle; from there on a square. */
const convNext: Processor = (settings) => {
  const share = settings.number('crop_pct') ?? NaN;
  const isResized = settings.flag('do_resize');
  const side = isResized ? shortestOf(settings, sizeSetting(settings)) : 0;
  const isCut = isResized && side < 384;
  if (isCut && !(share > 0)) throw settings.unsupported('a "crop_pct" that is no share');
  const sizing: Sizing = isCut ? toShortest(Math.trunc(side / share)) : () => ({ width: side, height: side });
  const middle: Step | undefined = isCut ? () => ({ kind: 'crop', size: { width: side, height: side } }) : undefined;
  return { shapings: inTurn([resizing(settings, () => sizing), middle, cropping(settings)]), ...values(settings) };
};

const poolFormer: Processor = (settings) => {
  const share = settings.number('crop_pct');
  if (share !== undefined && !(share > 0)) throw settings.unsupported('a "crop_pct" that is no share');
  const sizing = (): Sizing => {
    const size = sizeSetting(settings);
    if (share === undefined) return usualSizing(settings, size);
    if (size.shortest !== undefined) return toShortest(Math.trunc(size.shortest / share));
    const { width, height } = boxOf(settings, size);
    if (width === height) return toShortest(Math.trunc(height / share));
    return () => ({ width: Math.trunc(width / share), height: Math.trunc(height / share) });
  };
  return { shapings: inTurn([resizing(settings, sizing), cropping(settings), padding(settings)]), ...values(settings) };
};

/** Perceiver: first the middle, as large a share of the shorter side as the size is of the crop. */
const perceiver: Processor = (settings) => {
  const size = boxOf(settings, sizeSetting(settings));
  const crop = settings.flag('do_center_crop') ? boxOf(settings, settings.size('crop_size', true) ?? {}) : undefined;
  const middle: Step | undefined = crop && (({ width, height }) => {
    const least = Math.min(width, height);
    return { kind: 'crop', size: { width: Math.trunc((size.width / crop.width) * least), height: Math.trunc((size.height / crop.height) * least) } };
  });
  return { shapings: inTurn([middle, resizing(settings, () => () => size)]), ...values(settings) };
};

const efficientNet: Processor = (settings) => {
  const processing = plainUnpadded(settings);
  return { ...processing, ...(settings.flag('rescale_offset') && processing.rescale !== undefined ? { offset: -1 } : {}), ...(settings.flag('include_top') ? { divisors: normalization(settings).deviation } : {}) };
};

/** MobileViT never normalises, whatever its settings say. */
const mobileVit: Processor = (settings) => ({
  shapings: inTurn([resizing(settings, () => usualSizing(settings, sizeSetting(settings))), cropping(settings)]),
  rescale: rescaling(settings),
  normalize: undefined,
  isBgr: settings.flag('do_flip_channel_order'),
});

/** LayoutLMv2: bytes as they are, blue first. */
const layoutLmV2: Processor = (settings) => ({
  shapings: inTurn([resizing(settings, () => usualSizing(settings, sizeSetting(settings)))]),
  rescale: undefined,
  normalize: undefined,
  isBgr: true,
});

const layoutLmV3: Processor = wholeUnless('do_center_crop', '"do_center_crop", which its own library cannot do for it', resizeOnly);

const superPoint: Processor = wholeUnless('do_grayscale', '"do_grayscale"', (settings) => ({
  shapings: inTurn([resizing(settings, () => usualSizing(settings, sizeSetting(settings)))]),
  rescale: rescaling(settings),
  normalize: undefined,
}));

const textNet: Processor = (settings) => ({
  shapings: inTurn([resizing(settings, () => upToMultiples(toShortest(shortestOf(settings, sizeSetting(settings))), settings.divisor('size_divisor') ?? 32)), cropping(settings)]),
  ...values(settings),
});

/** Swin2SR: mirrored right and below, to the next multiple, always beyond its own size. */
const swin2Sr: Processor = (settings) => {
  const divisor = settings.isStated('size_divisor') || !settings.isStated('pad_size') ? (settings.divisor('size_divisor') ?? 8) : settings.divisor('pad_size') ?? 8;
  const next = (side: number): number => (Math.floor(side / divisor) + 1) * divisor;
  const pad: Step | undefined = settings.flag('do_pad') ? (size) => {
    const margins = marginsTo(size, { width: next(size.width), height: next(size.height) });
    return margins && { kind: 'pad', margins, fill: 'symmetric' };
  } : undefined;
  return { shapings: inTurn([pad]), rescale: rescaling(settings), normalize: undefined };
};

const sam: Processor = (settings) => {
  const sizing = (): Sizing => {
    const { longest } = sizeSetting(settings);
    if (longest === undefined) throw settings.unsupported('a "size" without the longest edge');
    return toLongest(longest);
  };
  return { shapings: inTurn([resizing(settings, sizing), cropping(settings), padding(settings)]), ...values(settings) };
};

/** Donut: the shortest edge, then no larger than the page, which is filled with black all around. */
const donut: Processor = wholeUnless('do_align_long_axis', 'a picture that is turned ("do_align_long_axis")', (settings) => {
  const written = settings.value('size');
  const size = settings.size('size', settings.isSquare(), Array.isArray(written) ? [...(written as readonly unknown[])].reverse() : written);
  const page = boxOf(settings, size ?? {});
  const resampling = settings.resampling();
  const thumbnail: Step | undefined = settings.flag('do_thumbnail') ? (from) => {
    const smaller = thumbnailOf(page)(from);
    // Nearest is 0, which counts as not stated there.
    return smaller === from ? undefined : { kind: 'resize', size: smaller, resampling: resampling === 0 ? 3 : resampling };
  } : undefined;
  const pad: Step | undefined = settings.flag('do_pad') ? (from) => {
    const margins = marginsAround(from, page);
    if (margins === undefined) throw settings.unsupported(`padding to ${page.width} × ${page.height} pixels, and this picture is ${from.width} × ${from.height} by then`);
    return { kind: 'pad', margins, fill: [0, 0, 0] };
  } : undefined;
  return { shapings: inTurn([resizing(settings, () => toShortest(Math.min(page.width, page.height))), thumbnail, pad, cropping(settings)]), ...values(settings) };
});

const eomt: Processor = wholeUnless('do_split_image', 'a picture that is cut into several ("do_split_image")', (settings) => {
  const size = sizeSetting(settings);
  const pad: Step | undefined = settings.flag('do_pad') ? (from) => {
    const shortest = shortestOf(settings, size);
    const margins = marginsTo(from, { height: Math.max(from.height, shortest), width: Math.max(from.width, size.longest ?? shortest) });
    return margins && { kind: 'pad', margins, fill: [0, 0, 0] };
  } : undefined;
  return { shapings: inTurn([resizing(settings, () => usualSizing(settings, size)), pad]), ...values(settings) };
});

const pixtral: Processor = (settings) => {
  const sizing = (): Sizing => {
    const size = sizeSetting(settings);
    const most = size.longest === undefined ? boxOf(settings, size) : { width: size.longest, height: size.longest };
    return byPatches(most, boxOf(settings, settings.size('patch_size', true) ?? {}));
  };
  return { shapings: inTurn([resizing(settings, sizing), cropping(settings)]), ...values(settings) };
};

/** Qwen2-VL, Qwen2.5-VL: whole blocks of patches, and a number of pixels within bounds. */
const qwen2Vl: Processor = (settings) => {
  const side = settings.divisor('patch_size') ?? 14;
  const merge = settings.divisor('merge_size') ?? 2;
  const sizing = (): Sizing => {
    const edges = settings.inner('size');
    const [least, most] = [['min_pixels', 'shortest_edge'], ['max_pixels', 'longest_edge']].map(([own, edge]) => (settings.isStated(own) ? settings.number(own) : edges.number(edge)));
    if (!(least !== undefined && most !== undefined && least > 0 && most > 0)) throw settings.unsupported('a "size" without bounds of its pixels');
    const made = byPixels(side * merge, least, most);
    return (size) => {
      if (Math.max(size.width, size.height) > 200 * Math.min(size.width, size.height)) throw settings.unsupported('a picture whose sides differ less');
      return made(size);
    };
  };
  return { shapings: inTurn([resizing(settings, sizing)]), ...values(settings), patches: { side, merge, times: settings.divisor('temporal_patch_size') ?? 2 } };
};

const inFloats = (step: Step | undefined, method: 'corners' | 'gaussian'): Step | undefined => step && ((from) => {
  const shaping = step(from);
  return shaping?.kind === 'resize' ? { kind: 'interpolate', size: shaping.size, method } : shaping;
});

/** ZoeDepth: mirrored all around, then scaled in floats. */
const zoeDepth: Processor = (settings) => {
  const margin = (side: number): number => Math.trunc(Math.sqrt(side / 2) * 3);
  const pad: Step | undefined = settings.flag('do_pad') ? ({ width, height }) => ({ kind: 'pad', margins: { left: margin(width), right: margin(width), top: margin(height), bottom: margin(height) }, fill: 'reflect' }) : undefined;
  const step = resizing(settings, () => {
    // A cubic would leave what bytes can hold.
    if (settings.resampling() !== 2) throw settings.unsupported('a "resample" that is not linear');
    const multiple = settings.number('ensure_multiple_of') ?? 1;
    if (!(multiple > 0)) throw settings.unsupported('an "ensure_multiple_of" that is not positive');
    return byMultiples(boxOf(settings, sizeSetting(settings)), multiple, settings.flag('keep_aspect_ratio'));
  });
  return { shapings: inTurn([pad, inFloats(step, 'corners')]), ...values(settings) };
};

/** OWLv2: filled up to a square, right and below, then blurred and scaled in floats. */
const owlV2: Processor = (settings) => {
  const square: Step | undefined = settings.flag('do_pad') ? (from) => {
    const side = Math.max(from.width, from.height);
    const margins = marginsTo(from, { width: side, height: side });
    return margins && { kind: 'pad', margins, fill: [0, 0, 0] };
  } : undefined;
  const rescale = settings.isStated('rescale') ? (settings.flag('rescale') ? settings.number('rescale_factor') : undefined) : rescaling(settings);
  // The library takes the number of the filter for whether to blur: 0 would not.
  if (settings.flag('do_resize') && settings.resampling() === 0) throw settings.unsupported('a "resample" that is not linear');
  // Bytes would be cut, not rounded, after each of its steps.
  if (rescale === undefined) throw settings.unsupported('scaling in floats without "do_rescale"');
  return { shapings: inTurn([square, inFloats(resizing(settings, () => () => boxOf(settings, sizeSetting(settings))), 'gaussian')]), rescale, normalize: values(settings).normalize };
};

/** DINOv3, which torchvision alone scales, in floats: linearly it is the same within a step of 8 bits. */
const dinoV3: Processor = (settings) => {
  if (settings.flag('do_center_crop')) throw settings.unsupported('"do_center_crop", which torchvision alone does for it');
  if (settings.flag('do_resize') && settings.resampling() !== 2) throw settings.unsupported('a "resample" that is not linear');
  return resizeOnly(settings);
};

/** Filters by the names that timm has for them. */
const timmFilters: Readonly<Record<string, Resampling>> = { nearest: 0, lanczos: 1, bilinear: 2, bicubic: 3, box: 4, hamming: 5 };

/** A size that keeps the aspect, by the ratio of one of the sides to that of a box. */
const keepingAspect = (box: PixelSize, choose: (...ratios: number[]) => number): Sizing => (from) => {
  const ratio = choose(from.height / box.height, from.width / box.width);
  return { width: roundHalfEven(from.width / ratio), height: roundHalfEven(from.height / ratio) };
};

/** What timm's modes of cutting scale a picture to first, by the box that the cut is a share of. */
const timmSizings: Readonly<Record<string, (box: PixelSize) => Sizing>> = {
  center: (box) => (box.width === box.height ? toShortest(box.width) : keepingAspect(box, Math.min)),
  squash: (box) => () => box,
  border: (box) => keepingAspect(box, Math.max),
};

const named = <T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined => (typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined);

/** A model of timm: what its `create_transform` makes of its `pretrained_cfg`. */
const timm: Processor = (settings) => {
  const cfg = settings.inner('pretrained_cfg');
  const size = cfg.value('input_size') ?? [3, 224, 224];
  const [, height, width] = Array.isArray(size) ? (size as readonly unknown[]) : [];
  const box = boxOf(settings, settings.size('input_size', true, [height, width]) ?? {});
  const resampling = named(timmFilters, cfg.value('interpolation') || 'bicubic');
  if (resampling === undefined) throw settings.unsupported('an "interpolation" that is not known');
  const share = cfg.number('crop_pct') || 0.875;
  const mode = cfg.value('crop_mode') || 'center';
  const scaledBox = { width: Math.floor(box.width / share), height: Math.floor(box.height / share) };
  const sizing = named(timmSizings, mode)?.(scaledBox);
  if (!(share > 0) || sizing === undefined) throw settings.unsupported('a "crop_pct" or "crop_mode" that is not known');
  const isLinear = mode === 'center' && scaledBox.width !== scaledBox.height;
  const scale: Step = (from) => ({ kind: 'resize', size: sizing(from), resampling: isLinear ? 2 : resampling });
  const usualMean = [0.485, 0.456, 0.406];
  const mean = cfg.isStated('mean') ? cfg.channels('mean') : usualMean;
  const deviation = cfg.isStated('std') ? cfg.channels('std') : [0.229, 0.224, 0.225];
  if (deviation.includes(0)) throw settings.unsupported('a "std" of zero');
  const [red, green = red, blue = red] = mean.map((each) => Math.min(255, Math.max(0, roundHalfEven(255 * each))));
  const crop: Step = () => ({ kind: 'crop', size: box, isRounded: true });
  const fill: Step = (from) => {
    const target = { width: Math.max(from.width, box.width), height: Math.max(from.height, box.height) };
    const margins = marginsAround(from, target);
    return margins && (target.width > from.width || target.height > from.height) ? { kind: 'pad', margins, fill: [red, green, blue] } : undefined;
  };
  return { shapings: inTurn([scale, mode === 'border' ? fill : undefined, crop]), rescale: 1 / 255, normalize: { mean, deviation } };
};

/** The image processors of `transformers` that are known, by their classes: what each does to one picture. All others are refused. */
export const processors: Readonly<Record<string, Processor>> = {
  BeitImageProcessor: plainUnpadded,
  BitImageProcessor: plain,
  BlipImageProcessor: plain,
  BridgeTowerImageProcessor: bridgeTower,
  CLIPImageProcessor: clip,
  ChameleonImageProcessor: plain,
  ChineseCLIPImageProcessor: plain,
  ConditionalDetrImageProcessor: detr(false),
  ConvNextImageProcessor: convNext,
  DINOv3ViTImageProcessor: dinoV3,
  DPTImageProcessor: dpt,
  DeepseekVLImageProcessor: longestInSquare,
  DeformableDetrImageProcessor: detr(false),
  DeiTImageProcessor: plain,
  DetrImageProcessor: detr(false),
  DonutImageProcessor: donut,
  EfficientNetImageProcessor: efficientNet,
  EomtImageProcessor: eomt,
  FlavaImageProcessor: plainUnpadded,
  GLPNImageProcessor: glpn,
  Gemma3ImageProcessor: wholeUnless('do_pan_and_scan', 'a picture that is cut into several ("do_pan_and_scan")', resizeOnly),
  GotOcr2ImageProcessor: wholeUnless('crop_to_patches', 'a picture that is cut into several ("crop_to_patches")', resizeOnly),
  GroundingDinoImageProcessor: detr(false),
  Idefics3ImageProcessor: idefics3Whole,
  IdeficsImageProcessor: idefics,
  JanusImageProcessor: longestInSquare,
  LayoutLMv2ImageProcessor: layoutLmV2,
  LayoutLMv3ImageProcessor: layoutLmV3,
  LevitImageProcessor: levit,
  LlavaImageProcessor: llava,
  Mask2FormerImageProcessor: maskFormer,
  MaskFormerImageProcessor: maskFormer,
  MobileNetV1ImageProcessor: plain,
  MobileNetV2ImageProcessor: plainUnpadded,
  MobileViTImageProcessor: mobileVit,
  OneFormerImageProcessor: resizeOnly,
  Ovis2ImageProcessor: wholeUnless('crop_to_patches', 'a picture that is cut into several ("crop_to_patches")', plainUnpadded),
  OwlViTImageProcessor: owlVit,
  Owlv2ImageProcessor: owlV2,
  PPChart2TableImageProcessor: plain,
  PerceiverImageProcessor: perceiver,
  PixtralImageProcessor: pixtral,
  PoolFormerImageProcessor: poolFormer,
  PromptDepthAnythingImageProcessor: dpt,
  PvtImageProcessor: plain,
  RTDetrImageProcessor: rtDetr,
  SamImageProcessor: sam,
  SegGptImageProcessor: resizeOnly,
  SegformerImageProcessor: resizeOnly,
  SiglipImageProcessor: plain,
  SmolVLMImageProcessor: idefics3Whole,
  SuperPointImageProcessor: superPoint,
  Swin2SRImageProcessor: swin2Sr,
  TextNetImageProcessor: textNet,
  TimmWrapperImageProcessor: timm,
  ViTImageProcessor: plain,
  ViltImageProcessor: vilt,
  YolosImageProcessor: detr(true),
  ZoeDepthImageProcessor: zoeDepth,
};

/** Those that make a table of patches, for models that take one. */
export const patchProcessors: Readonly<Record<string, Processor>> = {
  Qwen2VLImageProcessor: qwen2Vl,
};

/** Those that cut a picture into tiles, for models that read these one after the other. */
export const tileProcessors: Readonly<Record<string, Processor>> = {
  GotOcr2ImageProcessor: (settings) => {
    if (!settings.flag('crop_to_patches')) return resizeOnly(settings);
    // Tiles are scaled whatever "do_resize" says.
    const whole = { kind: 'resize', size: boxOf(settings, sizeSetting(settings)), resampling: settings.resampling() } as const;
    return { shapings: () => [whole], ...values(settings), tiles: byAspect(settings) };
  },
  Idefics3ImageProcessor: idefics3,
  SmolVLMImageProcessor: idefics3,
};
