import type { PixelSize, Raster } from './raster';

/** What one place of a result is made of: source places and their weights. */
type Taps = readonly (readonly [place: number, weight: number])[];

/** A picture scaled in floats and then rounded to bytes: within half a step of 8 bits of what libraries that keep the floats have. */
export function interpolate(raster: Raster, size: PixelSize, method: 'corners' | 'gaussian'): Raster {
  const tapsOf = method === 'corners' ? cornerTaps : gaussianTaps;
  const columns = tapsOf(raster.width, size.width);
  const rows = tapsOf(raster.height, size.height);
  const stride = size.width * 3;
  const lines = new Float32Array(stride * raster.height);
  for (let y = 0; y < raster.height; y++) {
    columns.forEach((taps, x) => {
      for (const [place, weight] of taps) {
        const at = (y * raster.width + place) * 4;
        for (let channel = 0; channel < 3; channel++)
          lines[y * stride + x * 3 + channel] += raster.pixels[at + channel] * weight;
      }
    });
  }
  const pixels = new Uint8Array(size.width * size.height * 4).fill(255);
  const sums = new Float64Array(stride);
  rows.forEach((taps, y) => {
    sums.fill(0);
    for (const [place, weight] of taps) for (let i = 0; i < stride; i++) sums[i] += lines[place * stride + i] * weight;
    for (let x = 0; x < size.width; x++)
      for (let channel = 0; channel < 3; channel++)
        pixels[(y * size.width + x) * 4 + channel] = Math.min(255, Math.max(0, Math.round(sums[x * 3 + channel])));
  });
  return { width: size.width, height: size.height, pixels };
}

/** The first place to the first, the last to the last, linearly between (torch, `align_corners`). */
function cornerTaps(from: number, to: number): Taps[] {
  const step = to > 1 ? (from - 1) / (to - 1) : 0;
  return Array.from({ length: to }, (_, i) => {
    const place = Math.min(from - 1, Math.floor(i * step));
    const share = i * step - place;
    return share > 0 && place + 1 < from
      ? [
          [place, 1 - share],
          [place + 1, share],
        ]
      : [[place, 1]];
  });
}

/** A Gaussian whose deviation is half of what the scale is above 1, then linearly, mirrored at the ends (SciPy, `gaussian_filter` and `zoom`). */
function gaussianTaps(from: number, to: number): Taps[] {
  const deviation = Math.max(0, (from / to - 1) / 2);
  const radius = Math.trunc(4 * deviation + 0.5);
  const bell = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    deviation === 0 ? 1 : Math.exp((-0.5 * (i - radius) ** 2) / deviation ** 2),
  );
  const sum = bell.reduce((total, weight) => total + weight, 0);
  const period = Math.max(1, 2 * (from - 1));
  const mirrored = (place: number): number => {
    const at = ((place % period) + period) % period;
    return at < from ? at : period - at;
  };
  return Array.from({ length: to }, (_, i) => {
    const centre = ((i + 0.5) * from) / to - 0.5;
    const place = Math.floor(centre);
    const weights = new Map<number, number>();
    for (const [near, share] of [
      [place, 1 - (centre - place)],
      [place + 1, centre - place],
    ] as const) {
      bell.forEach((weight, k) => {
        const at = mirrored(mirrored(near) + k - radius);
        weights.set(at, (weights.get(at) ?? 0) + (share * weight) / sum);
      });
    }
    return [...weights];
  });
}
