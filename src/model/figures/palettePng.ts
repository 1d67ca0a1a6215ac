import { joinBytes } from '../../base/joinBytes';
import { crc32 } from '../numbers/zip';
import type { Rgb } from '../ramp';

/** The most bytes that a block of DEFLATE holds as they are (RFC 1951, 3.2.4). */
const blockBytes = 65_535;

/** A picture of at most 256 colours as a PNG file; `pixels` are indices of the palette, row-major. It is not packed: whatever takes it packs it. */
export function palettePng(width: number, height: number, pixels: Uint8Array, palette: readonly Rgb[]): Uint8Array {
  const colours = chunk('PLTE', Uint8Array.from(palette.flatMap(({ r, g, b }) => [r, g, b])));
  return png([width, height], 3, [colours], pixels);
}

/** A picture of RGBA, row-major, of which what is not opaque is taken for opaque, as a PNG file that is not packed either. */
export function rgbPng(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const colours = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) colours.set(pixels.subarray(4 * i, 4 * i + 3), 3 * i);
  return png([width, height], 2, [], colours);
}

/** A PNG file of eight bits a channel, of one of the kinds of colour (W3C PNG, 11.2.1): 2 are true colours, 3 those of a palette. */
function png(
  [width, height]: readonly [number, number],
  colourType: 2 | 3,
  chunks: readonly Uint8Array[],
  pixels: Uint8Array,
): Uint8Array {
  const rowBytes = pixels.length / height;
  const rows = new Uint8Array((rowBytes + 1) * height);
  for (let row = 0; row < height; row++)
    rows.set(pixels.subarray(row * rowBytes, (row + 1) * rowBytes), row * (rowBytes + 1) + 1);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // Eight bits; the rest is the only method of each kind.
  header.set([8, colourType, 0, 0, 0], 8);
  return joinBytes([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    ...chunks,
    chunk('IDAT', stored(rows)),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** Bytes as a zlib stream (RFC 1950) of blocks that are not packed. */
function stored(data: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x78, 0x01)];
  for (let at = 0; at < data.length || at === 0; at += blockBytes) {
    const block = data.subarray(at, at + blockBytes);
    const head = new Uint8Array(5);
    const view = new DataView(head.buffer);
    head[0] = at + blockBytes >= data.length ? 1 : 0;
    view.setUint16(1, block.length, true);
    view.setUint16(3, ~block.length & 0xffff, true);
    parts.push(head, block);
  }
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, adler32(data));
  return joinBytes([...parts, sum]);
}

function adler32(data: Uint8Array): number {
  let [a, b] = [1, 0];
  for (let at = 0; at < data.length;) {
    // So many sums stay below 2^32 (RFC 1950, 9).
    for (const end = Math.min(data.length, at + 5552); at < end; at++) {
      a += data[at];
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}
