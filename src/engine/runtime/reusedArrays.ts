/**
 * Arrays for the weights of one run after another, of which each is done with before the next begins. New ones would be as many megabytes of memory a run
 * that the system first has to clear, and that the collector has to hear of: of short texts this takes longer than the run.
 */
export class ReusedArrays {
  readonly #buffers: ArrayBuffer[] = [];
  #numTaken = 0;

  /** An array of this many numbers, whatever they are. */
  take(length: number): Float32Array {
    const at = this.#numTaken++;
    const bytes = length * Float32Array.BYTES_PER_ELEMENT;
    const known = this.#buffers[at];
    if (known !== undefined && known.byteLength >= bytes) return new Float32Array(known, 0, length);
    return new Float32Array((this.#buffers[at] = new ArrayBuffer(bytes)));
  }

  /** Nobody reads any more what was taken: the next run may write over it. */
  reuse(): void {
    this.#numTaken = 0;
  }
}
