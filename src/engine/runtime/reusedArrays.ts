import type { WeightKernel } from './weightKernel';

/**
 * Arrays for the weights of one run after another, of which each is done with before the next begins. New ones would be as many megabytes of memory a run
 * that the system first has to clear, and that the collector has to hear of: of short texts this takes longer than the run.
 */
export class ReusedArrays {
  readonly #kernel: WeightKernel | undefined;
  readonly #buffers: ArrayBuffer[] = [];
  #numTaken = 0;
  /** What would lie in the kernel's memory, had it room for all, in bytes. */
  #wanted = 0;

  /** @param kernel whose memory they lie in, as soon as it is known how much they need. */
  constructor(kernel?: WeightKernel) {
    this.#kernel = kernel;
  }

  /** An array of this many numbers, whatever they are. */
  take(length: number): Float32Array {
    const bytes = length * Float32Array.BYTES_PER_ELEMENT;
    const offset = this.#wanted;
    this.#wanted += Math.ceil(bytes / 16) * 16;
    const placed = this.#kernel?.array(offset, length);
    if (placed !== undefined) return placed;
    const at = this.#numTaken++;
    const known = this.#buffers[at];
    if (known !== undefined && known.byteLength >= bytes) return new Float32Array(known, 0, length);
    return new Float32Array((this.#buffers[at] = new ArrayBuffer(bytes)));
  }

  /** Nobody reads any more what was taken: the next run may write over it. */
  reuse(): void {
    this.#kernel?.reserve(this.#wanted);
    this.#numTaken = 0;
    this.#wanted = 0;
  }
}
