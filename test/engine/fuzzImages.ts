// Makes broken pictures from sound ones, by the parts that their formats consist of; the same ones for the same numbers.
import { deflateSync, inflateSync } from 'node:zlib';
import { ExplorerError } from '../../src/base/errors';
import { decodeImage } from '../../src/engine/image/decodeImage';
import { readPreprocessing, shapePicture } from '../../src/engine/image/preprocessing';
import { mutate } from '../unit/onnx/mutate';

/** What a picture that is broken or hostile may be answered with; `''` stands for a picture. */
export const allowedImageCodes = new Set(['', 'imageUnreadable', 'imageTooLarge']);

/** Milliseconds of the processor that one picture may take: what the largest one that is decoded takes on a slow machine. */
export const imagePatience = 20_000;

/** Does all that can be done with a picture without a model; the code of its error, `''` where there is none. Other errors are thrown on. */
export async function readPicture(bytes: Uint8Array, random: () => number): Promise<string> {
  const pick = (count: number): number => Math.floor(random() * count);
  const config = { resample: pick(6), size: pick(2) === 0 ? { height: 1 + pick(300), width: 1 + pick(300) } : { shortest_edge: 1 + pick(300) }, do_center_crop: pick(2) === 0, crop_size: 1 + pick(300), do_resize: pick(8) > 0 };
  try {
    const { pixels, width, height } = shapePicture(await decodeImage(bytes, 'picture'), readPreprocessing(config, 'model'), 'picture');
    if (pixels.length !== width * height * 4) throw new Error('The picture has another size than it says.');
    return '';
  } catch (error) {
    if (error instanceof ExplorerError) return error.code;
    throw error;
  }
}

/** A copy of a picture with some of its parts changed, left out, doubled or exchanged, or with some of its bytes changed. */
export function mutatePicture(bytes: Uint8Array, random: () => number): Uint8Array {
  const pick = (count: number): number => Math.floor(random() * count);
  if (pick(4) === 0) return mutate(bytes, random);
  const parts: Uint8Array[] = split(bytes).map((part) => part.slice());
  for (let i = pick(3); i >= 0 && parts.length > 0; i--) {
    const at = pick(parts.length);
    const part = parts[at];
    switch (pick(8)) {
      case 0:
        parts.splice(at, 1);
        break;
      case 1:
        parts.splice(at, 0, part);
        break;
      case 2:
        [parts[at], parts[pick(parts.length)]] = [parts[pick(parts.length)], part];
        break;
      case 3:
        parts[at] = mutate(part, random);
        break;
      case 4:
        parts[at] = deflatedAnew(part, random);
        break;
      default: // the first bytes of a part say how it is to be read
        for (let k = pick(3); k >= 0; k--) part[pick(Math.min(part.length, 32))] = [0, 1, 2, 3, 7, 8, 9, 12, 16, 0x7f, 0x80, 0xff, pick(256)][pick(13)];
    }
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The data of a PNG with its content changed, so that it still unpacks. */
function deflatedAnew(part: Uint8Array, random: () => number): Uint8Array {
  if (new TextDecoder('latin1').decode(part.subarray(4, 8)) !== 'IDAT') return part;
  try {
    const data = deflateSync(mutate(new Uint8Array(inflateSync(part.subarray(8, -4))), random));
    const chunk = new Uint8Array(12 + data.length);
    new DataView(chunk.buffer).setUint32(0, data.length);
    chunk.set(part.subarray(4, 8), 4);
    chunk.set(data, 8);
    return chunk;
  } catch {
    return part; // it has been changed before
  }
}

/** A picture's parts as its format has them: chunks, segments, blocks. */
function split(bytes: Uint8Array): Uint8Array[] {
  const ends: number[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] === 0x89) {
    for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) ends.push(at);
  } else if (bytes[0] === 0xff) {
    for (let at = 0; at + 4 <= bytes.length; at++) if (bytes[at] === 0xff && bytes[at + 1] >= 0xc0) ends.push(at);
  } else if (bytes[0] === 0x52) {
    for (let at = 12; at + 8 <= bytes.length; at += 8 + view.getUint32(at + 4, true)) ends.push(at, at + 8);
  } else {
    const start = 13 + (3 << ((bytes[10] & 7) + 1));
    ends.push(6, 13, start);
    for (let at = start; at + 1 < bytes.length; at++) if (bytes[at] === 0x2c || bytes[at] === 0x21) ends.push(at);
  }
  return [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}
