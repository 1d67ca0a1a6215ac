import { readFileSync, readdirSync } from 'node:fs';
import { deflateSync, inflateSync } from 'node:zlib';
import { decodeImage } from '../../../src/engine/image/decodeImage';
import { pictureValues } from '../../../src/engine/image/pictureValues';
import type { PixelSize } from '../../../src/engine/image/raster';
import { readPreprocessing } from '../../../src/engine/image/readPreprocessing';
import { shapePicture } from '../../../src/engine/image/shapePicture';
import { sizeAfter } from '../../../src/engine/image/shapings';
import { mutate } from '../../unit/onnx/mutate';
import { codeOfPromise } from './codeOfAny';
import { below, oneOf, type Chances, type FuzzTarget } from './fuzzTarget';
import { mutateJson } from './mutateJson';

/** A part of a file that can be left out, doubled or moved: a chunk of a PNG or WebP, a segment of a JPEG, a block of a GIF. */
type Part = Uint8Array;

/** Larger ones cost seconds and show nothing that smaller ones do not. */
const mostPixels = 4e6;

const join = (parts: readonly Part[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

function chunksOfPng(bytes: Uint8Array): Part[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [bytes.subarray(0, 8)];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at))
    parts.push(bytes.subarray(at, at + 12 + view.getUint32(at)));
  return parts;
}

function segmentsOfJpeg(bytes: Uint8Array): Part[] {
  const parts = [bytes.subarray(0, 2)];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda) {
    const length = 2 + bytes[at + 2] * 256 + bytes[at + 3];
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...parts, bytes.subarray(at)];
}

function chunksOfWebp(bytes: Uint8Array): Part[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = [bytes.subarray(0, 12)];
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) & 1);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

function partsOf(bytes: Uint8Array): Part[] {
  if (bytes[0] === 0x89) return chunksOfPng(bytes);
  if (bytes[0] === 0xff) return segmentsOfJpeg(bytes);
  if (bytes[0] === 0x52) return chunksOfWebp(bytes);
  return [bytes.subarray(0, 13), bytes.subarray(13)];
}

function inflated(bytes: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(inflateSync(bytes));
  } catch {
    return bytes; // changed before
  }
}

/** The pixels of a PNG changed under their compression, which whole changed bytes would only break. */
function repacked(random: Chances, bytes: Uint8Array): Uint8Array {
  const parts = chunksOfPng(bytes);
  const isData = (part: Part): boolean => Buffer.from(part.subarray(4, 8)).toString('latin1') === 'IDAT';
  const data = deflateSync(
    mutate(inflated(Buffer.concat(parts.filter(isData).map((part) => part.subarray(8, -4)))), random),
  );
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write('IDAT', 4, 'latin1');
  data.copy(chunk, 8);
  const at = Math.max(1, parts.findIndex(isData));
  return join([...parts.slice(0, at), chunk, ...parts.slice(at).filter((part) => !isData(part))]);
}

function mutated(random: Chances, bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x89 && random() < 0.25) return repacked(random, bytes);
  if (random() < 0.4) return mutate(bytes, random);
  const parts = partsOf(bytes);
  const at = below(random, parts.length);
  switch (below(random, 4)) {
    case 0:
      parts.splice(at, 1);
      break;
    case 1:
      parts.splice(at, 0, parts[at]);
      break;
    case 2:
      parts.splice(below(random, parts.length), 0, ...parts.splice(at, 1));
      break;
    default: // a header's fields
      parts[at] = mutate(parts[at], random);
  }
  return join(parts);
}

/** Whether a header states a size that costs seconds: the bounds for those have tests of their own. */
function isLarge(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const large = (width: number, height: number): boolean =>
    width * height > mostPixels || Math.max(width, height) > 20_000;
  if (bytes[0] === 0x89 && bytes.length > 24) return large(view.getUint32(16), view.getUint32(20));
  if (bytes[0] === 0x47 && bytes.length > 10) return large(view.getUint16(6, true), view.getUint16(8, true));
  if (bytes[0] === 0xff)
    for (let at = 2; at + 9 < bytes.length; at++)
      if (
        bytes[at] === 0xff &&
        bytes[at + 1] >= 0xc0 &&
        bytes[at + 1] <= 0xcf &&
        large(view.getUint16(at + 7), view.getUint16(at + 5))
      )
        return true;
  if (bytes[0] === 0x52 && bytes.length > 30)
    return bytes[15] === 0x20
      ? large(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff)
      : bytes[15] === 0x4c &&
          large(1 + (view.getUint32(21, true) & 0x3fff), 1 + ((view.getUint32(21, true) >>> 14) & 0x3fff));
  return false;
}

/** Pictures of the four formats, their parts and bytes changed, and what is made of those that can be read, by settings that are changed too. */
export function imageTarget(): FuzzTarget {
  const files = readdirSync('test/fixtures/images')
    .filter((name) => /\.(?:png|jpg|gif|webp)$/.test(name))
    .map((name) => new Uint8Array(readFileSync(`test/fixtures/images/${name}`)));
  const processors = Object.values(
    JSON.parse(readFileSync('test/fixtures/images/processors.json', 'utf8')) as Record<string, unknown>,
  );
  return {
    allowed: new Set([
      '',
      'tooLargeForAFuzzer',
      'imageUnreadable',
      'imageTooLarge',
      'imageTooNarrow',
      'modelUnsupported',
    ]),
    run(random) {
      let bytes = mutated(random, oneOf(random, files));
      if (random() < 0.3) bytes = mutated(random, bytes);
      const settings =
        random() < 0.5 ? oneOf(random, processors) : mutateJson(random, oneOf(random, processors), processors);
      if (isLarge(bytes)) return 'tooLargeForAFuzzer';
      return codeOfPromise(shape(bytes, { ...(settings as object) }));
    },
  };
}

async function shape(bytes: Uint8Array, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const raster = await decodeImage(bytes, 'picture');
  const steps = readPreprocessing(settings, 'model');
  let size: PixelSize = raster;
  for (const step of steps.shapings(raster)) {
    size = sizeAfter(size, step);
    if (size.width * size.height > mostPixels) return;
  }
  pictureValues(shapePicture(raster, steps, 'picture'), steps, 3, false);
}
