/** What marks a token beside its depth of colour; several can hold at once. */
export const mark = {
  pinned: 1,
  looking: 2,
  cursor: 4,
  crossQuery: 8,
  crossKey: 16,
  sink: 32,
  found: 64,
  pointed: 128,
} as const;

const markClasses: readonly (readonly [bit: number, name: string])[] = [
  [mark.pinned, 'pinned'],
  [mark.looking, 'looking'],
  [mark.cursor, 'cursor'],
  [mark.crossQuery, 'cross-query'],
  [mark.crossKey, 'cross-key'],
  [mark.sink, 'sink'],
  [mark.found, 'found'],
  [mark.pointed, 'pointed'],
];

/** Lights the tokens of one stream by writing classes to those of its elements that change, and to no other. */
export class TokenPainter {
  readonly #elements: readonly (readonly HTMLElement[])[];
  readonly #baseClasses = new Map<HTMLElement, string>();
  readonly #levels: Uint8Array;
  readonly #marks: Uint8Array;

  /** @param root holds elements with `data-token`, the position in the stream; a token may have several. */
  constructor(root: HTMLElement, count: number) {
    const elements: HTMLElement[][] = Array.from({ length: count }, () => []);
    for (const element of root.querySelectorAll<HTMLElement>('[data-token]')) {
      elements[Number(element.dataset['token'])]?.push(element);
      this.#baseClasses.set(element, element.className);
    }
    this.#elements = elements;
    this.#levels = new Uint8Array(count);
    this.#marks = new Uint8Array(count);
  }

  /** The elements of a token, in the order of its text. */
  elementsOf(position: number): readonly HTMLElement[] {
    return this.#elements[position] ?? [];
  }

  /** Shows levels and marks, one each for every token; returns how many tokens it touched. */
  paint(levels: Uint8Array, marks: Uint8Array): number {
    let touched = 0;
    for (let position = 0; position < this.#elements.length; position++) {
      if (this.#levels[position] === levels[position] && this.#marks[position] === marks[position]) continue;
      this.#levels[position] = levels[position];
      this.#marks[position] = marks[position];
      touched++;
      let added = levels[position] > 0 ? ` d${levels[position]}` : '';
      if (marks[position] !== 0)
        for (const [bit, name] of markClasses) if ((marks[position] & bit) !== 0) added += ` ${name}`;
      for (const element of this.#elements[position])
        element.className = `${this.#baseClasses.get(element) ?? ''}${added}`;
    }
    return touched;
  }
}
