import { joinBytes } from '../../base/joinBytes';

/** What ends a length or a place of 32 bits: larger ones, and this one itself, stand in fields of Zip64. */
const most32 = 0xffffffff;
/** The same of a number of files. */
const most16 = 0xffff;
/** A check sum stands behind the data, and names are UTF-8. */
const flags = 0x0808;
/** 1980-01-01, the first day that a zip knows: what is the same makes the same file. */
const firstDay = 0x21;

interface Entry {
  readonly name: Uint8Array;
  readonly size: number;
  readonly start: number;
  crc: number;
}

/**
 * The bytes of a zip file around its files' own, in order, so that it can be written as it comes: files are stored as they are, each behind what
 * {@link begin} gives and before what {@link end} gives, and {@link finish} is the end of all. Lengths of 4 GiB and more, and as many files as
 * 65535, go into the fields of Zip64 (PKWARE's APPNOTE 6.3.10, 4.3 and 4.5.3).
 */
export class ZipFrame {
  readonly #entries: Entry[] = [];
  #at = 0;

  /** What stands before a file's `size` bytes. */
  begin(name: string, size: number): Uint8Array {
    const entry: Entry = { name: new TextEncoder().encode(name), size, start: this.#at, crc: 0 };
    this.#entries.push(entry);
    const isLarge = size >= most32;
    const extra = isLarge ? zip64Field([size, size]) : noBytes;
    const before = joinBytes([
      fields(
        [0x04034b50, 4],
        [isLarge ? 45 : 20, 2],
        [flags, 2],
        [0, 2],
        [0, 2],
        [firstDay, 2],
        [0, 4],
        // The data are followed by their lengths; with a field of Zip64 these have eight bytes.
        [isLarge ? most32 : 0, 4],
        [isLarge ? most32 : 0, 4],
        [entry.name.length, 2],
        [extra.length, 2],
      ),
      entry.name,
      extra,
    ]);
    this.#at += before.length + size;
    return before;
  }

  /** What stands behind the bytes of the file that was begun last, whose check sum is {@link crc32}'s. */
  end(crc: number): Uint8Array {
    const entry = this.#entries[this.#entries.length - 1];
    if (entry === undefined) throw new RangeError('No file was begun');
    entry.crc = crc;
    const width = entry.size >= most32 ? 8 : 4;
    const behind = fields([0x08074b50, 4], [crc, 4], [entry.size, width], [entry.size, width]);
    this.#at += behind.length;
    return behind;
  }

  /** The list of all files, and the end. */
  finish(): Uint8Array {
    const listed = joinBytes(this.#entries.map(centralEntry));
    const [count, start] = [this.#entries.length, this.#at];
    const isLarge = count >= most16 || start >= most32 || listed.length >= most32;
    const zip64 = isLarge
      ? joinBytes([
          fields([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4]),
          fields([count, 8], [count, 8], [listed.length, 8], [start, 8]),
          fields([0x07064b50, 4], [0, 4], [start + listed.length, 8], [1, 4]),
        ])
      : noBytes;
    const numFiles = Math.min(count, most16);
    const end = fields(
      [0x06054b50, 4],
      [0, 2],
      [0, 2],
      [numFiles, 2],
      [numFiles, 2],
      [Math.min(listed.length, most32), 4],
      [Math.min(start, most32), 4],
      [0, 2],
    );
    return joinBytes([listed, zip64, end]);
  }
}

function centralEntry({ name, size, start, crc }: Entry): Uint8Array {
  const large = [...(size >= most32 ? [size, size] : []), ...(start >= most32 ? [start] : [])];
  const extra = large.length > 0 ? zip64Field(large) : noBytes;
  const version = large.length > 0 ? 45 : 20;
  return joinBytes([
    fields([0x02014b50, 4], [version, 2], [version, 2], [flags, 2], [0, 2], [0, 2], [firstDay, 2], [crc, 4]),
    fields([Math.min(size, most32), 4], [Math.min(size, most32), 4], [name.length, 2], [extra.length, 2]),
    // No comment, one disk, no attributes.
    fields([0, 2], [0, 2], [0, 2], [0, 4], [Math.min(start, most32), 4]),
    name,
    extra,
  ]);
}

const noBytes = new Uint8Array(0);

function zip64Field(values: readonly number[]): Uint8Array {
  return fields([1, 2], [8 * values.length, 2], ...values.map((value): [number, number] => [value, 8]));
}

/** Numbers as little-endian fields of two, four or eight bytes. */
function fields(...written: readonly (readonly [value: number, width: number])[]): Uint8Array {
  const bytes = new Uint8Array(written.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of written) {
    if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return bytes;
}

let tables: Int32Array | undefined;

/** Tables of the polynomial 0xEDB88320 for eight bytes at a time ("slicing by 8"). */
function crcTables(): Int32Array {
  if (tables !== undefined) return tables;
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    made[byte] = crc;
  }
  for (let i = 256; i < made.length; i++) made[i] = (made[i - 256] >>> 8) ^ made[made[i - 256] & 255];
  return (tables = made);
}

/** Computes the check sum of a zip's file, CRC-32, going on from that of the bytes before. */
export type Crc32 = (bytes: Uint8Array, before?: number) => number;

/** The check sum of a zip's file, CRC-32, from that of the bytes before. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const table = crcTables();
  let crc = ~before;
  let at = 0;
  for (; at < bytes.length && (bytes.byteOffset + at) % 4 !== 0; at++)
    crc = (crc >>> 8) ^ table[(crc ^ bytes[at]) & 255];
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (bytes.length - at) >> 2);
  const last = words.length - 1;
  for (let i = 0; i < last; i += 2, at += 8) {
    const [one, two] = [words[i] ^ crc, words[i + 1]];
    crc =
      table[1792 + (one & 255)] ^
      table[1536 + ((one >>> 8) & 255)] ^
      table[1280 + ((one >>> 16) & 255)] ^
      table[1024 + (one >>> 24)] ^
      table[768 + (two & 255)] ^
      table[512 + ((two >>> 8) & 255)] ^
      table[256 + ((two >>> 16) & 255)] ^
      table[two >>> 24];
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]) & 255];
  return ~crc >>> 0;
}
