/** The symbols of a word while they are merged: a doubly linked list in flat arrays. */
export class SymbolList {
  ids: Int32Array;
  /** Where the characters that each symbol stands for start and end in the word; the end is -1 once it is merged away. */
  starts: Int32Array;
  ends: Int32Array;
  previous: Int32Array;
  next: Int32Array;
  size = 0;

  constructor(capacity: number) {
    this.ids = new Int32Array(capacity);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
  }

  push(id: number, start: number, end: number): void {
    if (this.size === this.ids.length) this.#grow();
    const position = this.size++;
    this.ids[position] = id;
    this.starts[position] = start;
    this.ends[position] = end;
    this.previous[position] = position - 1;
    this.next[position] = -1;
    if (position > 0) this.next[position - 1] = position;
  }

  #grow(): void {
    const grown = (array: Int32Array): Int32Array => {
      const result = new Int32Array(Math.max(8, array.length * 2));
      result.set(array);
      return result;
    };
    this.ids = grown(this.ids);
    this.starts = grown(this.starts);
    this.ends = grown(this.ends);
    this.previous = grown(this.previous);
    this.next = grown(this.next);
  }
}
