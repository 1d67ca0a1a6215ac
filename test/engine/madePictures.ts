// Pictures made by a test, whole and broken.
import { zlibSync } from 'fflate';

function join(parts: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

const letters = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));

/** A chunk of a PNG; its checksum is left out. */
function pngChunk(type: string, data: ArrayLike<number>): Uint8Array {
  const size = new DataView(new ArrayBuffer(4));
  size.setUint32(0, data.length);
  return join([new Uint8Array(size.buffer), letters(type), data, [0, 0, 0, 0]]);
}

/** What a made PNG is like. */
export interface MadePng {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  readonly colours?: number;
  readonly isInterlaced?: boolean;
  readonly palette?: readonly number[];
  /** Rows with their filters' bytes; all zeros where they are left out. */
  readonly rows?: Uint8Array;
  /** Into how many bytes of a part each its data is cut. */
  readonly partBytes?: number;
}

/** A PNG file. */
export function madePng({
  width,
  height,
  depth = 8,
  colours = 0,
  isInterlaced = false,
  palette,
  rows,
  partBytes = Infinity,
}: MadePng): Uint8Array {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  [depth, colours, 0, 0, Number(isInterlaced)].forEach((value, i) => header.setUint8(8 + i, value));
  const data = zlibSync(rows ?? new Uint8Array((1 + Math.ceil((width * depth) / 8)) * height));
  const parts: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += partBytes)
    parts.push(pngChunk('IDAT', data.subarray(at, Math.min(data.length, at + partBytes))));
  return join([
    letters('\x89PNG\r\n\x1a\n'),
    pngChunk('IHDR', new Uint8Array(header.buffer)),
    ...(palette === undefined ? [] : [pngChunk('PLTE', palette)]),
    ...parts,
    pngChunk('IEND', []),
  ]);
}

/** What a made GIF is like. */
export interface MadeGif {
  readonly screen: readonly [width: number, height: number];
  readonly frame: readonly [left: number, top: number, width: number, height: number];
  /** Red, green and blue of four colours. */
  readonly palette?: readonly number[] | undefined;
  readonly transparent?: number;
  readonly codeBits?: number;
  /** Codes of three bits; the indices, each after a code that clears, where they are left out. */
  readonly codes?: readonly number[];
  readonly indices?: readonly number[];
  readonly isInterlaced?: boolean;
}

/** A GIF file with codes of three bits. */
export function madeGif({
  screen,
  frame,
  palette,
  transparent,
  codeBits = 2,
  indices = [],
  codes = [...indices.flatMap((index) => [4, index]), 5],
  isInterlaced = false,
}: MadeGif): Uint8Array {
  const short = (value: number): number[] => [value & 255, value >> 8];
  const bits = codes.reduce((all, code, i) => all | (BigInt(code) << BigInt(3 * i)), 0n);
  const data = Array.from({ length: Math.ceil((codes.length * 3) / 8) }, (_, i) =>
    Number((bits >> BigInt(8 * i)) & 255n),
  );
  const blocks = Array.from({ length: Math.ceil(data.length / 255) }, (_, i) =>
    data.slice(i * 255, (i + 1) * 255),
  ).flatMap((block) => [block.length, ...block]);
  const control = transparent === undefined ? [] : [0x21, 0xf9, 4, 1, 0, 0, transparent, 0];
  return join([
    letters('GIF89a'),
    screen.flatMap(short),
    [palette === undefined ? 0 : 0x81, 0, 0],
    palette ?? [],
    control,
    [0x2c],
    frame.flatMap(short),
    [isInterlaced ? 0x40 : 0, codeBits],
    blocks,
    [0, 0x3b],
  ]);
}

/** A JPEG with its last scan so many more times, and another size in its header. */
export function withScans(
  jpeg: Uint8Array,
  count: number,
  [width, height]: readonly [width: number, height: number],
): Uint8Array {
  const markers = [...jpeg.keys()].filter(
    (at) => jpeg[at] === 0xff && jpeg[at + 1] >= 0xc0 && (jpeg[at + 1] < 0xd0 || jpeg[at + 1] > 0xd7),
  );
  const frame = markers.find((at) => jpeg[at + 1] === 0xc2) ?? 0;
  const scan = markers.findLast((at) => jpeg[at + 1] === 0xda) ?? 0;
  const end = markers.findLast((at) => jpeg[at + 1] === 0xd9) ?? 0;
  const whole = join([
    jpeg.subarray(0, end),
    ...Array.from({ length: count }, () => jpeg.subarray(scan, end)),
    [0xff, 0xd9],
  ]);
  new DataView(whole.buffer).setUint16(frame + 5, height);
  new DataView(whole.buffer).setUint16(frame + 7, width);
  return whole;
}
