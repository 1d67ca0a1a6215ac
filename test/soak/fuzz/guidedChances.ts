import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';
import { below, oneOf, type Chances } from './fuzzTarget';

/** Of inputs that reached new code, numbers beyond these decide nothing that matters. */
const mostNumbers = 400;

/**
 * Chances of which those are kept that reach code which none before reached, by V8's own coverage, and changed for later inputs.
 * What is kept stands in a file, a list of numbers a line, and is read again.
 */
export class GuidedChances {
  readonly #random: Chances;
  readonly #file: string;
  readonly #script: string;
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #kept: number[][] = [];
  #numbers: number[] = [];
  /** Kept inputs of an earlier session that are still to be read again, so that what they reach counts as reached. */
  #numToRepeat: number;

  /** `script`: the address of the bundle whose code counts. */
  constructor(random: Chances, file: string, script: string) {
    this.#random = random;
    this.#file = file;
    this.#script = script;
    if (existsSync(file))
      for (const line of readFileSync(file, 'utf8').split('\n'))
        if (line.endsWith(']')) this.#kept.push(JSON.parse(line) as number[]); // written below
    this.#numToRepeat = this.#kept.length;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many inputs are kept. */
  get numKept(): number {
    return this.#kept.length;
  }

  /** How many blocks of code were reached. */
  get numBlocks(): number {
    return this.#seen.size;
  }

  /** What decided the latest input. */
  get numbers(): readonly number[] {
    return this.#numbers;
  }

  /** Chances for the next input: one that is kept, changed, or fresh ones. */
  next(): Chances {
    const given =
      this.#numToRepeat > 0
        ? this.#kept[--this.#numToRepeat]
        : this.#kept.length > 0 && this.#random() < 0.7
          ? this.#changed()
          : [];
    const numbers = (this.#numbers = [] as number[]);
    return () => {
      const number = given[numbers.length] ?? this.#random();
      if (numbers.length < mostNumbers) numbers.push(number);
      return number;
    };
  }

  /** Keeps what decided the latest input where it reached new code. */
  learn(): void {
    const isRepeated = this.#numToRepeat > 0;
    let isNew = false;
    // It answers before it returns.
    this.#session.post('Profiler.takePreciseCoverage', (_error, { result }: Profiler.TakePreciseCoverageReturnType) => {
      for (const { url, functions } of result) {
        if (url !== this.#script) continue;
        for (const { ranges } of functions) {
          for (const { count, startOffset, endOffset } of ranges) {
            const block = `${startOffset}:${endOffset}`;
            if (count === 0 || this.#seen.has(block)) continue;
            this.#seen.add(block);
            isNew = true;
          }
        }
      }
    });
    if (!isNew || isRepeated) return;
    this.#kept.push([...this.#numbers]);
    appendFileSync(this.#file, `${JSON.stringify(this.#numbers)}\n`);
  }

  #changed(): number[] {
    const random = this.#random;
    const numbers = [...oneOf(random, this.#kept)];
    for (let i = below(random, 4); i >= 0; i--) {
      const at = below(random, numbers.length);
      switch (below(random, 4)) {
        case 0:
          numbers.splice(at, 1);
          break;
        case 1:
          numbers.splice(at, 0, random());
          break;
        case 2: // goes on as another one
          numbers.splice(at, Infinity, ...oneOf(random, this.#kept).slice(at));
          break;
        default:
          numbers[at] = random();
      }
    }
    return numbers;
  }
}
