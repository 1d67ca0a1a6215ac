import { Unzlib } from 'fflate';
import { paletteOf, pixelOf } from './pixels';
import type { Raster } from './raster';

/** Bytes that are inflated at a time: at most a thousand times as many come out. */
const pushBytes = 2 ** 14;

/** Colour types (PNG specification, 11.2.1) with their number of samples a pixel and the bits that a sample may have. */
const colourTypes: Readonly<Record<number, { readonly channels: number; readonly depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

/** The pixels that a pass has: every so many from a first one. */
interface Pass {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly down: number;
}

const whole: readonly Pass[] = [{ left: 0, top: 0, right: 1, down: 1 }];
const adam7: readonly Pass[] = [
  { left: 0, top: 0, right: 8, down: 8 },
  { left: 4, top: 0, right: 8, down: 8 },
  { left: 0, top: 4, right: 4, down: 8 },
  { left: 2, top: 0, right: 4, down: 4 },
  { left: 0, top: 2, right: 2, down: 4 },
  { left: 1, top: 0, right: 2, down: 2 },
  { left: 0, top: 1, right: 1, down: 2 },
];

interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly channels: number;
  readonly isIndexed: boolean;
  readonly isInterlaced: boolean;
}

/**
 * Decodes a PNG file, its alpha dropped and of 16 bits the upper eight taken; but grey of 16 bits is cut at 255, as Pillow makes RGB of
 * it. Rows are made as they are inflated, so that nothing is held beside the picture. Throws an error for a file that is damaged.
 */
export function decodePng(bytes: Uint8Array): Raster {
  const header = readHeader(bytes);
  const { data, palette } = readChunks(bytes, header.isIndexed);
  const rows = new Rows(header, palette);
  const inflator = new Unzlib((chunk) => rows.add(chunk));
  // Parts of the data can be a byte long each: they are handed on together.
  const gathered = new Uint8Array(pushBytes);
  let length = 0;
  for (const part of data) {
    for (let at = 0; at < part.length;) {
      const piece = part.subarray(at, at + pushBytes - length);
      gathered.set(piece, length);
      length += piece.length;
      at += piece.length;
      if (length < pushBytes) continue;
      // The inflator keeps what it has not used yet.
      inflator.push(gathered.slice(), false);
      length = 0;
    }
  }
  inflator.push(gathered.slice(0, length), true);
  return { width: header.width, height: header.height, pixels: rows.finish() };
}

function readHeader(bytes: Uint8Array): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [depth, colours, compression, filter, interlace] = bytes.subarray(24, 29);
  const type = colourTypes[colours];
  if (
    view.getUint32(8) !== 13 ||
    type === undefined ||
    !type.depths.includes(depth) ||
    compression !== 0 ||
    filter !== 0 ||
    interlace > 1
  )
    throw new Error('its header is not one of a PNG');
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    depth,
    channels: type.channels,
    isIndexed: colours === 3,
    isInterlaced: interlace === 1,
  };
}

/** What makes the picture: its compressed data in parts, and its palette; all other chunks, transparency among them, are left. */
function readChunks(
  bytes: Uint8Array,
  isIndexed: boolean,
): { readonly data: readonly Uint8Array[]; readonly palette: Uint32Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: Uint8Array[] = [];
  let palette: Uint32Array = new Uint32Array();
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) break;
    const content = bytes.subarray(at + 8, end - 4);
    switch (String.fromCharCode(...bytes.subarray(at + 4, at + 8))) {
      case 'PLTE':
        if (length === 0 || length % 3 !== 0 || length > 3 * 256)
          throw new Error('its palette has an impossible length');
        palette = paletteOf(content);
        break;
      case 'IDAT':
        if (length > 0) data.push(content);
        break;
      case 'IEND':
        if (isIndexed && palette.length === 0) throw new Error('it has no palette');
        return { data, palette };
    }
    at = end;
  }
  throw new Error('it ends too early');
}

/** Makes pixels of inflated bytes, row by row (PNG specification, 7 and 9). */
class Rows {
  readonly #header: PngHeader;
  readonly #colours: Uint32Array | undefined;
  readonly #pixels: Uint32Array<ArrayBuffer>;
  readonly #passes: Iterator<Pass>;
  /** Bytes from a sample to the one of the pixel before it. */
  readonly #step: number;
  #pass: Pass | undefined;
  #numColumns = 0;
  #y = 0;
  /** The row that is being filled, behind its filter's byte, and the one above. */
  #row = new Uint8Array();
  #above = new Uint8Array();
  #length = 0;

