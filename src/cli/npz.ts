import { zipSync, type Zippable } from 'fflate';
import type { StoredTensor } from './safetensors';

/** The types of arrays as NumPy writes them. */
const descriptors: Readonly<Record<string, string>> = { F32: '<f4', I32: '<i4', U8: '|u1', BOOL: '|b1' };

/** Writes tensors of floats, 32-bit integers, bytes and truth values as NumPy's `.npz`: one `.npy` file of format 1.0 for each, not compressed. */
export function writeNpz(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
  const files: Zippable = {};
  for (const [name, tensor] of tensors) files[`${name}.npy`] = [writeNpy(tensor), { level: 0, mtime: '1980-01-01' }];
  return zipSync(files);
}

function writeNpy({ dtype, shape, data }: StoredTensor): Uint8Array {
  const descriptor = descriptors[dtype];
  if (descriptor === undefined) throw new RangeError(`No array of type ${dtype}`);
  const written = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': (${shape.map((side) => `${side},`).join(' ')}), }`;
  // Magic, version and length take ten bytes; the data begins at a multiple of 64, after a line's end.
  const headerLength = Math.ceil((10 + written.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + headerLength + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, headerLength, true);
  bytes.set(new TextEncoder().encode(`${written.padEnd(headerLength - 1)}\n`), 10);
  bytes.set(data, 10 + headerLength);
  return bytes;
}
