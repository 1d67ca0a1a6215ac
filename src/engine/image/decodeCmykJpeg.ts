import { pixelOf } from './pixels';
import type { Raster } from './raster';
import { readJpegCoefficients } from './jpegCoefficients';
import { samplesOf } from './jpegSamples';

/** The largest picture of four colours that is decoded, in pixels: its coefficients take eight bytes a pixel. */
export const maxCmykPixels = 25_000_000;

const clip = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/**
 * Decodes a JPEG of four colours (CMYK, or YCCK of Adobe) as Pillow does: its colours are taken to be inverted, as Adobe writes them, and
 * made red, green and blue without a profile. The codec that ships makes only three colours. Throws an error for a file that is damaged.
 */
export function decodeCmykJpeg(bytes: Uint8Array): Raster {
  const jpeg = readJpegCoefficients(bytes);
  const { width, height, components, adobeTransform } = jpeg;
  if (components.length !== 4) throw new Error('it has not four colours');
  const [first, second, third, black] = components.map((component) => samplesOf(jpeg, component));
  // Without Adobe's marker the colours are as they are; one that says something odd stands for YCCK (libjpeg).
  const isYcck = adobeTransform !== undefined && adobeTransform !== 0;
  const pixels = new Uint32Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      let cyan = first.samples[y * first.stride + x];
      let magenta = second.samples[y * second.stride + x];
      let yellow = third.samples[y * third.stride + x];
      if (isYcck) [cyan, magenta, yellow] = fromYcc(cyan, magenta - 128, yellow - 128);
      const white = black.samples[y * black.stride + x];
      pixels[to] = pixelOf(mixed(white, cyan), mixed(white, magenta), mixed(white, yellow));
    }
  }
  return { width, height, pixels: new Uint8Array(pixels.buffer) };
}

/** What an inverted colour leaves of the light that an inverted black leaves (Pillow, `cmyk2rgb`). */
function mixed(white: number, colour: number): number {
  const product = white === 0 ? 128 : (255 - colour) * white + 128;
  return clip(white - ((product + (product >> 8)) >> 8));
}

/** libjpeg's tables of 16 bits (`jdcolor.c`), inverted as it does for YCCK. */
function fromYcc(y: number, blue: number, red: number): [number, number, number] {
  return [
    clip(255 - (y + ((91881 * red + 32768) >> 16))),
    clip(255 - (y + ((-22554 * blue - 46802 * red + 32768) >> 16))),
    clip(255 - (y + ((116130 * blue + 32768) >> 16))),
  ];
}
