import type { ExplorerError } from '../../base/errors';
import { formatBytes } from '../../model/fileLimits';
import { fromHalf } from '../../model/numbers/half';
import { readZip, unpack } from './readZip';

/** An array of a file: little-endian bytes, row-major. */
export interface ReadArray {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
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
 * The arrays of a `.npz` or `.safetensors` file, told by how it begins. Throws what `invalid` makes of a reason.
 * @param mostBytes what they may take when they are unpacked.
 */
export function readArrays(given: Uint8Array, invalid: Invalid, mostBytes: number): ReadonlyMap<string, ReadArray> {
  // Of Node's own kind of bytes, a slice is no copy.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const isZip = bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b;
  const arrays = isZip ? readNpz(bytes, invalid, mostBytes) : readTensors(bytes, invalid);
  return new Map(arrays.map((array) => [array.name, array]));
}

function readNpz(bytes: Uint8Array, invalid: Invalid, mostBytes: number): ReadArray[] {
  const entries = readZip(bytes, invalid, maxArrays).filter(({ name }) => name.endsWith('.npy'));
  if (entries.reduce((sum, { size }) => sum + size, 0) > mostBytes)
    throw invalid(`its arrays take more than ${formatBytes(mostBytes)}`);
  return entries.map((entry) => readNpy(entry.name.slice(0, -4), unpack(entry, invalid), invalid));
}

/** Reads NumPy's format 1.0 to 3.0 (`numpy.lib.format`). */
function readNpy(name: string, bytes: Uint8Array, invalid: Invalid): ReadArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isNpy = bytes.length >= 12 && view.getUint32(0) === 0x934e554d && view.getUint16(4) === 0x5059;
  const start = bytes[6] === 1 ? 10 : 12;
  const length = !isNpy ? 0 : bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (!isNpy || length > maxArraysHeaderBytes || start + length > bytes.length)
    throw invalid(`"${name}" is no array of NumPy's`);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
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
  return checked(
    {
      name,
      type: known,
      shape: text === null ? sides : [...sides, Number(text[1])],
      data: known === 'F32' ? alignedFrom(bytes, start + length) : bytes.subarray(start + length),
    },
    invalid,
  );
}

/** Data behind a header, at a place where they can be used as they are: moved over the end of the header, which has been read, and not copied elsewhere. */
function alignedFrom(bytes: Uint8Array, start: number): Uint8Array {
  const off = (bytes.byteOffset + start) % 4;
  if (off !== 0) bytes.copyWithin(start - off, start);
  return bytes.subarray(start - off, bytes.length - off);
}

function readTensors(bytes: Uint8Array, invalid: Invalid): ReadArray[] {
  if (bytes.length < 8) throw invalid('it is neither a zip nor a safetensors file');
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > bytes.length - 8) throw invalid('it is neither a zip nor a safetensors file, or was cut off');
  if (length > maxArraysHeaderBytes) throw invalid(`its header is longer than ${maxArraysHeaderBytes / 2 ** 20} MB`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  } catch {
    throw invalid('its header is no JSON');
  }
  const entries = Object.entries(Object(header) as Record<string, unknown>).filter(([name]) => name !== '__metadata__');
  if (entries.length > maxArrays) throw invalid(`it holds more than ${maxArrays} arrays`);
  const data = bytes.subarray(8 + length);
  return entries.map(([name, entry]) => {
    const { dtype, shape, data_offsets: offsets } = Object(entry) as Readonly<Record<string, unknown>>; // checked below
    const type = String(dtype);
    if (!isElementType(type) || type === 'TEXT' || !areCounts(shape) || !areCounts(offsets) || offsets.length !== 2)
      throw invalid(`"${name}" is described in a way that is not known here`);
    const [from, to] = offsets;
    if (to > data.length || from > to) throw invalid(`"${name}" ends behind the file`);
    return checked({ name, type, shape, data: data.subarray(from, to) }, invalid);
  });
}

const isElementType = (type: string): type is ElementType => Object.hasOwn(elementBytes, type);

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 8 && value.every((each) => Number.isSafeInteger(each) && each >= 0);

function checked(array: ReadArray, invalid: Invalid): ReadArray {
  const { name, type, shape, data } = array;
  if (shape.reduce((product, side) => product * side, elementBytes[type]) !== data.length)
    throw invalid(`"${name}" does not have as many bytes as its shape (${shape.join(', ')}) says`);
  return array;
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
