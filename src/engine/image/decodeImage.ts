import loadJpeg from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import jpegCodec from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm';
import loadWebp from '@jsquash/webp/codec/dec/webp_dec.js';
import webpCodec from '@jsquash/webp/codec/dec/webp_dec.wasm';
import { GifReader } from 'omggif';
import { ExplorerError } from '../../base/errors';
import { noDeadlines, type Deadlines } from '../deadlines';
import { decodePng } from './decodePng';
import { readImageHeader, type ImageHeader } from './imageHeader';
import { orient, type Raster } from './raster';

/**
 * Decodes a PNG, JPEG, WebP or GIF file (its first frame) as `PIL.Image.open(…).convert('RGB')` after `exif_transpose` does:
 * the orientation is applied and alpha dropped. Throws `imageUnreadable`, `tookTooLong`, or `imageTooLarge` before it decodes.
 */
export async function decodeImage(bytes: Uint8Array, name: string, deadlines: Deadlines = noDeadlines): Promise<Raster> {
  const header = readImageHeader(bytes, name);
  let raster: Raster;
  try {
    const decode = await decoderOf(header.format);
    raster = deadlines.run('preparePicture', header.width * header.height, () => decode(bytes));
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    throw new ExplorerError('imageUnreadable', [name, 'it is damaged'], { cause: error });
  }
  // What is shown is what the model sees, and that is opaque.
  for (let i = 3; i < raster.pixels.length; i += 4) raster.pixels[i] = 255;
  return orient(raster, header.orientation);
}

/** Loads what decodes a format: a codec of its own for each picture, since one that broke off, or was ended, may be no good any more. */
async function decoderOf(format: ImageHeader['format']): Promise<(bytes: Uint8Array) => Raster> {
  switch (format) {
    case 'png':
      return decodePng;
    case 'gif':
      return decodeGif;
    case 'jpeg': {
      const jpeg = await loadJpeg(await codec(jpegCodec));
      return (bytes) => toRaster(jpeg.decode(bytes.slice().buffer, false));
    }
    case 'webp': {
      const webp = await loadWebp(await codec(webpCodec));
      return (bytes) => toRaster(webp.decode(bytes.slice().buffer));
    }
  }
}

/** What every host has of WebAssembly; the language level's library does not say so. */
interface Wasm {
  compile(bytes: Uint8Array): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

const modules = new Map<Uint8Array, Promise<object>>();

/** What a codec's loader is told: to start anew from its own bytes, and to print nothing of what it finds odd. */
async function codec(bytes: Uint8Array): Promise<object> {
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

function toRaster(decoded: { readonly width: number; readonly height: number; readonly data: ArrayLike<number> } | null): Raster {
  if (decoded === null) throw new Error('the decoder gave nothing');
  const { width, height, data } = decoded;
  const pixels = Uint8Array.from(data);
  if (pixels.length !== width * height * 4) throw new Error('the decoder gave another size than it says');
  return { width, height, pixels };
}

function decodeGif(bytes: Uint8Array): Raster {
  const reader = new GifReader(bytes);
  if (reader.numFrames() === 0) throw new Error('it holds no picture');
  const { width, height } = reader;
  const frame = reader.frameInfo(0);
  if (frame.palette_offset === null || frame.x + frame.width > width || frame.y + frame.height > height) throw new Error('its first frame does not fit');
  frame.transparent_index = null;
  const pixels = new Uint8Array(width * height * 4);
  reader.decodeAndBlitFrameRGBA(0, pixels);
  return { width, height, pixels };
}
