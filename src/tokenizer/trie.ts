import { PairTable } from './pairTable';

/** A prefix tree of strings over UTF-16 code units; each string carries a whole number that is not negative. */
export class Trie {
  /** The node of the empty string. */
  static readonly root = 0;
  readonly #edges = new PairTable(1024);
  readonly #values: number[] = [-1];
  readonly #first = new Set<number>();
  #firstUnits: RegExp | undefined;
  #steps = 0;
  #lastValue = -1;

  /** Steps that {@link longestMatch} has taken so far, for those that bound them. */
  get steps(): number {
    return this.#steps;
  }

  /** The value of what {@link longestMatch} found last. */
  get lastValue(): number {
    return this.#lastValue;
  }

  /** An expression (global) that matches the code units that a string begins with. */
  firstUnits(): RegExp {
    return (this.#firstUnits ??= new RegExp(
      `[${[...this.#first].map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}]`,
      'g',
    ));
  }

  /** Adds a string; a string added again takes the new value. */
  set(text: string, value: number): void {
    if (text !== '' && !this.#first.has(text.charCodeAt(0))) {
      this.#first.add(text.charCodeAt(0));
      this.#firstUnits = undefined;
    }
    let node = Trie.root;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let next = this.#edges.get(node, unit);
      if (next === -1) {
        next = this.#values.push(-1) - 1;
        this.#edges.set(node, unit, next);
      }
      node = next;
    }
    this.#values[node] = value;
  }

  /** The node one code unit further, -1 where no string goes on like this. */
  next(node: number, unit: number): number {
    return this.#edges.get(node, unit);
  }

  /** The value of the string that ends at a node, -1 where none does. */
  valueAt(node: number): number {
    return this.#values[node];
  }

  /** The node of a prefix, -1 where no string starts with it. */
  nodeOf(prefix: string): number {
    let node = Trie.root;
    for (let i = 0; i < prefix.length && node !== -1; i++) node = this.#edges.get(node, prefix.charCodeAt(i));
    return node;
  }

  /** The end of the longest string that starts at an index of a text, walking on from a node; -1 where none does. */
  longestMatch(text: string, from: number, node: number = Trie.root): number {
    let end = -1;
    let i = from;
    while (i < text.length) {
      node = this.#edges.get(node, text.charCodeAt(i++));
      if (node === -1) break;
      const value = this.#values[node];
      if (value === -1) continue;
      end = i;
      this.#lastValue = value;
    }
    this.#steps += i - from;
    return end;
  }
}
