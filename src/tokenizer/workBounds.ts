/** Says that a tokenizer asks for more work on a text than any honest one does; {@link Tokenizer} adds its name. */
export class TooCostlyError extends Error {}

/** Parts that a section of a tokenizer.json (its normalizer, its decoder, …) may be put together from. */
export const maxParts = 256;

/** Pieces, and merges of these, in a file that lists them; those of real tokenizers have up to half a million. */
export const maxPieces = 2 ** 22;

/** UTF-16 code units of a regular expression; those of real tokenizers have a few hundred. */
export const maxExpressionUnits = 2 ** 14;

/** The longest that a text of so many code units may become on its way: a character can become 18 by Unicode's own rules. */
export function mostUnits(units: number): number {
  return 64 * units + 2 ** 16;
}

/** Steps of a search for pieces in a text of so many code units: at each place it can go as far as the longest piece, but real texts and pieces part early. */
export function mostSearchSteps(units: number): number {
  return 256 * units + 2 ** 22;
}

/** Counts the code units that the steps of one encoding write, so that no chain of steps makes a text grow without end, nor goes over a long one too often. */
export class WrittenUnits {
  readonly #longest: number;
  #left: number;

  /** @param units length of the text that is encoded, in UTF-16 code units. */
  constructor(units: number) {
    this.#longest = mostUnits(units);
    this.#left = 256 * units + 2 ** 20;
  }

  /** Counts a text that is about to be made. Throws {@link TooCostlyError}. */
  spend(units: number): void {
    this.check(units);
    this.#left -= units;
    if (this.#left < 0) throw new TooCostlyError('its steps write the text over too often');
  }

  /** Throws {@link TooCostlyError} where a text that is being put together is too long already. */
  check(units: number): void {
    if (units > this.#longest) throw new TooCostlyError('its steps make the text far too long');
  }
}
