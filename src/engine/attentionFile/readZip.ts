import { Inflate } from 'fflate';
import { crc32 } from '../../model/numbers/zip';
import type { FileBytes } from './fileBytes';

/** A file of a zip, as its list says; its bytes are read when they are asked for. */
export interface ZipEntry {
  readonly name: string;
  /** Where its bytes stand in the zip, and how many they are there. */
  readonly start: number;
  readonly packedSize: number;
  readonly size: number;
  readonly isDeflated: boolean;
  /** The check sum of its bytes, CRC-32. */
  readonly crc: number;
}

/** DEFLATE packs no more than so many bytes into one (RFC 1951: 258 in two bits). */
const mostPacked = 1032;
/** What is unpacked is taken in pieces of so many packed bytes: what is too much is seen early. */
const pieceBytes = 2 ** 16;
/** The same where only the beginning is wanted. */
const firstPieceBytes = 2 ** 10;
const most32 = 0xffffffff;
/** The end of a zip, with a comment of at most 64 kB behind it, and what says where the end of a large one is. */
const endBytes = 22;
const mostEndBytes = 20 + endBytes + 0xffff;

/**
 * The files that a zip lists, by PKWARE's APPNOTE 6.3.10: stored or deflated, with or without Zip64. Nothing is unpacked, and no more is read than
 * the list and what stands before each file; every length is held against the bytes there are. Throws what `invalid` makes of a reason.
 */
export function readZip(
  file: FileBytes,
  invalid: (reason: string) => Error,
  { mostEntries, mostListBytes }: { readonly mostEntries: number; readonly mostListBytes: number },
): readonly ZipEntry[] {
  const has = (at: number, length: number): boolean => at >= 0 && at + length <= file.size;
  const damaged = (): Error => invalid('its list of files is damaged');
  const { count, at: listAt, end: listEnd } = findList(file, invalid);
  if (count > mostEntries) throw invalid(`it holds more than ${mostEntries} arrays`);
  if (listAt > listEnd || listEnd > file.size) throw damaged();
  const view = viewOf(file.read(listAt, Math.min(mostListBytes, listEnd - listAt)));
  const isThere = (at: number, length: number): boolean => at + length <= view.byteLength;
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (!isThere(at, 46) || view.getUint32(at, true) !== 0x02014b50) throw damaged();
    const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    if (!isThere(at + 46, nameLength + extraLength)) throw damaged();
    const nameBytes = new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength);
    const name = new TextDecoder().decode(nameBytes);
    const method = view.getUint16(at + 10, true);
    const [size, packedSize, place] = withZip64(view, at, at + 46 + nameLength, extraLength);
    const isDeflated = method === 8;
    if ((view.getUint16(at + 8, true) & 1) !== 0) throw invalid(`"${name}" is encrypted`);
    if (!isDeflated && method !== 0) throw invalid(`"${name}" is packed in a way that is not known here`);
    const start = startOf(file, place, nameBytes, invalid);
    if (!has(start, packedSize)) throw invalid(`"${name}" ends behind the file`);
    if (isDeflated ? size > packedSize * mostPacked : size !== packedSize)
      throw invalid(`"${name}" cannot be as long as it says`);
    entries.push({ name, start, packedSize, size, isDeflated, crc: view.getUint32(at + 16, true) });
    at += 46 + nameLength + extraLength + view.getUint16(at + 32, true);
  }
  // A number of files that is too small would leave some out.
  if (isThere(at, 4) && view.getUint32(at, true) === 0x02014b50) throw damaged();
  return entries;
}

/** Where the bytes of a file of a zip begin, behind its name, which stands before them once more. */
function startOf(file: FileBytes, place: number, name: Uint8Array, invalid: (reason: string) => Error): number {
  const listed = new TextDecoder().decode(name);
  const length = 30 + name.length;
  const local = place + length <= file.size ? viewOf(file.read(place, length)) : undefined;
  if (local?.getUint32(0, true) !== 0x04034b50) throw invalid(`"${listed}" is not where it should be`);
  // No check sum covers names, so both have to be the same.
  if (local.getUint16(26, true) !== name.length || name.some((byte, i) => byte !== local.getUint8(30 + i)))
    throw invalid(`"${listed}" has another name where its bytes stand`);
  return place + length + local.getUint16(28, true);
}

