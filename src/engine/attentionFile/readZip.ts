import { Inflate } from 'fflate';

/** A file of a zip, as its list says. */
export interface ZipEntry {
  readonly name: string;
  /** Its bytes as they are in the zip. */
  readonly packed: Uint8Array;
  readonly size: number;
  readonly isDeflated: boolean;
}

/** DEFLATE packs no more than so many bytes into one (RFC 1951: 258 in two bits). */
const mostPacked = 1032;
/** What is unpacked is taken in pieces of so many packed bytes: what is too much is seen early. */
const pieceBytes = 2 ** 16;
const most32 = 0xffffffff;

/**
 * The files that a zip lists, by PKWARE's APPNOTE 6.3.10: stored or deflated, with or without Zip64. Nothing is unpacked; every length is held
 * against the bytes there are. Throws what `invalid` makes of a reason.
 */
export function readZip(bytes: Uint8Array, invalid: (reason: string) => Error, mostEntries: number): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (at: number): number => Number(view.getBigUint64(at, true));
  const has = (at: number, length: number): boolean => at >= 0 && at + length <= bytes.length;
  const end = findEnd(view);
  if (end === undefined) throw invalid('it is no zip file, or was cut off');
  let [count, at] = [view.getUint16(end + 10, true), view.getUint32(end + 16, true)];
  if (has(end - 20, 20) && view.getUint32(end - 20, true) === 0x07064b50) {
    const zip64 = wide(end - 12);
    if (!has(zip64, 56) || view.getUint32(zip64, true) !== 0x06064b50) throw invalid('its list of files is damaged');
    [count, at] = [wide(zip64 + 32), wide(zip64 + 48)];
  }
  if (count > mostEntries) throw invalid(`it holds more than ${mostEntries} arrays`);
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (!has(at, 46) || view.getUint32(at, true) !== 0x02014b50) throw invalid('its list of files is damaged');
    const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    if (!has(at + 46, nameLength + extraLength)) throw invalid('its list of files is damaged');
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const method = view.getUint16(at + 10, true);
    const [size, packedSize, place] = withZip64(view, at, at + 46 + nameLength, extraLength);
    const isDeflated = method === 8;
    if (!isDeflated && method !== 0) throw invalid(`"${name}" is packed in a way that is not known here`);
    if (!has(place, 30) || view.getUint32(place, true) !== 0x04034b50)
      throw invalid(`"${name}" is not where it should be`);
    const start = place + 30 + view.getUint16(place + 26, true) + view.getUint16(place + 28, true);
    if (!has(start, packedSize)) throw invalid(`"${name}" ends behind the file`);
    if (isDeflated ? size > packedSize * mostPacked : size !== packedSize)
      throw invalid(`"${name}" cannot be as long as it says`);
    entries.push({ name, packed: bytes.subarray(start, start + packedSize), size, isDeflated });
    at += 46 + nameLength + extraLength + view.getUint16(at + 32, true);
  }
  return entries;
}

/** The bytes of a file of a zip. Throws what `invalid` makes of a reason. */
export function unpack({ name, packed, size, isDeflated }: ZipEntry, invalid: (reason: string) => Error): Uint8Array {
  if (!isDeflated) return packed;
  const bytes = new Uint8Array(size);
  let length = 0;
  const inflate = new Inflate((piece) => {
    if (length + piece.length > size) throw invalid(`"${name}" is longer than it says`);
    bytes.set(piece, length);
    length += piece.length;
  });
  try {
    for (let at = 0; at < packed.length; at += pieceBytes)
      inflate.push(packed.subarray(at, at + pieceBytes), at + pieceBytes >= packed.length);
  } catch (error) {
    throw error instanceof Error && 'code' in error && typeof error.code === 'number'
      ? invalid(`"${name}" is damaged`)
      : error;
  }
  if (length !== size) throw invalid(`"${name}" is shorter than it says`);
  return bytes;
}

function findEnd(view: DataView): number | undefined {
  // A comment of at most 64 kB may stand behind it.
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--)
    if (view.getUint32(at, true) === 0x06054b50) return at;
  return undefined;
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
