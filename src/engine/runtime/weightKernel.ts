import binary from './weights.wasm';

/** What `assembly/weights.ts` offers. Places are addresses in its memory, in bytes. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly addRows: (
    ...of: [
      ...[rows: number, numRows: number, numKeys: number, numQueries: number, first: number, ahead: number],
      ...[classes: number, columns: number, lags: number, entropies: number],
    ]
  ) => number;
  readonly addRuns: (
    ...of: [
      ...[rows: number, first: number, end: number],
      ...[runs: number, from: number, numRuns: number, sums: number],
    ]
  ) => number;
  readonly addRepeated: (
    ...of: [
      ...[rows: number, first: number, end: number],
      ...[cells: number, from: number, numCells: number, least: number, sums: number],
    ]
  ) => number;
  readonly addColumns: (
    ...of: [
      ...[columns: number, stride: number, numClasses: number, keyClasses: number, numKeys: number],
      ...[all: number, table: number],
    ]
  ) => void;
  readonly scan: (
    ...of: [...[rows: number, numQueries: number, numKeys: number, ahead: number], ...[sums: number]]
  ) => number;
}

const pageBytes = 65536;
/** Behind what the module has of its own: a few constants, from 1024 on. */
const firstAddress = 2048;
/** For the two sums of a scan, which comes whenever a model was run: apart from what others compute. */
const scanBytes = 16;
/** For what is computed; nothing of it is memory of the machine before it is written. */
const scratchBytes = 4 * 2 ** 20;
const scratchAddress = firstAddress + scanBytes;
const arraysAddress = scratchAddress + scratchBytes;
/** The most bytes of arrays, so that addresses are those of 32 bits with a sign. */
const mostArrayBytes = 2 ** 30;
/** Four weights are read at once, the last ones too. */
const slackBytes = 16;

/** The kernels whose memory arrays lie in. */
const kernels = new WeakMap<ArrayBufferLike, WeightKernel>();

/** The kernel whose memory holds an array, if one does. */
export function kernelHolding({ buffer }: Float32Array): WeightKernel | undefined {
  return kernels.get(buffer);
}

/** Loops over weights in WebAssembly with vectors, with a memory of their own in which the runtime may write weights: these need not be copied. */
export class WeightKernel {
  readonly exports: Exports;
  /** For the one who computes, who finds again what it put there. */
  readonly scratch = { from: scratchAddress, to: arraysAddress };
  /** Where a scan writes. */
  readonly scanned = firstAddress;

  private constructor(exports: Exports) {
    this.exports = exports;
    this.#grow(arraysAddress);
    kernels.set(this.buffer, this);
  }

  /** Undefined where there is no WebAssembly, none with vectors, or no memory for it. */
  static create(): WeightKernel | undefined {
    try {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
      return new WeightKernel(exports as unknown as Exports); // as assembly/weights.ts has it
    } catch {
      return undefined;
    }
  }

  get buffer(): ArrayBuffer {
    return this.exports.memory.buffer;
  }

  /** An array of so many numbers, so many bytes after the first one; undefined where there is no room. */
  array(offset: number, length: number): Float32Array | undefined {
    const start = arraysAddress + offset;
    const end = start + length * Float32Array.BYTES_PER_ELEMENT + slackBytes;
    return end > this.buffer.byteLength ? undefined : new Float32Array(this.buffer, start, length);
  }

  /** Makes room for so many bytes of arrays, as far as that can be had. Arrays that lie there are gone then. */
  reserve(bytes: number): void {
    if (bytes > mostArrayBytes) return;
    try {
      this.#grow(arraysAddress + bytes + slackBytes);
      kernels.set(this.buffer, this);
    } catch {
      // Without the memory, arrays lie elsewhere, and are copied.
    }
  }

  #grow(bytes: number): void {
    const missing = bytes - this.buffer.byteLength;
    if (missing > 0) this.exports.memory.grow(Math.ceil(missing / pageBytes));
  }
}
