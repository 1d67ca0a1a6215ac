import { ExplorerError } from '../../base/errors';
import { checkFileLimit } from '../../model/fileLimits';
import { maxCmykPixels } from './decodeCmykJpeg';
import { bytesAlone, isFrame, jpegMarker } from './jpegMarkers';

/** What a picture's first bytes say of it. */
export interface ImageHeader {
  readonly format: 'png' | 'jpeg' | 'gif' | 'webp';
  /** Pixels as stored, before the orientation is applied. */
  readonly width: number;
  readonly height: number;
  /** The EXIF orientation, 1 … 8. */
  readonly orientation: number;
  /** How often a JPEG goes over its picture. */
  readonly numScans?: number;
  /** Whether a JPEG has four colours. */
  readonly isCmyk?: boolean;
  /** Whether a PNG is of grey of 16 bits. */
  readonly isDeepGrey?: boolean;
}

/** The largest picture that is decoded, in pixels, and its longest side. */
export const maxImagePixels = 50_000_000;
export const maxImageSide = 2 ** 20;
/** A JPEG is decoded once for each of its scans: of a picture of 50 megapixels some twenty, twice as many as an encoder makes. */
export const maxScannedPixels = 2 ** 30;

/** Reads and checks a picture's header. Throws `imageUnreadable` or `imageTooLarge`. */
export function readImageHeader(bytes: Uint8Array, name: string): ImageHeader {
  checkFileLimit('picture', name, bytes.length);
  const header = readers.map((read) => read(bytes, name)).find((found) => found !== undefined);
  if (header === undefined) throw new ExplorerError('imageUnreadable', [name, 'it is no PNG, JPEG, GIF or WebP file']);
  const { width, height, numScans = 1 } = header;
  if (!(width > 0 && height > 0)) throw new ExplorerError('imageUnreadable', [name, 'its header states no size']);
  if (width * height > maxImagePixels)
    throw new ExplorerError('imageTooLarge', [name, `${width} × ${height} pixels`, `${maxImagePixels / 1e6} million`]);
  if (Math.max(width, height) > maxImageSide)
    throw new ExplorerError('imageTooLarge', [
      name,
      `a side of ${Math.max(width, height)} pixels`,
      String(maxImageSide),
    ]);
  if (header.isCmyk === true && width * height > maxCmykPixels)
    throw new ExplorerError('imageTooLarge', [
      name,
      `${width} × ${height} pixels of four colours`,
      `${maxCmykPixels / 1e6} million`,
    ]);
  // Narrow pictures are decoded in blocks of up to 32 pixels like all others.
  const numDecoded = numScans * Math.ceil(width / 32) * Math.ceil(height / 32) * 1024;
  if (numScans > 1 && numDecoded > maxScannedPixels)
    throw new ExplorerError('imageTooLarge', [
      name,
      `${numScans} scans of ${width} × ${height} pixels`,
      `${Math.floor(maxScannedPixels / 1e6)} million in all`,
    ]);
  return header;
}

const readers = [readPng, readJpeg, readGif, readWebp] as const;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function readPng(bytes: Uint8Array): ImageHeader | undefined {
  if (textAt(bytes, 0, 8) !== '\x89PNG\r\n\x1a\n' || bytes.length < 33 || textAt(bytes, 12, 4) !== 'IHDR')
    return undefined;
  const view = viewOf(bytes);
  let orientation = 1;
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = textAt(bytes, at + 4, 4);
    if (type === 'eXIf') orientation = exifOrientation(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
    if (type === 'IEND') break;
  }
  return {
    format: 'png',
    width: view.getUint32(16),
    height: view.getUint32(20),
    orientation,
    isDeepGrey: bytes[24] === 16 && bytes[25] === 0,
  };
}

function readGif(bytes: Uint8Array): ImageHeader | undefined {
  if (!/^GIF8[79]a$/.test(textAt(bytes, 0, 6)) || bytes.length < 13) return undefined;
  const view = viewOf(bytes);
  return { format: 'gif', width: view.getUint16(6, true), height: view.getUint16(8, true), orientation: 1 };
}

