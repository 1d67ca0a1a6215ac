/**
 * What was used last, as much as there is room for; what came last stays, however large it is. A package for this has more bytes than most of what
 * the page draws, and all of them are read before the first picture.
 */
export class RecentlyUsed<Value extends object> {
  readonly #entries = new Map<string, { readonly value: Value; readonly size: number }>();
  readonly #room: number;
  readonly #sizeOf: (value: Value) => number;
  #size = 0;

  /** @param room how many values, or how much of what `sizeOf` counts. */
  constructor(room: number, sizeOf: (value: Value) => number = () => 1) {
    this.#room = room;
    this.#sizeOf = sizeOf;
  }

  /** The value of a name, which is used by that. */
  get(name: string): Value | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry.value;
  }

  /** The same, without using it. */
  peek(name: string): Value | undefined {
    return this.#entries.get(name)?.value;
  }

  set(name: string, value: Value): void {
    this.#delete(name);
    const size = this.#sizeOf(value);
    this.#entries.set(name, { value, size });
    this.#size += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= this.#room || oldest === name) break;
      this.#delete(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#size = 0;
  }

  #delete(name: string): void {
    this.#size -= this.#entries.get(name)?.size ?? 0;
    this.#entries.delete(name);
  }
}
