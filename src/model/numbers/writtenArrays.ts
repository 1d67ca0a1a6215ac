/** Types of arrays, as safetensors names them, with their bytes and NumPy's name. */
const arrayTypes = {
  F32: { bytes: 4, numpy: '<f4' },
  F16: { bytes: 2, numpy: '<f2' },
  I32: { bytes: 4, numpy: '<i4' },
  U8: { bytes: 1, numpy: '|u1' },
  BOOL: { bytes: 1, numpy: '|b1' },
} as const;

/** A named array that is written as it comes. */
export interface WrittenArray {
  readonly name: string;
  readonly type: keyof typeof arrayTypes;
  readonly shape: readonly number[];
  /** Its little-endian bytes, row-major, from first to last; what was handed out is not kept. */
  readonly pieces: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** A named array that is held as a whole: little-endian bytes, row-major. */
export interface HeldArray extends Pick<WrittenArray, 'name' | 'type' | 'shape'> {
  readonly data: Uint8Array;
}

/** The bytes of an array. */
export function lengthOf({ type, shape }: Pick<WrittenArray, 'type' | 'shape'>): number {
  return shape.reduce((product, side) => product * side, arrayTypes[type].bytes);
}

/** What stands before the data of a `.npy` file: format 1.0 of NumPy's `numpy.lib.format`, the data at a multiple of 64. */
export function npyHeader({ type, shape }: Pick<WrittenArray, 'type' | 'shape'>): Uint8Array {
  const written = `{'descr': '${arrayTypes[type].numpy}', 'fortran_order': False, 'shape': (${shape.map((side) => `${side},`).join(' ')}), }`;
  // Magic, version and length take ten bytes; what is added is spaces and a line's end.
  const length = Math.ceil((10 + written.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, length, true);
  bytes.set(new TextEncoder().encode(`${written.padEnd(length - 1)}\n`), 10);
  return bytes;
}

/** What stands before the data of a safetensors file: the length of a JSON header, and the header, padded to a multiple of eight. */
export function safetensorsHeader(arrays: readonly Pick<WrittenArray, 'name' | 'type' | 'shape'>[]): Uint8Array {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const array of arrays) {
    const { name, type, shape } = array;
    header[name] = { dtype: type, shape, data_offsets: [at, (at += lengthOf(array))] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}