function readWebp(bytes: Uint8Array, name: string): ImageHeader | undefined {
  if (textAt(bytes, 0, 4) !== 'RIFF' || textAt(bytes, 8, 4) !== 'WEBP' || bytes.length < 30) return undefined;
  const view = viewOf(bytes);
  const size24 = (at: number): number => 1 + (view.getUint16(at, true) | (bytes[at + 2] << 16));
  switch (textAt(bytes, 12, 4)) {
    case 'VP8 ':
      return {
        format: 'webp',
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
        orientation: 1,
      };
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return { format: 'webp', width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff), orientation: 1 };
    }
    case 'VP8X': {
      if ((bytes[20] & 2) !== 0) throw new ExplorerError('imageUnreadable', [name, 'it is an animation']);
      let orientation = 1;
      for (let at = 12; at + 8 <= bytes.length;) {
        const length = view.getUint32(at + 4, true);
        if (textAt(bytes, at, 4) === 'EXIF') orientation = exifOrientation(bytes.subarray(at + 8, at + 8 + length));
        at += 8 + length + (length & 1);
      }
      return { format: 'webp', width: size24(24), height: size24(27), orientation };
    }
    default:
      return undefined;
  }
}

/** Walks the markers up to the frame's header (ITU-T T.81, annex B). */
function readJpeg(bytes: Uint8Array, name: string): ImageHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) return undefined;
  const unreadable = (reason: string): ExplorerError => new ExplorerError('imageUnreadable', [name, reason]);
  const view = viewOf(bytes);
  let orientation = 1;
  let size: { readonly width: number; readonly height: number } | undefined;
  let numScans: number | undefined;
  let isCmyk = false;
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) throw unreadable('it is damaged');
    const marker = bytes[at + 1];
    const alone = marker === 0 ? 0 : bytesAlone(marker);
    if (alone > 0) {
      at += alone;
      continue;
    }
    const length = view.getUint16(at + 2);
    if (length < 2) throw unreadable('it is damaged');
    if (marker === jpegMarker.app1 && textAt(bytes, at + 4, 6) === 'Exif\0\0')
      orientation = exifOrientation(bytes.subarray(at + 10, at + 2 + length));
    if (isFrame(marker) && at + 10 <= bytes.length) {
      isCmyk = bytes[at + 9] === 4;
      size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    if (marker === jpegMarker.startOfScan) {
      numScans = countScans(bytes, at);
      // The decoder would fill with grey what is missing.
      if (numScans === undefined) throw unreadable('it ends too early');
      break;
    }
    at += 2 + length;
  }
  return size === undefined ? undefined : { format: 'jpeg', ...size, orientation, numScans: numScans ?? 0, isCmyk };
}

/** How many scans there are from the first one on to the end that a decoder finds; undefined where there is no end. */
function countScans(bytes: Uint8Array, from: number): number | undefined {
  let numScans = 0;
  for (let at = from; at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at)) {
    const marker = bytes[at + 1];
    if (marker === jpegMarker.endOfImage) return numScans;
    if (marker === jpegMarker.startOfScan) numScans++;
    at += bytesAlone(marker) || 2 + Math.max(2, (bytes[at + 2] << 8) | bytes[at + 3]);
  }
  return undefined;
}

/** The orientation in a block of EXIF data (a TIFF file, with or without the prefix `Exif`); 1 where it does not say. */
function exifOrientation(block: Uint8Array): number {
  const tiff = textAt(block, 0, 6) === 'Exif\0\0' ? block.subarray(6) : block;
  const isLittle = textAt(tiff, 0, 2) === 'II';
  if ((!isLittle && textAt(tiff, 0, 2) !== 'MM') || tiff.length < 8) return 1;
  const view = viewOf(tiff);
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > tiff.length) return 1;
  const count = view.getUint16(directory, isLittle);
  for (let i = 0, at = directory + 2; i < count && at + 12 <= tiff.length; i++, at += 12) {
    if (view.getUint16(at, isLittle) !== 0x0112) continue;
    const value = view.getUint16(at + 8, isLittle);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
