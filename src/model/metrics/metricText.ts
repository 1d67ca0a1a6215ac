import type { ComponentInfo } from '../head';
import type { TokenStream } from '../token';

/** The tokens that someone asks about: how much do these queries read those keys? Positions, each once. */
export interface AskedTokens {
  readonly queries: readonly number[];
  readonly keys: readonly number[];
}

/** What is known of a component's text, as it crosses to where the weights are. */
export interface MetricTextData {
  readonly isCausal: boolean;
  /** The ids of the queries. */
  readonly ids: Int32Array;
  /** 1 for each key that is a delimiter. */
  readonly delimiters: Uint8Array;
  /** Whether the tokens are patches of a picture, which stand in a plane. */
  readonly isPicture: boolean;
  readonly asked?: AskedTokens | undefined;
}

/** What metrics know of a component's text beside weights; what follows from it is found once for all heads. */
export class MetricText implements MetricTextData {
  readonly isCausal: boolean;
  readonly ids: Int32Array;
  readonly delimiters: Uint8Array;
  readonly isPicture: boolean;
  readonly asked: AskedTokens | undefined;
  #before: Int32Array | undefined;
  #numRepeated: number | undefined;
  #delimiterKeys: readonly number[] | undefined;

  constructor({ isCausal, ids, delimiters, isPicture, asked }: MetricTextData) {
    this.isCausal = isCausal;
    this.ids = ids;
    this.delimiters = delimiters;
    this.isPicture = isPicture;
    this.asked = asked;
  }

  get numQueries(): number {
    return this.ids.length;
  }

  /** Of each token the last one before it with its id, −1 where it is the first. */
  get before(): Int32Array {
    if (this.#before === undefined) {
      const last = new Map<number, number>();
      this.#before = this.ids.map((id, position) => {
        const found = last.get(id) ?? -1;
        last.set(id, position);
        return found;
      });
    }
    return this.#before;
  }

  /** How many tokens occurred before. */
  get numRepeated(): number {
    return (this.#numRepeated ??= this.before.reduce((count, position) => count + (position < 0 ? 0 : 1), 0));
  }

  /** The positions of the delimiters among the keys. */
  get delimiterKeys(): readonly number[] {
    return (this.#delimiterKeys ??= [...this.delimiters.keys()].filter((key) => this.delimiters[key] === 1));
  }
}

/** What a text's delimiters are made of, beside line breaks: brackets and the marks that end or part what is said. */
const delimiterText = /^[()[\]{}<>,;:.!?、。，；：！？（）「」]+$/u;

/** Whether a token of a text is a delimiter: it has a line break, or is brackets and marks alone. Special tokens are none: they part texts, not what is in them. */
export function isDelimiter({ tokens, text }: TokenStream, position: number): boolean {
  const token = tokens[position];
  if (token === undefined || token.isSpecial) return false;
  const own = text.slice(token.start, token.end);
  return /[\n\r]/.test(own) || delimiterText.test(own.trim());
}

/** What metrics are told of a component's text, from its streams. */
export function metricTextOf(
  { isCausal, queryStream, keyStream }: ComponentInfo,
  streams: readonly TokenStream[],
  asked?: AskedTokens,
): MetricTextData {
  const [queries, keys] = [streams[queryStream], streams[keyStream]];
  return {
    isCausal,
    ids: Int32Array.from(queries?.tokens ?? [], ({ id }) => id),
    delimiters: Uint8Array.from(keys?.tokens ?? [], (_, position) =>
      keys !== undefined && isDelimiter(keys, position) ? 1 : 0,
    ),
    isPicture: queries?.grid !== undefined,
    ...(asked === undefined ? {} : { asked }),
  };
}
