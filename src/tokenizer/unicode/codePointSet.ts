/** A set of code points, read from packed runs; membership is one bit test. */
export class CodePointSet {
  readonly #bits = new Uint32Array(0x110000 / 32);

  /** Reads pairs «gap since the last run, length» in base 36, as in `tables.ts`. */
  constructor(runs: string) {
    forEachCodePoint(runs, (codePoint) => {
      this.#bits[codePoint >>> 5] |= 1 << (codePoint & 31);
    });
  }

  has(codePoint: number): boolean {
    return ((this.#bits[codePoint >>> 5] >>> (codePoint & 31)) & 1) === 1;
  }
}

/** Calls `visit` for every code point of packed runs, ascending. */
export function forEachCodePoint(runs: string, visit: (codePoint: number) => void): void {
  const numbers = runs.split(' ');
  let next = 0;
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    next += parseInt(numbers[i], 36);
    for (const end = next + parseInt(numbers[i + 1], 36); next < end; next++) visit(next);
  }
}

/** A value that is made when it is first asked for. */
export function lazy<T>(make: () => T): () => T {
  let value: { readonly made: T } | undefined;
  return () => (value ??= { made: make() }).made;
}
