const positionRange = 0x80000000;

/** A binary heap of merges «rank, position»: the lowest rank comes first, then the leftmost. Ranks are below 2^22, positions below 2^31. */
export class MergeQueue {
  // Rank and position in one double, which holds both exactly.
  #keys = new Float64Array(64);
  #size = 0;
  /** What was removed last. */
  rank = 0;
  position = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  push(rank: number, position: number): void {
    if (this.#size === this.#keys.length) {
      const keys = new Float64Array(this.#size * 2);
      keys.set(this.#keys);
      this.#keys = keys;
    }
    const keys = this.#keys;
    const key = rank * positionRange + position;
    let i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (keys[parent] <= key) break;
      keys[i] = keys[parent];
      i = parent;
    }
    keys[i] = key;
  }

  /** Removes the first merge of a queue that is not empty: its rank and position are then to be had here. */
  pop(): void {
    const keys = this.#keys;
    const first = keys[0];
    const last = keys[--this.#size];
    const size = this.#size;
    let i = 0;
    for (let child = 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= last) break;
      keys[i] = keys[child];
      i = child;
    }
    keys[i] = last;
    this.rank = Math.floor(first / positionRange);
    this.position = first - this.rank * positionRange;
  }
}
