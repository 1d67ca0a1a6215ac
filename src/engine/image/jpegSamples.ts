import type { JpegComponent, JpegCoefficients } from './jpegCoefficients';

/** Where the coefficients of a block stand, in the order in which they come. */
const zigzag = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
];

/** A plane of samples, one byte each. */
interface Plane {
  readonly width: number;
  readonly height: number;
  /** From a row to the next. */
  readonly stride: number;
  readonly samples: Uint8Array;
}

/** The samples of a colour over the whole picture, to the bit as libjpeg makes them. */
export function samplesOf({ width, height, components }: JpegCoefficients, component: JpegComponent): Plane {
  const maxHorizontal = Math.max(...components.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...components.map(({ vertical }) => vertical));
  const stored = inverse(component, {
    width: Math.ceil((width * component.horizontal) / maxHorizontal),
    height: Math.ceil((height * component.vertical) / maxVertical),
  });
  const [across, down] = [maxHorizontal / component.horizontal, maxVertical / component.vertical];
  if (!Number.isInteger(across) || !Number.isInteger(down))
    throw new Error('its colours are sampled in a way that is not read');
  if (across === 2 && stored.width > 2 && down === 2) return twiceBoth(stored, width, height);
  if (across === 2 && stored.width > 2 && down === 1) return twiceAcross(stored, width, height);
  if (across === 1 && down === 2) return twiceDown(stored, width, height);
  return repeated(stored, { across, down, width, height });
}

/** libjpeg's exact inverse DCT in whole numbers (`jidctint.c`), with its constants of 13 bits. */
function inverse(
  { coefficients, quantization, numColumns, numRows }: JpegComponent,
  { width, height }: { readonly width: number; readonly height: number },
): Plane {
  const stride = numColumns * 8;
  const samples = new Uint8Array(stride * numRows * 8);
  const block = new Int32Array(64);
  for (let row = 0; row < numRows; row++) {
    for (let column = 0; column < numColumns; column++) {
      const from = (row * numColumns + column) * 64;
      for (let i = 0; i < 64; i++) block[zigzag[i]] = coefficients[from + i] * quantization[i];
      for (let x = 0; x < 8; x++) pass(block, x, 8, 11);
      for (let y = 0; y < 8; y++) pass(block, y * 8, 1, 18);
      for (let i = 0; i < 64; i++) {
        const value = block[i] + 128;
        samples[(row * 8 + (i >> 3)) * stride + column * 8 + (i & 7)] = value < 0 ? 0 : value > 255 ? 255 : value;
      }
    }
  }
  return { width, height, stride, samples };
}

/** One row or column of eight, in place. */
function pass(block: Int32Array, at: number, step: number, shift: number): void {
  const round = 1 << (shift - 1);
  const [i1, i2, i3, i4, i5, i6, i7] = [
    at + step,
    at + 2 * step,
    at + 3 * step,
    at + 4 * step,
    at + 5 * step,
    at + 6 * step,
    at + 7 * step,
  ];
  const z1 = Math.imul(block[i2] + block[i6], 4433);
  const t2 = z1 + Math.imul(block[i6], -15137);
  const t3 = z1 + Math.imul(block[i2], 6270);
  const t0 = (block[at] + block[i4]) << 13;
  const t1 = (block[at] - block[i4]) << 13;
  const z5 = Math.imul(block[i7] + block[i3] + block[i5] + block[i1], 9633);
  const w1 = Math.imul(block[i7] + block[i1], -7373);
  const w2 = Math.imul(block[i5] + block[i3], -20995);
  const w3 = Math.imul(block[i7] + block[i3], -16069) + z5;
  const w4 = Math.imul(block[i5] + block[i1], -3196) + z5;
  const o0 = Math.imul(block[i7], 2446) + w1 + w3;
  const o1 = Math.imul(block[i5], 16819) + w2 + w4;
  const o2 = Math.imul(block[i3], 25172) + w2 + w3;
  const o3 = Math.imul(block[i1], 12299) + w1 + w4;
  block[at] = (t0 + t3 + o3 + round) >> shift;
  block[i7] = (t0 + t3 - o3 + round) >> shift;
  block[i1] = (t1 + t2 + o2 + round) >> shift;
  block[i6] = (t1 + t2 - o2 + round) >> shift;
  block[i2] = (t1 - t2 + o1 + round) >> shift;
  block[i5] = (t1 - t2 - o1 + round) >> shift;
  block[i3] = (t0 - t3 + o0 + round) >> shift;
  block[i4] = (t0 - t3 - o0 + round) >> shift;
}

/** Each sample as often as it stands for pixels (`int_upsample`). */
function repeated(
  { stride, samples }: Plane,
  {
    across,
    down,
    width,
    height,
  }: { readonly across: number; readonly down: number; readonly width: number; readonly height: number },
): Plane {
  const made = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      made[y * width + x] = samples[Math.floor(y / down) * stride + Math.floor(x / across)];
  return { width, height, stride: width, samples: made };
}

/** Three parts of the nearer sample and one of the other (`h2v1_fancy_upsample`). */
function twiceAcross({ width: stored, stride, samples }: Plane, width: number, height: number): Plane {
  const made = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = y * stride;
    for (let x = 0; x < width; x++) {
      const at = x >> 1;
      const other = x % 2 === 0 ? at - 1 : at + 1;
      made[y * width + x] =
        other < 0 || other >= stored
          ? samples[row + at]
          : (3 * samples[row + at] + samples[row + other] + (x % 2 === 0 ? 1 : 2)) >> 2;
    }
  }
  return { width, height, stride: width, samples: made };
}

/** The same from row to row (`h1v2_fancy_upsample`). */
function twiceDown({ height: stored, stride, samples }: Plane, width: number, height: number): Plane {
  const made = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const near = (y >> 1) * stride;
    const far = neighbour(y, stored) * stride;
    for (let x = 0; x < width; x++)
      made[y * width + x] = (3 * samples[near + x] + samples[far + x] + (y % 2 === 0 ? 1 : 2)) >> 2;
  }
  return { width, height, stride: width, samples: made };
}

/** The same in both directions at once (`h2v2_fancy_upsample`). */
function twiceBoth(
  { width: storedWidth, height: storedHeight, stride, samples }: Plane,
  width: number,
  height: number,
): Plane {
  const made = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const near = (y >> 1) * stride;
    const far = neighbour(y, storedHeight) * stride;
    const sum = (x: number): number => 3 * samples[near + x] + samples[far + x];
    for (let x = 0; x < width; x++) {
      const at = x >> 1;
      const other = x % 2 === 0 ? at - 1 : at + 1;
      const rounding = x % 2 === 0 ? 8 : 7;
      made[y * width + x] =
        (other < 0 || other >= storedWidth ? 4 * sum(at) + rounding : 3 * sum(at) + sum(other) + rounding) >> 4;
    }
  }
  return { width, height, stride: width, samples: made };
}

/** The row that a row of pixels is mixed with: beyond the ends the last one. */
function neighbour(y: number, height: number): number {
  const row = y >> 1;
  return Math.min(height - 1, Math.max(0, y % 2 === 0 ? row - 1 : row + 1));
}
