/** How much a profile may take: tokens, minutes, or neither. */
export interface ProfileBudget {
  readonly tokens?: number;
  readonly minutes?: number;
}

/** What is said of the time that is left only after so long and so many texts: before, it would be guessed. */
const leastSeconds = 5;
const leastTexts = 3;

const nothing = { bytes: 0, numTokens: 0, seconds: 0 };

/** How fast a profile is, and how long it will take, by what it took so far; the time in which it rests counts nothing. */
export class ProfilePace {
  readonly #totalBytes: number;
  readonly #budget: ProfileBudget;
  numTexts = 0;
  numTokens = 0;
  #bytes = 0;
  #seconds = 0;
  /** Of the text that is being read. */
  #part = nothing;

  /** @param totalBytes of all texts. */
  constructor(totalBytes: number, budget: ProfileBudget) {
    this.#totalBytes = totalBytes;
    this.#budget = budget;
  }

  /** So much of the text that is being read was read, in so many seconds; nothing where it is begun anew. */
  within(bytes: number, numTokens: number, seconds: number): void {
    this.#part = { bytes, numTokens, seconds };
  }

  /** A text of so many bytes has been read, or left out, which took so long. */
  add(bytes: number, numTokens: number, seconds: number): void {
    this.#part = nothing;
    this.numTexts++;
    this.numTokens += numTokens;
    this.#bytes += bytes;
    this.#seconds += seconds;
  }

  /** Whether nothing more may be read; what was read of a text counts, whether or not that is read to its end. */
  get isSpent(): boolean {
    const { tokens = Infinity, minutes = Infinity } = this.#budget;
    return this.numTokens + this.#part.numTokens >= tokens || this.#seconds + this.#part.seconds >= 60 * minutes;
  }

  get tokensPerSecond(): number {
    const seconds = this.#seconds + this.#part.seconds;
    return seconds > 0 ? (this.numTokens + this.#part.numTokens) / seconds : 0;
  }

  /** How many seconds are left, as long as the texts to come are like those so far, and within the budget; undefined until that can be said. */
  get secondsLeft(): number | undefined {
    const [bytes, numTokens, seconds] = [
      this.#bytes + this.#part.bytes,
      this.numTokens + this.#part.numTokens,
      this.#seconds + this.#part.seconds,
    ];
    if (seconds < leastSeconds || this.numTexts < leastTexts || bytes === 0 || numTokens === 0) return undefined;
    const { tokens = Infinity, minutes = Infinity } = this.#budget;
    return Math.max(
      0,
      Math.min(
        ((this.#totalBytes - bytes) * seconds) / bytes,
        (tokens - numTokens) / this.tokensPerSecond,
        60 * minutes - seconds,
      ),
    );
  }
}
