/** A set of code points, read from packed runs; membership is one bit test. */
export class CodePointSet {
  readonly #bits = new Uint32Array(0x110000 / 32);
  readonly #runs: string;

  /** Reads pairs «gap since the last run, length» in base 36, as in `tables.ts`. */
  constructor(runs: string) {
    this.#runs = runs;
    forEachCodePoint(runs, (codePoint) => {
      this.#bits[codePoint >>> 5] |= 1 << (codePoint & 31);
    });
  }

  has(codePoint: number): boolean {
    return ((this.#bits[codePoint >>> 5] >>> (codePoint & 31)) & 1) === 1;
  }

  /** Its members as they are written between the brackets of a regular expression with the flag `u`. */
  get members(): string {
    const escape = (codePoint: number): string => `\\u{${codePoint.toString(16)}}`;
    const numbers = this.#runs.split(' ').map((number) => parseInt(number, 36));
    let next = 0;
    let members = '';
    for (let i = 0; i + 1 < numbers.length; i += 2) {
      const first = next + numbers[i];
      next = first + numbers[i + 1];
      members += numbers[i + 1] === 1 ? escape(first) : `${escape(first)}-${escape(next - 1)}`;
    }
    return members;
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
