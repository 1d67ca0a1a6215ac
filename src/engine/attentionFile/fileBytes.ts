import type { RandomAccessFile } from '../../onnx/file/compactModel';

/** The bytes of a file, which are read as they are needed. */
export interface FileBytes {
  readonly size: number;
  /** So many bytes from an offset on, all of which are within the size. Throws where they are no longer there. */
  read(offset: number, length: number): Uint8Array;
}

/** A file that is in memory: what is read of it are views. */
export function heldBytes(given: Uint8Array): FileBytes {
  // Of Node's own kind of bytes, a slice is no copy.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** An open file; `cutOff` makes an error of its having become shorter since. */
export function bytesOfFile(file: RandomAccessFile, cutOff: () => Error): FileBytes {
  return {
    size: file.size,
    read(offset, length) {
      const bytes = file.read(offset, length);
      if (bytes.length < length) throw cutOff();
      return bytes;
    },
  };
}
