import { convertIndexedToRgb, decode } from 'fast-png';
import { Unzlib } from 'fflate';
import type { Raster } from './raster';

/** Chunks that make the picture; all others, transparency among them, are left out before the file is decoded. */
const kept = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
const pushBytes = 2 ** 14;

/** Decodes a PNG file, its alpha dropped. Throws an error for a file that is damaged. */
export function decodePng(bytes: Uint8Array): Raster {
  const essential = essentialChunks(bytes);
  const png = decode(essential, { checkCrc: false });
  const { width, height, depth, channels } = png;
  const count = width * height;
  const pixels = new Uint8Array(count * 4).fill(255);
  if (png.palette !== undefined || depth < 8) {
    // Grey values of few bits are packed as indices are, so they go through a palette of greys.
    const steps = 2 ** depth - 1;
    const palette = png.palette ?? Array.from({ length: steps + 1 }, (_, i) => Array.from({ length: 3 }, () => Math.round((i * 255) / steps)));
    const rgb = convertIndexedToRgb({ ...png, palette: palette as NonNullable<typeof png.palette> /* three numbers each */ });
    for (let i = 0; i < count; i++) pixels.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
    return { width, height, pixels };
  }
  const { data } = png;
  if (data.length !== count * channels) throw new Error('its data is too short');
  const isGrey = channels < 3;
  // Of 16 bits the upper eight are taken.
  const shift = depth === 16 ? 8 : 0;
  for (let i = 0; i < count; i++) for (let channel = 0; channel < 3; channel++) pixels[i * 4 + channel] = data[i * channels + (isGrey ? 0 : channel)] >> shift;
  return { width, height, pixels };
}

/** The file with nothing but what makes the picture, once its data is known to be no longer than the picture is large. */
function essentialChunks(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [bytes.subarray(0, 8)];
  const data: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 12 + view.getUint32(at);
    if (end > bytes.length) throw new Error('it ends too early');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (kept.has(type)) parts.push(bytes.subarray(at, end));
    if (type === 'IDAT') data.push(bytes.subarray(at + 8, end - 4));
    at = end;
    if (type === 'IEND') break;
  }
  checkLength(data, inflatedLength(view));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bytes that the picture's rows take at most, a filter byte each; interlaced ones are up to seven smaller pictures. */
function inflatedLength(view: DataView): number {
  const [width, height, depth, colours] = [view.getUint32(16), view.getUint32(20), view.getUint8(24), view.getUint8(25)];
  const channels = [1, 1, 3, 1, 2, 1, 4][colours] ?? 4;
  const rows = Math.ceil((width * depth * channels) / 8 + 1) * height;
  return view.getUint8(28) === 0 ? rows : rows + 8 * (height + 8);
}

/** Inflates in small steps and keeps nothing: a few bytes can stand for gigabytes. */
function checkLength(data: readonly Uint8Array[], most: number): void {
  let total = 0;
  const inflator = new Unzlib((chunk) => {
    total += chunk.length;
  });
  for (const part of data) {
    for (let at = 0; at < part.length; at += pushBytes) {
      inflator.push(part.subarray(at, at + pushBytes), false);
      if (total > most) throw new Error('it holds more data than its size says');
    }
  }
  inflator.push(new Uint8Array(0), true);
  if (total < most / 2) throw new Error('its data is too short');
}
