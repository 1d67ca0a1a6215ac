import type { PixelSize, Raster, Region } from './raster';

/** PIL's numbers of its filters (`Image.Resampling`), as preprocessor_config.json gives them. */
export type Resampling = 0 | 1 | 2 | 3 | 4 | 5;

interface Filter {
  readonly support: number;
  weight(x: number): number;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

const filters: Readonly<Record<Exclude<Resampling, 0>, Filter>> = {
  1: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) }, // Lanczos
  2: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) }, // bilinear
  3: { support: 2, weight: (x) => cubic(Math.abs(x)) }, // bicubic
  4: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) }, // box
  5: {
    support: 1,
    weight: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(Math.PI * x))),
  }, // Hamming, whose constants Pillow has in single precision
};

/** Keys' cubic with a = −0.5. */
function cubic(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** Bits after the point of the coefficients (Pillow, `Resample.c`). */
const precision = 22;
const half = 2 ** (precision - 1);

/** Pixels of lines half-way through at most: those of the new width and the old height. */
export const maxLinePixels = 2 ** 26;

/** For each place of the result: which source places it is made of, and their weights as fixed-point numbers. */
interface Coefficients {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly size: number;
  readonly weights: Int32Array;
}

/** One side of a picture that is scaled, and the part of the result that is wanted. */
interface Side {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly length: number;
}

/** Pillow's `precompute_coeffs` with its rounding to fixed point, for a part of the places. */
function coefficients(
  { from, to, start: begin, length: places }: Side,
  { support: unit, weight }: Filter,
): Coefficients {
  const scale = from / to;
  const filterScale = Math.max(1, scale);
  const support = unit * filterScale;
  const size = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(places);
  const count = new Int32Array(places);
  const weights = new Int32Array(places * size);
  const row = new Float64Array(size);
  for (let i = 0; i < places; i++) {
    const centre = (begin + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const length = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < length; k++) {
      row[k] = weight((k + start - centre + 0.5) / filterScale);
      sum += row[k];
    }
    first[i] = start;
    count[i] = length;
    for (let k = 0; k < length; k++) {
      const share = (sum === 0 ? row[k] : row[k] / sum) * 2 ** precision;
      weights[i * size + k] = Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    }
  }
  return { first, count, size, weights };
}

function clip(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** A row of the source along which nothing changes but that a part is taken, as three bytes a pixel. */
function takeLine({ width, pixels }: Raster, y: number, left: number, line: Uint8Array): void {
  for (let to = 0, at = (y * width + left) * 4; to < line.length; to += 3, at += 4) {
    line[to] = pixels[at];
    line[to + 1] = pixels[at + 1];
    line[to + 2] = pixels[at + 2];
  }
}

/** A row of the source scaled along itself, as three bytes a pixel. */
function scaleLine(
  { width, pixels }: Raster,
  y: number,
  { first, count, size, weights }: Coefficients,
  line: Uint8Array,
): void {
  const row = y * width;
  for (let i = 0; i < first.length; i++) {
    let r = half;
    let g = half;
    let b = half;
    let at = (row + first[i]) * 4;
    const end = i * size + count[i];
    for (let k = i * size; k < end; k++, at += 4) {
      const weight = weights[k];
      r = (r + pixels[at] * weight) | 0;
      g = (g + pixels[at + 1] * weight) | 0;
      b = (b + pixels[at + 2] * weight) | 0;
    }
    line[i * 3] = clip(r >> precision);
    line[i * 3 + 1] = clip(g >> precision);
    line[i * 3 + 2] = clip(b >> precision);
  }
}

/**
 * A part of what Pillow's `Image.resize` makes of an opaque picture as RGB, to the bit: first along rows, then along columns. Of the
 * rows only those are made that the part needs, and only so many are held as one of its rows is made of.
 */
export function resize(raster: Raster, size: PixelSize, part: Region, resampling: Resampling): Raster {
  const across: Side = { from: raster.width, to: size.width, start: part.left, length: part.width };
  const down: Side = { from: raster.height, to: size.height, start: part.top, length: part.height };
  if (resampling === 0) return resizeNearest(raster, across, down);
  const filter = filters[resampling];
  const columns = across.from === across.to ? undefined : coefficients(across, filter);
  const rows = down.from === down.to ? unchanged(down) : coefficients(down, filter);
  const stride = part.width * 3;
  const numHeld = rows.count.reduce((most, count) => Math.max(most, count), 1);
  const held = new Uint8Array(numHeld * stride);
  const sums = new Int32Array(stride);
  const pixels = new Uint8Array(part.width * part.height * 4).fill(255);
  let next = 0;
  for (let y = 0; y < part.height; y++) {
    const [first, count] = [rows.first[y], rows.count[y]];
    for (next = Math.max(next, first); next < first + count; next++) {
      const at = (next % numHeld) * stride;
      const line = held.subarray(at, at + stride);
      if (columns === undefined) takeLine(raster, next, part.left, line);
      else scaleLine(raster, next, columns, line);
    }
    sums.fill(half);
    for (let k = 0; k < count; k++) {
      const [weight, at] = [rows.weights[y * rows.size + k], ((first + k) % numHeld) * stride];
      for (let x = 0; x < stride; x++) sums[x] += held[at + x] * weight;
    }
    for (let x = 0, to = y * part.width * 4; x < stride; x += 3, to += 4) {
      pixels[to] = clip(sums[x] >> precision);
      pixels[to + 1] = clip(sums[x + 1] >> precision);
      pixels[to + 2] = clip(sums[x + 2] >> precision);
    }
  }
  return { width: part.width, height: part.height, pixels };
}

/** Rows of the source that a part of the result is made of, from the first to the last. */
export function rowsNeeded(height: number, size: PixelSize, part: Region, resampling: Resampling): number {
  const scale = height / size.height;
  const support = resampling === 0 || scale === 1 ? 1 : filters[resampling].support * Math.max(1, scale) + 1;
  return Math.min(height, Math.ceil(part.height * scale + 2 * support));
}

/** What gives each row itself. */
function unchanged({ start, length }: Side): Coefficients {
  return {
    first: Int32Array.from({ length }, (_, i) => start + i),
    count: new Int32Array(length).fill(1),
    size: 1,
    weights: new Int32Array(length).fill(2 ** precision),
  };
}

/** Pillow's `ImagingScaleAffine`, with its running sum of source places. */
function resizeNearest(raster: Raster, across: Side, down: Side): Raster {
  const places = ({ from, to, start, length }: Side): Int32Array => {
    if (from === to) return Int32Array.from({ length }, (_, i) => start + i);
    const step = from / to;
    let at = step * 0.5;
    for (let i = 0; i < start; i++) at += step;
    return Int32Array.from({ length }, () => {
      const place = Math.min(from - 1, Math.floor(at));
      at += step;
      return place;
    });
  };
  const [columns, rows] = [places(across), places(down)];
  const [width, height] = [columns.length, rows.length];
  const from = new Uint32Array(raster.pixels.buffer, raster.pixels.byteOffset, raster.width * raster.height);
  const to = new Uint32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) to[y * width + x] = from[rows[y] * raster.width + columns[x]];
  return { width, height, pixels: new Uint8Array(to.buffer) };
}
