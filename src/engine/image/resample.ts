import type { Raster } from './raster';

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
  5: { support: 1, weight: (x) => (Math.abs(x) >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x))) }, // Hamming
};

/** Keys' cubic with a = −0.5. */
function cubic(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** Bits after the point of the coefficients (Pillow, `Resample.c`). */
const precision = 22;

/** For each place of the result: which source places it is made of, and their weights as fixed-point numbers. */
interface Coefficients {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly size: number;
  readonly weights: Int32Array;
}

/** Pillow's `precompute_coeffs` with its rounding to fixed point. */
function coefficients(from: number, to: number, { support: unit, weight }: Filter): Coefficients {
  const scale = from / to;
  const filterScale = Math.max(1, scale);
  const support = unit * filterScale;
  const size = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * size);
  const row = new Float64Array(size);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
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

/** One pass over rows of `length` places, `stride` bytes apart; lines of the result lie as those of the source. */
function pass(source: Uint8Array, target: Uint8Array, { first, count, size, weights }: Coefficients, lines: number, place: (line: number, index: number, isTarget: boolean) => number): void {
  const half = 2 ** (precision - 1);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < first.length; i++) {
      let [r, g, b] = [half, half, half];
      for (let k = 0; k < count[i]; k++) {
        const at = place(line, first[i] + k, false);
        const weight = weights[i * size + k];
        r += source[at] * weight;
        g += source[at + 1] * weight;
        b += source[at + 2] * weight;
      }
      const to = place(line, i, true);
      target[to] = clip(r >> precision);
      target[to + 1] = clip(g >> precision);
      target[to + 2] = clip(b >> precision);
      target[to + 3] = 255;
    }
  }
}

function clip(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Resizes an opaque picture as Pillow's `Image.resize` does for RGB, to the bit: first along rows, then along columns. */
export function resize(raster: Raster, width: number, height: number, resampling: Resampling): Raster {
  if (width === raster.width && height === raster.height) return raster;
  if (resampling === 0) return resizeNearest(raster, width, height);
  const filter = filters[resampling];
  let { pixels } = raster;
  if (width !== raster.width) {
    const wide = new Uint8Array(width * raster.height * 4);
    pass(pixels, wide, coefficients(raster.width, width, filter), raster.height, (line, i, isTarget) => (line * (isTarget ? width : raster.width) + i) * 4);
    pixels = wide;
  }
  if (height !== raster.height) {
    const high = new Uint8Array(width * height * 4);
    pass(pixels, high, coefficients(raster.height, height, filter), width, (line, i) => (i * width + line) * 4);
    pixels = high;
  }
  return { width, height, pixels };
}

/** Pillow's `ImagingScaleAffine`, with its running sum of source places. */
function resizeNearest(raster: Raster, width: number, height: number): Raster {
  const places = (from: number, to: number): Int32Array => {
    const step = from / to;
    let at = step * 0.5;
    return Int32Array.from({ length: to }, () => {
      const place = Math.min(from - 1, Math.floor(at));
      at += step;
      return place;
    });
  };
  const columns = places(raster.width, width);
  const rows = places(raster.height, height);
  const from = new Uint32Array(raster.pixels.buffer, raster.pixels.byteOffset, raster.width * raster.height);
  const to = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) to[y * width + x] = from[rows[y] * raster.width + columns[x]];
  return { width, height, pixels: new Uint8Array(to.buffer) };
}
