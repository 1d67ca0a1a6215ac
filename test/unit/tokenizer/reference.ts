import { Tokenizer as Reference } from 'tokenizers';
import type { Encoding } from '../../../src/tokenizer/tokenizer';

/** An encoding in a form that compares and prints well. */
export interface PlainEncoding {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  /** UTF-16 code units, half-open. */
  readonly offsets: readonly (readonly number[])[];
  readonly special: readonly number[];
}

export function toPlain({ ids, tokens, starts, ends, isSpecial }: Encoding): PlainEncoding {
  return {
    ids: [...ids],
    tokens,
    offsets: Array.from(starts, (start, i) => [start, ends[i]]),
    special: [...isSpecial],
  };
}

/** What the reference library (Rust) makes of a text, its offsets mapped from code points to UTF-16. */
export async function encodeByReference(
  reference: Reference,
  text: string,
  addSpecialTokens = true,
): Promise<PlainEncoding> {
  const encoding = await reference.encode(text, null, { addSpecialTokens });
  const units = [0];
  for (const character of text) units.push(units[units.length - 1] + character.length);
  return {
    ids: encoding.getIds(),
    tokens: encoding.getTokens(),
    offsets: encoding.getOffsets().map(([start, end]) => [units[start], units[end]]),
    special: encoding.getSpecialTokensMask(),
  };
}

export function readReference(json: string): Reference {
  return Reference.fromString(json);
}
