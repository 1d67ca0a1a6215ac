import type { PixelSize } from './raster';

/** The size that a picture of a size is brought to. */
export type Sizing = (size: PixelSize) => PixelSize;

/** What a `size`, `crop_size` or `pad_size` of an image processor says. */
export interface SizeSetting {
  readonly height?: number | undefined;
  readonly width?: number | undefined;
  readonly shortest?: number | undefined;
  readonly longest?: number | undefined;
  readonly maxHeight?: number | undefined;
  readonly maxWidth?: number | undefined;
}

/** Python's `round`: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** The shortest edge as asked for, the other in proportion (`get_resize_output_image_size`). */
export function toShortest(shortest: number): Sizing {
  return ({ width, height }) => {
    const other = Math.trunc((shortest * Math.max(width, height)) / Math.min(width, height));
    return width <= height ? { width: shortest, height: other } : { width: other, height: shortest };
  };
}

/** The shortest edge as asked for, unless the longest would be longer than its own bound (`get_size_with_aspect_ratio`). */
export function withinEdges(shortest: number, longest: number): Sizing {
  return ({ width, height }) => {
    const [short, long] = [Math.min(width, height), Math.max(width, height)];
    const raw = (long / short) * shortest > longest ? (longest * short) / long : undefined;
    const edge = raw === undefined ? shortest : roundHalfEven(raw);
    if (short === edge) return { width, height };
    const other = Math.trunc(((raw ?? edge) * long) / short);
    return width < height ? { width: edge, height: other } : { width: other, height: edge };
  };
}

/** The same, both sides cut down to multiples of 16; of an upright picture the height is always computed (YOLOS). */
export function withinEdgesBySixteens(shortest: number, longest: number): Sizing {
  const within = withinEdges(shortest, longest);
  return (size) => {
    const { width, height: usual } = within(size);
    let height = usual;
    if (size.width < size.height) {
      const raw = (size.height / size.width) * shortest > longest ? (longest * size.width) / size.height : shortest;
      height = Math.trunc((raw * size.height) / size.width);
    }
    return { width: width - (width % 16), height: height - (height % 16) };
  };
}

/** As large as a box allows, in proportion (`get_image_size_for_max_height_width`). */
export function withinBox(maxHeight: number, maxWidth: number): Sizing {
  return ({ width, height }) => {
    const scale = Math.min(maxHeight / height, maxWidth / width);
    return { width: Math.trunc(width * scale), height: Math.trunc(height * scale) };
  };
}

/** The longest edge as asked for, the other in proportion, rounded (SAM). */
export function toLongest(longest: number): Sizing {
  return ({ width, height }) => {
    const scale = longest / Math.max(width, height);
    return { width: Math.trunc(width * scale + 0.5), height: Math.trunc(height * scale + 0.5) };
  };
}

/** Sides that Idefics3's processor makes at most. */
const mostOfIdefics3 = 4096;

/** The longest edge as asked for, the other in proportion, cut to a whole number and made even; then no side above a bound (Idefics3, SmolVLM). */
export function toLongestEven(longest: number): Sizing {
  const within = ({ width, height }: PixelSize, most: number): PixelSize => {
    const aspect = width / height;
    return width >= height
      ? { width: most, height: Math.trunc(most / aspect) }
      : { width: Math.trunc(most * aspect), height: most };
  };
  const even = (side: number): number => Math.max(1, side + (side % 2));
  return (size) => {
    const scaled = within(size, longest);
    const made =
      size.width >= size.height ? { ...scaled, height: even(scaled.height) } : { ...scaled, width: even(scaled.width) };
    if (Math.max(made.width, made.height) <= mostOfIdefics3) return made;
    const bounded = within(made, mostOfIdefics3);
    return { width: Math.max(1, bounded.width), height: Math.max(1, bounded.height) };
  };
}

/** The longest edge as asked for, the other in proportion but never below a bound (Janus, DeepSeek-VL). */
export function toLongestAbove(longest: number, least: number): Sizing {
  return ({ width, height }) => {
    const scale = longest / Math.max(width, height);
    return {
      width: Math.max(roundHalfEven(width * scale), least),
      height: Math.max(roundHalfEven(height * scale), least),
    };
  };
}

