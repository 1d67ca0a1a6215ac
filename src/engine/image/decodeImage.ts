import makeJpegDecoder, { type Codec } from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import jpegBinary from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm';
import makeWebpDecoder from '@jsquash/webp/codec/dec/webp_dec.js';
import webpBinary from '@jsquash/webp/codec/dec/webp_dec.wasm';
import { ExplorerError } from '../../base/errors';
import { isAllocationFailure } from '../limits/allocationFailure';
import { noDeadlines, type Deadlines } from '../limits/deadlines';
import type { Notice } from '../../model/modelInfo';
import { decodeCmykJpeg } from './decodeCmykJpeg';
import { decodeGif } from './decodeGif';
import { decodePng } from './decodePng';
import { readImageHeader, type ImageHeader } from './imageHeader';
import { orient, type Raster } from './raster';

/** A picture as it was decoded, with what its reader must know of that. */
export interface DecodedPicture extends Raster {
  readonly notices: readonly Notice[];
}

/**
 * Decodes a PNG, JPEG, WebP or GIF file (its first frame) as `PIL.Image.open(…).convert('RGB')` after `exif_transpose` does:
 * the orientation is applied and alpha dropped. Throws `imageUnreadable`, `tookTooLong`, `imageTooLarge` before it decodes, or `outOfMemory`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  deadlines: Deadlines = noDeadlines,
): Promise<DecodedPicture> {
  const header = readImageHeader(bytes, name);
  let raster: Raster;
  try {
    const decode = await decoderOf(header);
    raster = deadlines.run('preparePicture', header.width * header.height, () => decode(bytes));
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    throw isAllocationFailure(error)
      ? new ExplorerError('outOfMemory', [`the picture ${name}`], { cause: error })
      : new ExplorerError('imageUnreadable', [name, reasonOf(error)], { cause: error });
  }
  if (raster.width !== header.width || raster.height !== header.height)
    throw new ExplorerError('imageUnreadable', [name, 'it has another size than its header says']);
  // What is shown is what the model sees, and that is opaque.
  for (let i = 3; i < raster.pixels.length; i += 4) raster.pixels[i] = 255;
  return { ...orient(raster, header.orientation), notices: decodingNotices(header) };
}

/** What the library that decodes for a model's own makes of a picture, where one would not expect it. */
function decodingNotices({ isCmyk, isDeepGrey }: ImageHeader): Notice[] {
  if (isDeepGrey === true) return [{ code: 'pictureGreyCut', args: [] }];
  return isCmyk === true ? [{ code: 'pictureCmyk', args: [] }] : [];
}

/** Loads what decodes a format: a codec of its own for each picture, since one that broke off, or was ended, may be no good any more. */
async function decoderOf({ format, isCmyk }: ImageHeader): Promise<(bytes: Uint8Array) => Raster> {
  switch (format) {
    case 'png':
      return decodePng;
    case 'gif':
      return decodeGif;
    case 'jpeg': {
      if (isCmyk === true) return decodeCmykJpeg;
      const jpeg = await makeJpegDecoder(await startingFrom(jpegBinary));
      return (bytes) => toRaster(jpeg.decode(bytes, false));
    }
    case 'webp': {
      const webp = await makeWebpDecoder(await startingFrom(webpBinary));
      return (bytes) => toRaster(webp.decode(bytes));
    }
  }
}

/** What every host has of WebAssembly; the language level's library does not say so. */
interface Wasm {
  compile(bytes: Uint8Array): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

const modules = new Map<Uint8Array, Promise<object>>();

/**
 * What a codec's loader is told: to start anew from its own bytes, and to print nothing of what it finds odd. Each picture has a codec
 * of its own: one that broke off leaves nothing behind, and the memory that a large picture took is free when it is decoded.
 */
async function startingFrom(bytes: Uint8Array): Promise<object> {
  provideImageData();
  const { WebAssembly } = globalThis as unknown as { WebAssembly: Wasm }; // see there
  let compiled = modules.get(bytes);
  if (compiled === undefined) modules.set(bytes, (compiled = WebAssembly.compile(bytes)));
  const module = await compiled;
  const instantiateWasm = (imports: object, done: (instance: object) => void): object => {
    const instance = new WebAssembly.Instance(module, imports);
    done(instance);
    return instance.exports;
  };
  return { noInitialRun: true, instantiateWasm, print: () => {}, printErr: () => {} };
}

/** What a codec's answer is made of. Where the host has no such class, the first codec would define it for all, and be kept with its memory. */
class OwnImageData {
  constructor(
    readonly data: Uint8ClampedArray,
    readonly width: number,
    readonly height: number,
  ) {}
}

function provideImageData(): void {
  const host = globalThis as { ImageData?: unknown }; // browsers and their workers have it
  host.ImageData ??= OwnImageData;
}

function toRaster(decoded: ReturnType<Codec['decode']>): Raster {
  if (decoded === null) throw new Error('the decoder gave nothing');
  const { width, height, data } = decoded;
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (pixels.length !== width * height * 4) throw new Error('the decoder gave another size than it says');
  return { width, height, pixels };
}

/** Our own decoders say what is wrong; the codecs say what only their authors understand. */
function reasonOf(error: unknown): string {
  return error instanceof Error && /^its? /.test(error.message) ? error.message : 'it is damaged';
}