  constructor(header: PngHeader, palette: Uint32Array) {
    const { width, height, depth, channels, isIndexed, isInterlaced } = header;
    this.#header = header;
    const steps = 2 ** Math.min(depth, 8) - 1;
    this.#colours =
      channels > 1 || depth === 16
        ? undefined
        : isIndexed
          ? palette
          : Uint32Array.from({ length: steps + 1 }, (_, i) =>
              pixelOf((i * 255) / steps, (i * 255) / steps, (i * 255) / steps),
            );
    this.#pixels = new Uint32Array(width * height);
    this.#step = Math.max(1, (depth * channels) / 8);
    this.#passes = (isInterlaced ? adam7 : whole).values();
    this.#begin();
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#pass === undefined) throw new Error('it holds more data than its size says');
      const piece = bytes.subarray(at, at + this.#row.length - this.#length);
      this.#row.set(piece, this.#length);
      this.#length += piece.length;
      at += piece.length;
      if (this.#length === this.#row.length) this.#end(this.#pass);
    }
  }

  finish(): Uint8Array {
    if (this.#pass !== undefined) throw new Error('its data is too short');
    return new Uint8Array(this.#pixels.buffer);
  }

  /** Goes to the next pass that has any pixels. */
  #begin(): void {
    const { width, height, depth, channels } = this.#header;
    do {
      const next = this.#passes.next();
      this.#pass = next.done === true ? undefined : next.value;
    } while (this.#pass !== undefined && (this.#pass.left >= width || this.#pass.top >= height));
    if (this.#pass === undefined) return;
    this.#numColumns = Math.ceil((width - this.#pass.left) / this.#pass.right);
    const length = 1 + Math.ceil((this.#numColumns * depth * channels) / 8);
    this.#row = new Uint8Array(length);
    this.#above = new Uint8Array(length);
    this.#y = this.#pass.top;
  }

  #end(pass: Pass): void {
    unfilter(this.#row, this.#above, this.#step);
    this.#paint(pass);
    [this.#row, this.#above] = [this.#above, this.#row];
    this.#length = 0;
    this.#y += pass.down;
    if (this.#y >= this.#header.height) this.#begin();
  }

  #paint({ left, right }: Pass): void {
    const { width, depth, channels } = this.#header;
    const [row, pixels, colours, count] = [this.#row, this.#pixels, this.#colours, this.#numColumns];
    let to = this.#y * width + left;
    if (colours !== undefined) {
      const mask = 2 ** depth - 1;
      for (let x = 0; x < count; x++, to += right) {
        const bit = x * depth;
        const index = (row[1 + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
        if (index >= colours.length) throw new Error('it uses a colour that its palette does not have');
        pixels[to] = colours[index];
      }
      return;
    }
    if (channels === 1) {
      for (let x = 0, at = 1; x < count; x++, to += right, at += 2)
        pixels[to] = row[at] > 0 ? 0xffffffff : pixelOf(row[at + 1], row[at + 1], row[at + 1]);
      return;
    }
    // Of 16 bits the upper eight come first.
    const sample = depth / 8;
    const [green, blue] = channels < 3 ? [0, 0] : [sample, 2 * sample];
    for (let x = 0, at = 1; x < count; x++, to += right, at += this.#step)
      pixels[to] = row[at] | (row[at + green] << 8) | (row[at + blue] << 16) | 0xff000000;
  }
}

/** Undoes a row's filter in place; its first byte names it. */
function unfilter(row: Uint8Array, above: Uint8Array, step: number): void {
  const { length } = row;
  switch (row[0]) {
    case 0:
      return;
    case 1:
      for (let i = 1 + step; i < length; i++) row[i] += row[i - step];
      return;
    case 2:
      for (let i = 1; i < length; i++) row[i] += above[i];
      return;
    case 3:
      for (let i = 1; i < length; i++) row[i] += ((i > step ? row[i - step] : 0) + above[i]) >> 1;
      return;
    case 4:
      for (let i = 1; i <= step && i < length; i++) row[i] += above[i];
      for (let i = 1 + step; i < length; i++) {
        const a = row[i - step];
        const b = above[i];
        const c = above[i - step];
        const fromA = Math.abs(b - c);
        const fromB = Math.abs(a - c);
        const fromC = Math.abs(a + b - 2 * c);
        row[i] += fromA <= fromB && fromA <= fromC ? a : fromB <= fromC ? b : c;
      }
      return;
    default:
      throw new Error('it names a filter that PNG does not have');
  }
}
