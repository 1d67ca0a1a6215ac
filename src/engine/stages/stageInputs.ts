import type * as Ort from 'onnxruntime-common';

/**
 * What a run was fed and, as far as there is memory for it, what its stages were given: from the last stage whose tensors are here
 * layers can be run again without what comes before it.
 */
export class StageInputs {
  readonly #mostBytes: number;
  readonly #stages = new Map<number, ReadonlyMap<string, Ort.Tensor>>();
  #feeds: ReadonlyMap<string, Ort.Tensor> = new Map();

  /** @param mostBytes beyond this no other stage is kept. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Bytes that are kept beside what the model was fed; a tensor that several stages are given counts once. */
  get bytes(): number {
    const tensors = new Set([...this.#stages.values()].flatMap((stage) => [...stage.values()]));
    for (const tensor of this.#feeds.values()) tensors.delete(tensor);
    return [...tensors].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  }

  /** Remembers what the model is fed. */
  begin(feeds: Readonly<Record<string, Ort.Tensor>>): void {
    this.#feeds = new Map(Object.entries(feeds));
  }

  /** Remembers what a stage is given, unless that is too much. */
  add(stage: number, tensors: Readonly<Record<string, Ort.Tensor>>): void {
    this.#stages.set(stage, new Map(Object.entries(tensors)));
    if (this.bytes > this.#mostBytes) this.drop(stage);
  }

  /** A tensor, whoever was given it. */
  get(name: string): Ort.Tensor | undefined {
    for (const stage of this.#stages.values()) if (stage.has(name)) return stage.get(name);
    return this.#feeds.get(name);
  }

  /** The numbers that a stage was given, as far as they are kept. */
  givenTo(stage: number): { readonly byteLength: number }[] {
    return [...(this.#stages.get(stage)?.values() ?? [])].flatMap(({ data }) => ('byteLength' in data ? data : []));
  }

  /** Lets go of what a stage alone was given. */
  drop(stage: number): void {
    this.#stages.delete(stage);
  }
}

function bytesOf({ data, size }: Ort.Tensor): number {
  return 'byteLength' in data ? data.byteLength : size; // only tensors of strings have no bytes of their own
}
