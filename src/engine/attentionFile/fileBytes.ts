import type { Crc32 } from '../../model/numbers/zip';
import type { RandomAccessFile } from '../../onnx/file/compactModel';

/** The bytes of a file, which are read as they are needed. */
export interface FileBytes {
  readonly size: number;
  /** So many bytes from an offset on, all of which are within the size. Throws where they are no longer there. */
  read(offset: number, length: number): Uint8Array;
  /** The check sum of a zip's files, where it is faster here than in our own code. */
  readonly crc32?: Crc32 | undefined;
}

/** A file that is in memory: what is read of it are views. */
export function heldBytes(given: Uint8Array, crc32?: Crc32): FileBytes {
  // Of Node's own kind of bytes, a slice is no copy.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length), crc32 };
}

/** An open file; `cutOff` makes an error of its having become shorter since. */
export function bytesOfFile(file: RandomAccessFile, cutOff: () => Error, crc32?: Crc32): FileBytes {
  return {
    size: file.size,
    read(offset, length) {
      const bytes = file.read(offset, length);
      if (bytes.length < length) throw cutOff();
      return bytes;
    },
    crc32,
  };
}
