import type { ExplorerError } from '../../base/errors';
import { formatBytes } from '../../model/fileLimits';
import { fromHalf } from '../../model/numbers/half';
import type { FileBytes } from './fileBytes';
import { readZip, unpack, unpackFirst, type ZipEntry } from './readZip';

/** What a file says of an array. */
interface ToldArray {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** An array of a file, whose shape is that of its bytes: these are read when they are first asked for, and kept. */
export class ReadArray implements ToldArray {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly #read: () => Uint8Array;
  #data: Uint8Array | undefined;

  constructor({ name, type, shape }: ToldArray, read: () => Uint8Array) {
    this.name = name;
    this.type = type;
    this.shape = shape;
    this.#read = read;
  }

  /** Its bytes: little-endian, row-major. Throws what reading them throws. */
  get data(): Uint8Array {
    return (this.#data ??= this.#read());
  }

  /** Reads its bytes now, where they have not been read. */
  hold(): void {
    this.#data ??= this.#read();
  }

  /** Lets go of its bytes, where they have become something else. */
  forget(): void {
    this.#data = undefined;
  }

  get numElements(): number {
    return this.shape.reduce((product, side) => product * side, 1);
  }
}

/** Types of elements with their bytes; `TEXT` is NumPy's text of a fixed length in UTF-32. */
const elementBytes = {
  F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, F16: 2, BF16: 2, I16: 2, U16: 2, I8: 1, U8: 1, BOOL: 1, TEXT: 4,
} as const; // prettier-ignore
type ElementType = keyof typeof elementBytes;

/** NumPy's names of types. */
const numpyTypes: Readonly<Record<string, ElementType>> = {
  '<f8': 'F64', '<i8': 'I64', '<u8': 'U64', '<f4': 'F32', '<i4': 'I32', '<u4': 'U32', '<f2': 'F16', '<i2': 'I16', '<u2': 'U16',
  '|i1': 'I8', '|u1': 'U8', '|b1': 'BOOL',
}; // prettier-ignore

/** The most arrays of a file, bytes of its header, and bytes that its arrays may take when they are unpacked. */
export const maxArrays = 16_384;
export const maxArraysHeaderBytes = 2 ** 22;
export const maxUnpackedBytes = 2 ** 31;

/** Makes an error of what is wrong with a file, in a clause. */
export type Invalid = (reason: string) => ExplorerError;

/**
 * The arrays of a `.npz` or `.safetensors` file, told by how it begins: what it says of each, held against the bytes there are. Their numbers are
 * read later. Throws what `invalid` makes of a reason.
 * @param mostBytes what they may take when they are unpacked.
 */
export function readArrays(file: FileBytes, invalid: Invalid, mostBytes: number): ReadonlyMap<string, ReadArray> {
  const first = file.read(0, Math.min(4, file.size));
  const isZip = first.length === 4 && first[0] === 0x50 && first[1] === 0x4b;
  const arrays = isZip ? readNpz(file, invalid, mostBytes) : readTensors(file, invalid);
  return new Map(arrays.map((array) => [array.name, array]));
}

function readNpz(file: FileBytes, invalid: Invalid, mostBytes: number): ReadArray[] {
  const bounds = { mostEntries: maxArrays, mostListBytes: maxArraysHeaderBytes };
  const entries = readZip(file, invalid, bounds).filter(({ name }) => name.endsWith('.npy'));
  if (entries.reduce((sum, { size }) => sum + size, 0) > mostBytes)
    throw invalid(`its arrays take more than ${formatBytes(mostBytes)}`);
  return entries.map((entry) => readNpy(file, entry, invalid));
}

/** The headers of most arrays, with what tells how long they are. */
const usualHeaderBytes = 512;

/** Reads NumPy's format 1.0 to 3.0 (`numpy.lib.format`). */
function readNpy(file: FileBytes, entry: ZipEntry, invalid: Invalid): ReadArray {
  const name = entry.name.slice(0, -4);
  let bytes = unpackFirst(file, entry, usualHeaderBytes, invalid);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isNpy = bytes.length >= 12 && view.getUint32(0) === 0x934e554d && view.getUint16(4) === 0x5059;
  const start = bytes[6] === 1 ? 10 : 12;
  const length = !isNpy ? 0 : bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const isWhole = isNpy && length <= maxArraysHeaderBytes && start + length <= entry.size;
  if (isWhole && bytes.length < start + length) bytes = unpackFirst(file, entry, start + length, invalid);
  // What is packed may be longer or shorter than the zip says, which is told first.
  const checkSize = (): void => void (entry.isDeflated && unpack(file, entry, invalid));
  if (!isWhole || bytes.length < start + length) {
    checkSize();
    throw invalid(`"${name}" is no array of NumPy's`);
  }
  const told = toldByNumPy(name, new TextDecoder().decode(bytes.subarray(start, start + length)), invalid);
  const read = (): Uint8Array => {
    const all = unpack(file, entry, invalid);
    return told.type === 'F32' ? alignedFrom(all, start + length) : all.subarray(start + length);
  };
  if (bytesOf(told) !== entry.size - start - length) checkSize();
  return checked(told, entry.size - start - length, { read, invalid });
}

/** What the header of an array of NumPy's says. */
function toldByNumPy(name: string, header: string, invalid: Invalid): ToldArray {
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (type === undefined || shape === undefined) throw invalid(`"${name}" is no array of numbers or text`);
  if (type.includes('O')) throw invalid(`"${name}" holds objects of Python: write numbers, or text of a fixed length`);
  if (/'fortran_order':\s*True/.test(header))
    throw invalid(`"${name}" is stored column by column: write it row by row`);
  const sides = shape
    .split(',')
    .filter((side) => side.trim() !== '')
    .map(Number);
  const text = /^<U(\d{1,9})$/.exec(type);
  const known = text === null ? numpyTypes[type] : 'TEXT';
  if (known === undefined) throw invalid(`"${name}" has the type ${type}, which is not known here`);
  return { name, type: known, shape: text === null ? sides : [...sides, Number(text[1])] };
}

/** Data behind a header, at a place where they can be used as they are: moved over the end of the header, which has been read, and not copied elsewhere. */
function alignedFrom(bytes: Uint8Array, start: number): Uint8Array {
  const off = (bytes.byteOffset + start) % 4;
  if (off !== 0) bytes.copyWithin(start - off, start);
  return bytes.subarray(start - off, bytes.length - off);
}

function readTensors(file: FileBytes, invalid: Invalid): ReadArray[] {
  if (file.size < 8) throw invalid('it is neither a zip nor a safetensors file');
  const first = file.read(0, 8);
  const length = Number(new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true));
  if (length > file.size - 8) throw invalid('it is neither a zip nor a safetensors file, or was cut off');
  if (length > maxArraysHeaderBytes) throw invalid(`its header is longer than ${maxArraysHeaderBytes / 2 ** 20} MB`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(file.read(8, length)));
  } catch {
    throw invalid('its header is no JSON');
  }
  const entries = Object.entries(Object(header) as Record<string, unknown>).filter(([name]) => name !== '__metadata__');
  if (entries.length > maxArrays) throw invalid(`it holds more than ${maxArrays} arrays`);
  const [start, size] = [8 + length, file.size - 8 - length];
  return entries.map(([name, entry]) => {
    const { dtype, shape, data_offsets: offsets } = Object(entry) as Readonly<Record<string, unknown>>; // checked below
    const type = String(dtype);
    if (!isElementType(type) || type === 'TEXT' || !areCounts(shape) || !areCounts(offsets) || offsets.length !== 2)
      throw invalid(`"${name}" is described in a way that is not known here`);
    const [from, to] = offsets;
    if (to > size || from > to) throw invalid(`"${name}" ends behind the file`);
    return checked({ name, type, shape }, to - from, { read: () => file.read(start + from, to - from), invalid });
  });
}

