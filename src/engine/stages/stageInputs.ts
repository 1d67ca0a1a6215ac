import type * as Ort from 'onnxruntime-common';

/** What all stages of one run were given, as far as there is memory for it: from there each can be run again without those before it. */
export class StageInputs {
  readonly #mostBytes: number;
  readonly #tensors = new Map<string, Ort.Tensor>();
  #bytes = 0;
  #isComplete = true;

  /** @param mostBytes beyond this nothing is kept. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all of it is here; otherwise it was too much, and nothing is. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Remembers what a stage is given; a tensor that several are given counts once. */
  add(tensors: Readonly<Record<string, Ort.Tensor>>): void {
    if (!this.#isComplete) return;
    for (const [name, tensor] of Object.entries(tensors)) {
      if (this.#tensors.has(name)) continue;
      this.#tensors.set(name, tensor);
      this.#bytes += bytesOf(tensor);
    }
    if (this.#bytes > this.#mostBytes) this.clear();
  }

  get(name: string): Ort.Tensor | undefined {
    return this.#tensors.get(name);
  }

  /** Lets go of everything. */
  clear(): void {
    this.#tensors.clear();
    this.#bytes = 0;
    this.#isComplete = false;
  }
}

function bytesOf({ data, size }: Ort.Tensor): number {
  return 'byteLength' in data ? data.byteLength : size; // only tensors of strings have no bytes of their own
}
