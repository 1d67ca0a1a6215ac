import { ExplorerError } from '../base/errors';

/** A tensor of a safetensors file; `data` are its little-endian bytes. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const elementBytes = new Map([
  ['F64', 8],
  ['I64', 8],
  ['U64', 8],
  ['F32', 4],
  ['I32', 4],
  ['U32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I16', 2],
  ['U16', 2],
  ['I8', 1],
  ['U8', 1],
  ['BOOL', 1],
]);

/** Room for the names and shapes of some ten thousand tensors. */
export const maxHeaderBytes = 2 ** 20;

/** Reads a safetensors file: an eight-byte header length, a JSON header, the data. Throws `invalidArgument`. */
export function readSafetensors(bytes: Uint8Array, name: string): ReadonlyMap<string, StoredTensor> {
  const invalid = (reason: string): ExplorerError =>
    new ExplorerError('invalidArgument', [name, `it is not a safetensors file: ${reason}`]);
  if (bytes.length < 8) throw invalid('it is too short');
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (headerLength > bytes.length - 8) throw invalid('its header is longer than the file');
  if (headerLength > maxHeaderBytes) throw invalid(`its header is longer than ${maxHeaderBytes / 2 ** 20} MB`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  } catch {
    throw invalid('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null) throw invalid('its header is no object');
  const data = bytes.subarray(8 + headerLength);
  const tensors = new Map<string, StoredTensor>();
  for (const [key, entry] of Object.entries(header)) {
    if (key === '__metadata__') continue;
    const {
      dtype,
      shape,
      data_offsets: offsets,
    } = Object(entry) as { dtype: unknown; shape: unknown; data_offsets: unknown }; // checked below
    const width = elementBytes.get(String(dtype));
    const isCounts = (value: unknown): value is number[] =>
      Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
    if (width === undefined || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
      throw invalid(`"${key}" is malformed`);
    const [start, end] = offsets;
    if (end > data.length || end - start !== shape.reduce((product, dim) => product * dim, width))
      throw invalid(`"${key}" does not fit its shape`);
    tensors.set(key, { dtype: String(dtype), shape, data: data.subarray(start, end) });
  }
  return tensors;
}

/** Writes tensors as a safetensors file. */
export function writeSafetensors(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
  const header: Record<string, unknown> = {};
  let length = 0;
  for (const [key, { dtype, shape, data }] of tensors) {
    header[key] = { dtype, shape, data_offsets: [length, length + data.length] };
    length += data.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // The data begins at a multiple of eight: the header is padded with spaces.
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + length).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  let at = 8 + headerLength;
  for (const { data } of tensors.values()) {
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}