const isElementType = (type: string): type is ElementType => Object.hasOwn(elementBytes, type);

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 8 && value.every((each) => Number.isSafeInteger(each) && each >= 0);

const bytesOf = ({ type, shape }: ToldArray): number =>
  shape.reduce((product, side) => product * side, elementBytes[type]);

function checked(
  told: ToldArray,
  numBytes: number,
  { read, invalid }: { readonly read: () => Uint8Array; readonly invalid: Invalid },
): ReadArray {
  if (bytesOf(told) !== numBytes)
    throw invalid(`"${told.name}" does not have as many bytes as its shape (${told.shape.join(', ')}) says`);
  return new ReadArray(told, read);
}

/** Whether an array holds floating-point numbers. */
export function holdsFloats({ type }: ReadArray): boolean {
  return type === 'F32' || type === 'F64' || type === 'F16' || type === 'BF16';
}

/** The numbers of an array in single precision, in place where they are stored so; undefined where it holds none. */
export function floatsOf({ type, data }: ReadArray): Float32Array | undefined {
  const length = data.length / elementBytes[type];
  switch (type) {
    case 'F32':
      return data.byteOffset % 4 === 0
        ? new Float32Array(data.buffer, data.byteOffset, length)
        : new Float32Array(data.slice().buffer);
    case 'F64':
      return Float32Array.from(new Float64Array(data.slice().buffer));
    case 'F16':
      return fromHalf(new Uint16Array(data.slice().buffer));
    case 'BF16': {
      const bits = new Uint32Array(length);
      const halves = new Uint16Array(data.slice().buffer);
      for (let i = 0; i < length; i++) bits[i] = halves[i] << 16;
      return new Float32Array(bits.buffer);
    }
    default:
      return undefined;
  }
}

/** The whole numbers of an array; undefined where it holds none, or one that is not exact. */
export function integersOf({ type, data }: ReadArray): readonly number[] | undefined {
  const { buffer } = data.slice();
  switch (type) {
    case 'I64':
    case 'U64': {
      const numbers = Array.from(type === 'I64' ? new BigInt64Array(buffer) : new BigUint64Array(buffer), Number);
      return numbers.every(Number.isSafeInteger) ? numbers : undefined;
    }
    case 'I32':
      return [...new Int32Array(buffer)];
    case 'U32':
      return [...new Uint32Array(buffer)];
    case 'I16':
      return [...new Int16Array(buffer)];
    case 'U16':
      return [...new Uint16Array(buffer)];
    case 'I8':
      return [...new Int8Array(buffer)];
    case 'U8':
    case 'BOOL':
      return [...data];
    default:
      return undefined;
  }
}

/** The texts of an array: NumPy's own, or one text as bytes of UTF-8; undefined where it holds none. */
export function textsOf({ type, shape, data }: ReadArray): readonly string[] | undefined {
  if (type === 'U8' && shape.length === 1) return [new TextDecoder('utf-8', { ignoreBOM: true }).decode(data)];
  if (type !== 'TEXT') return undefined;
  const units = new Uint32Array(data.slice().buffer);
  const width = shape[shape.length - 1];
  return Array.from({ length: width === 0 ? 0 : units.length / width }, (_, i) => {
    const text = units.subarray(i * width, (i + 1) * width);
    let length = width;
    while (length > 0 && text[length - 1] === 0) length--;
    return Array.from(text.subarray(0, length), (point) =>
      point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd',
    ).join('');
  });
}
