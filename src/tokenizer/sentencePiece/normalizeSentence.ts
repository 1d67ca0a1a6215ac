import { NormalizedString } from '../normalizedString';
import type { SentencePieceModel } from '../pretrained/sentencePieceFile';
import { Trie } from '../trie';
import { byteLength, codePointAt, unitLength } from '../unicode/characters';
import { mostSearchSteps, mostUnits, TooCostlyError } from '../workBounds';
import { LongestRules } from './longestRules';

/** What {@link sentenceNormalizer} needs of a file. */
export type NormalizerSpec = Pick<
  SentencePieceModel,
  'characterMap' | 'addsSpace' | 'hasSpaceAfter' | 'removesSpaces' | 'showsSpaces'
>;

const shownSpace = '▁';
const encoder = new TextEncoder();

/**
 * SentencePiece's own normaliser (`Normalizer::Normalize` of its sources), which `tokenizers` has only in parts: rules by their longest match, spaces that are
 * dropped, put in front and made visible. Each unit stands for the text from where it begins to where the next one begins.
 * @param whole symbols of the user's own, which no rule changes.
 */
export function sentenceNormalizer(
  spec: NormalizerSpec,
  whole: readonly string[],
): (text: string, start: number) => NormalizedString {
  const rules = spec.characterMap.length === 0 ? undefined : new LongestRules(spec.characterMap);
  const symbols = new Trie();
  for (const symbol of whole) if (symbol !== '') symbols.set(symbol, 0);
  const space = spec.showsSpaces ? shownSpace : ' ';
  return (text, start) => {
    const pieces: string[] = [];
    const places: number[] = [];
    const push = (part: string, place: number): void => {
      pieces.push(part);
      for (let i = 0; i < part.length; i++) places.push(place);
    };
    const most = mostUnits(text.length);
    const reader = new PartReader(text, whole.length === 0 ? undefined : symbols, rules);
    if (spec.removesSpaces) reader.skipSpaces();
    if (reader.at >= text.length) return NormalizedString.placed('', new Int32Array(), new Int32Array(), start);
    if (spec.addsSpace && !spec.hasSpaceAfter) push(space, reader.at);
    let wasSpace = spec.removesSpaces;
    while (reader.at < text.length) {
      const part = reader.next();
      const result = wasSpace ? part.result.replace(/^ +/, '') : part.result;
      if (result !== '') {
        push(spec.showsSpaces ? result.replaceAll(' ', shownSpace) : result, reader.at);
        wasSpace = result.endsWith(' ');
        if (places.length > most) throw new TooCostlyError('its steps make the text far too long');
      }
      reader.skip(part);
      if (!spec.removesSpaces) wasSpace = false;
    }
    let normalized = pieces.join('');
    let end = reader.at;
    if (spec.removesSpaces) {
      let kept = normalized.length;
      while (kept > 0 && normalized[kept - 1] === space) end = places[--kept];
      normalized = normalized.slice(0, kept);
      places.length = kept;
    }
    if (spec.addsSpace && spec.hasSpaceAfter) {
      normalized += space;
      places.push(end);
    }
    const starts = Int32Array.from(places, (place) => place + start);
    return NormalizedString.placed(normalized, starts, endsOf(starts, start + end), start);
  };
}

/** Where units end, by where they begin: the next one's beginning, or the text's end. */
function endsOf(starts: Int32Array, end: number): Int32Array {
  const ends = new Int32Array(starts.length);
  for (let i = 0; i < starts.length; i++) ends[i] = i + 1 < starts.length ? starts[i + 1] : end;
  // Units of one character have one place, and what several characters became ends where the last of them does.
  for (let i = starts.length - 2; i >= 0; i--) if (starts[i] === starts[i + 1]) ends[i] = ends[i + 1];
  return ends;
}

/** What a part of the text becomes, and how long that is in UTF-16 and in UTF-8. */
interface TextPart {
  readonly result: string;
  readonly units: number;
  readonly numBytes: number;
}

/** Reads a text by the user's own symbols, the longest rules, or character by character. */
class PartReader {
  at = 0;
  readonly #text: string;
  readonly #symbols: Trie | undefined;
  readonly #rules: LongestRules | undefined;
  readonly #bytes: Uint8Array;
  readonly #mostSteps: number;
  #byteAt = 0;

  constructor(text: string, symbols: Trie | undefined, rules: LongestRules | undefined) {
    this.#text = text;
    this.#symbols = symbols;
    this.#rules = rules;
    this.#bytes = rules === undefined ? new Uint8Array() : encoder.encode(text);
    this.#mostSteps = this.#steps + mostSearchSteps(text.length);
  }

  get #steps(): number {
    return (this.#symbols?.steps ?? 0) + (this.#rules?.steps ?? 0);
  }

  /** What the next part of the text becomes. */
  next(): TextPart {
    const symbolEnd = this.#symbols?.longestMatch(this.#text, this.at) ?? -1;
    if (this.#steps > this.#mostSteps) throw new TooCostlyError('its rules are too long and too much alike');
    const rule = symbolEnd === -1 ? this.#rules?.match(this.#bytes, this.#byteAt) : undefined;
    if (rule !== undefined) {
      let units = 0;
      for (let numBytes = 0; numBytes < rule.length;) {
        const codePoint = codePointAt(this.#text, this.at + units);
        numBytes += byteLength(codePoint);
        units += unitLength(codePoint);
      }
      return { result: rule.text, units, numBytes: rule.length };
    }
    const end = symbolEnd === -1 ? this.at + unitLength(codePointAt(this.#text, this.at)) : symbolEnd;
    const result = this.#text.slice(this.at, end);
    let numBytes = 0;
    for (let i = 0; i < result.length; i += unitLength(codePointAt(result, i)))
      numBytes += byteLength(codePointAt(result, i));
    return { result, units: end - this.at, numBytes };
  }

  skip({ units, numBytes }: TextPart): void {
    this.at += units;
    this.#byteAt += numBytes;
  }

  skipSpaces(): void {
    while (this.at < this.#text.length) {
      const part = this.next();
      if (part.result !== ' ') return;
      this.skip(part);
    }
  }
}