/** The shortest edge as asked for, the longest at most 1333 / 800 of it, both sides cut down to multiples (ViLT, BridgeTower). */
export function byDivisor(shortest: number, divisor: number): Sizing {
  const longest = Math.trunc((1333 / 800) * shortest);
  return (size) => {
    const scale = shortest / Math.min(size.width, size.height);
    let [width, height] = size.height < size.width ? [scale * size.width, shortest] : [shortest, scale * size.height];
    if (Math.max(height, width) > longest) {
      const back = longest / Math.max(height, width);
      [width, height] = [back * width, back * height];
    }
    [width, height] = [Math.trunc(width + 0.5), Math.trunc(height + 0.5)];
    return { width: Math.floor(width / divisor) * divisor, height: Math.floor(height / divisor) * divisor };
  };
}

/** A size of multiples, in proportion where that is asked for: scaled as little as possible (DPT, Depth Anything, ZoeDepth). */
export function byMultiples(target: PixelSize, multiple: number, keepsAspect: boolean): Sizing {
  const side = (length: number): number => roundHalfEven(length / multiple) * multiple;
  return ({ width, height }) => {
    let [across, down] = [target.width / width, target.height / height];
    if (keepsAspect) {
      if (Math.abs(1 - across) < Math.abs(1 - down)) down = across;
      else across = down;
    }
    return { width: Math.trunc(side(across * width)), height: Math.trunc(side(down * height)) };
  };
}

/** The picture's own size, or another's, each side cut down to a multiple (GLPN). */
export function downToMultiples(multiple: number): Sizing {
  return ({ width, height }) => ({
    width: Math.floor(width / multiple) * multiple,
    height: Math.floor(height / multiple) * multiple,
  });
}

/** What a sizing gives, each side grown to a multiple (Mask2Former, MaskFormer, TextNet). */
export function upToMultiples(sizing: Sizing, multiple: number): Sizing {
  return (size) => {
    const { width, height } = sizing(size);
    return { width: Math.ceil(width / multiple) * multiple, height: Math.ceil(height / multiple) * multiple };
  };
}

/** Never beyond a size: the longer side as long as it allows, the other in proportion (Donut's thumbnail). */
export function thumbnailOf(target: PixelSize): Sizing {
  return (size) => {
    const [width, height] = [Math.min(size.width, target.width), Math.min(size.height, target.height)];
    if (width === size.width && height === size.height) return size;
    if (size.height > size.width) return { width: Math.trunc((size.width * height) / size.height), height };
    if (size.width > size.height) return { width, height: Math.trunc((size.height * width) / size.width) };
    return { width, height };
  };
}

/** At most as large as a size, in proportion, both sides grown to whole patches (Pixtral). */
export function byPatches(target: PixelSize, patch: PixelSize): Sizing {
  return (size) => {
    const ratio = Math.max(size.height / target.height, size.width / target.width);
    const [width, height] =
      ratio > 1 ? [Math.floor(size.width / ratio), Math.floor(size.height / ratio)] : [size.width, size.height];
    const grown = (side: number, by: number): number => (Math.floor((side - 1) / by) + 1) * by;
    return { width: grown(width, patch.width), height: grown(height, patch.height) };
  };
}

/** Both sides rounded to multiples; where these have too many pixels or too few, scaled first and rounded down or up (`smart_resize`). */
export function byPixels(multiple: number, least: number, most: number): Sizing {
  const times = (side: number, round: (value: number) => number): number => round(side / multiple) * multiple;
  return ({ width, height }) => {
    const rounded = { width: times(width, roundHalfEven), height: times(height, roundHalfEven) };
    const pixels = rounded.width * rounded.height;
    if (pixels > most) {
      const scale = Math.sqrt((width * height) / most);
      const down = (side: number): number => Math.max(multiple, times(side / scale, Math.floor));
      return { width: down(width), height: down(height) };
    }
    if (pixels >= least) return rounded;
    const scale = Math.sqrt(least / (width * height));
    return { width: times(width * scale, Math.ceil), height: times(height * scale, Math.ceil) };
  };
}
