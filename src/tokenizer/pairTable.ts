/** A hash table from two whole numbers (not negative, 31 bits) to a third one, in flat arrays (open addressing). */
export class PairTable {
  #first: Int32Array;
  #second: Int32Array;
  #values: Int32Array;
  #mask: number;
  #size = 0;

  constructor(expectedSize: number) {
    let capacity = 16;
    while (capacity < expectedSize * 2) capacity *= 2;
    this.#mask = capacity - 1;
    this.#first = new Int32Array(capacity).fill(-1);
    this.#second = new Int32Array(capacity);
    this.#values = new Int32Array(capacity);
  }

  /** The value of a pair, -1 where there is none. */
  get(first: number, second: number): number {
    const slot = this.#find(first, second);
    return this.#first[slot] === -1 ? -1 : this.#values[slot];
  }

  set(first: number, second: number, value: number): void {
    if (this.#size * 2 > this.#mask) this.#grow();
    const slot = this.#find(first, second);
    if (this.#first[slot] === -1) this.#size++;
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#values[slot] = value;
  }

  /** The slot that holds a pair, or the free one where it would go. */
  #find(first: number, second: number): number {
    let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & this.#mask;
    while (this.#first[slot] !== -1 && (this.#first[slot] !== first || this.#second[slot] !== second))
      slot = (slot + 1) & this.#mask;
    return slot;
  }

  #grow(): void {
    const [first, second, values] = [this.#first, this.#second, this.#values];
    const capacity = first.length * 2;
    this.#mask = capacity - 1;
    this.#first = new Int32Array(capacity).fill(-1);
    this.#second = new Int32Array(capacity);
    this.#values = new Int32Array(capacity);
    this.#size = 0;
    for (let i = 0; i < first.length; i++) if (first[i] !== -1) this.set(first[i], second[i], values[i]);
  }
}