/** The bytes of a file of a zip, whose check sum is that of the list. Throws what `invalid` makes of a reason. */
export function unpack(file: FileBytes, entry: ZipEntry, invalid: (reason: string) => Error): Uint8Array {
  const { name, start, size, isDeflated, crc } = entry;
  const bytes = isDeflated ? inflated(file, entry, invalid) : file.read(start, size);
  if ((file.crc32 ?? crc32)(bytes) !== crc)
    throw invalid(`"${name}" is damaged: its bytes do not have the check sum that stands beside them`);
  return bytes;
}

function inflated(file: FileBytes, entry: ZipEntry, invalid: (reason: string) => Error): Uint8Array {
  const { name, start, packedSize, size } = entry;
  const bytes = new Uint8Array(size);
  let length = 0;
  inflate(file.read(start, packedSize), entry, {
    invalid,
    pieceBytes,
    take: (piece) => {
      if (length + piece.length > size) throw invalid(`"${name}" is longer than it says`);
      bytes.set(piece, length);
      length += piece.length;
      return true;
    },
  });
  if (length !== size) throw invalid(`"${name}" is shorter than it says`);
  return bytes;
}

/** The first bytes of a file of a zip: so many, or fewer where it has no more. Throws what `invalid` makes of a reason. */
export function unpackFirst(
  file: FileBytes,
  entry: ZipEntry,
  wanted: number,
  invalid: (reason: string) => Error,
): Uint8Array {
  const { start, packedSize, size, isDeflated } = entry;
  const most = Math.min(wanted, size);
  if (!isDeflated) return file.read(start, most);
  const bytes = new Uint8Array(most);
  let length = 0;
  // As many packed bytes make at least as many, but where they are not packed at all: then a few more than they are stand around them.
  inflate(file.read(start, Math.min(packedSize, wanted + pieceBytes)), entry, {
    invalid,
    pieceBytes: firstPieceBytes,
    take: (piece) => {
      const taken = piece.subarray(0, most - length);
      bytes.set(taken, length);
      length += taken.length;
      return length < most;
    },
  });
  return bytes.subarray(0, length);
}

/** What becomes of the bytes of a file, in pieces, until one is the last that is wanted. */
interface Inflating {
  readonly invalid: (reason: string) => Error;
  /** Packed bytes that are taken at a time. */
  readonly pieceBytes: number;
  readonly take: (piece: Uint8Array) => boolean;
}

function inflate(
  packed: Uint8Array,
  { name, packedSize }: ZipEntry,
  { invalid, pieceBytes: step, take }: Inflating,
): void {
  let isWanted = true;
  const inflating = new Inflate((piece) => {
    if (isWanted) isWanted = take(piece);
  });
  try {
    for (let at = 0; at < packed.length && isWanted; at += step)
      inflating.push(packed.subarray(at, at + step), at + step >= packedSize);
  } catch (error) {
    throw error instanceof Error && 'code' in error && typeof error.code === 'number'
      ? invalid(`"${name}" is damaged`)
      : error;
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** How many files a zip lists, where its list begins, and what the list stands before. */
function findList(
  file: FileBytes,
  invalid: (reason: string) => Error,
): { readonly count: number; readonly at: number; readonly end: number } {
  const from = Math.max(0, file.size - mostEndBytes);
  const view = viewOf(file.read(from, file.size - from));
  let end = view.byteLength - endBytes;
  const last = Math.max(0, end - 0xffff);
  while (end >= last && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < last) throw invalid('it is no zip file, or was cut off');
  const told = { count: view.getUint16(end + 10, true), at: view.getUint32(end + 16, true), end: from + end };
  if (end < 20 || view.getUint32(end - 20, true) !== 0x07064b50) return told;
  const place = Number(view.getBigUint64(end - 12, true));
  const large = place + 56 <= file.size ? viewOf(file.read(place, 56)) : undefined;
  if (large?.getUint32(0, true) !== 0x06064b50) throw invalid('its list of files is damaged');
  return {
    count: Number(large.getBigUint64(32, true)),
    at: Number(large.getBigUint64(48, true)),
    end: place,
  };
}

/** The size of a file, that of its packed bytes, and their place: those that have no room in 32 bits stand in its extra field. */
function withZip64(view: DataView, at: number, extra: number, extraLength: number): readonly [number, number, number] {
  const values = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
  for (let field = extra; field + 4 <= extra + extraLength;) {
    const [id, length] = [view.getUint16(field, true), view.getUint16(field + 2, true)];
    if (id === 1) {
      let from = field + 4;
      for (const [i, value] of values.entries())
        if (value === most32 && from + 8 <= Math.min(field + 4 + length, extra + extraLength)) {
          values[i] = Number(view.getBigUint64(from, true));
          from += 8;
        }
    }
    field += 4 + length;
  }
  return [values[0], values[1], values[2]];
}
