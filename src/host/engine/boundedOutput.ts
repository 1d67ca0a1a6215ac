/** Of what one engine prints, so much goes to the log; and so much of the end is kept, to tell why it ended. */
const mostLogged = 65_536;
const mostKept = 16_384;

/** What an engine prints, on its way to the log. */
export class BoundedOutput {
  readonly #log: (text: string) => void;
  #numLogged = 0;
  #kept = '';

  constructor(log: (text: string) => void) {
    this.#log = log;
  }

  /** The last that was printed. */
  get last(): string {
    return this.#kept;
  }

  add(text: string): void {
    this.#kept = (this.#kept + text).slice(-mostKept);
    const left = mostLogged - this.#numLogged;
    if (left <= 0) return;
    this.#numLogged += text.length;
    this.#log(text.length < left ? text : `${text.slice(0, left)}… (what it prints from here on is left out)`);
  }
}
