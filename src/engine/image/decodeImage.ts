import decodeJpeg, { init as initJpeg } from '@jsquash/jpeg/decode.js';
import jpegCodec from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm';
import decodeWebp, { init as initWebp } from '@jsquash/webp/decode.js';
import webpCodec from '@jsquash/webp/codec/dec/webp_dec.wasm';
import { GifReader } from 'omggif';
import { ExplorerError } from '../../base/errors';
import { decodePng } from './decodePng';
import { readImageHeader } from './imageHeader';
import { orient, type Raster } from './raster';

/**
 * Decodes a PNG, JPEG, WebP or GIF file (its first frame) as `PIL.Image.open(…).convert('RGB')` after `exif_transpose` does:
 * the orientation is applied and alpha dropped. Throws `imageUnreadable` or `imageTooLarge`, the latter before it decodes.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<Raster> {
  const header = readImageHeader(bytes, name);
  let raster: Raster;
  try {
    switch (header.format) {
      case 'png':
        raster = decodePng(bytes);
        break;
      case 'gif':
        raster = decodeGif(bytes);
        break;
      case 'jpeg':
        // A codec of its own for each picture: one that broke off leaves nothing behind.
        await initJpeg(await codec(jpegCodec));
        raster = toRaster(await decodeJpeg(bytes.slice().buffer));
        break;
      case 'webp':
        await initWebp(await codec(webpCodec));
        raster = toRaster(await decodeWebp(bytes.slice().buffer));
        break;
    }
  } catch (error) {
    throw new ExplorerError('imageUnreadable', [name, 'it is damaged'], { cause: error });
  }
  // What is shown is what the model sees, and that is opaque.
  for (let i = 3; i < raster.pixels.length; i += 4) raster.pixels[i] = 255;
  return orient(raster, header.orientation);
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
  return { instantiateWasm, print: () => {}, printErr: () => {} };
}

function toRaster({ width, height, data }: { readonly width: number; readonly height: number; readonly data: ArrayLike<number> }): Raster {
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
