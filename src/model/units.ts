import type { Level } from './patternForm';
import type { Token, TokenStream, Units } from './token';

/** A symbol of a text, as an outline lists it: UTF-16 offsets, and its name. */
export interface TextSymbol {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** The units of a stream's tokens; undefined where every token is one: at the level of tokens, and of a picture. Without symbols the units of that level are lines. */
export function unitsOf(
  stream: TokenStream,
  level: Level,
  symbols: readonly TextSymbol[] = [],
): Omit<Units, 'lines'> | undefined {
  if (level === 'token' || stream.grid !== undefined || stream.tokens.length === 0) return undefined;
  const kind = level === 'symbol' && (symbols.length === 0 || stream.role !== 'source') ? 'line' : level;
  const keys = keysOf(stream, kind, symbols);
  const starts: number[] = [];
  let last: number | undefined;
  stream.tokens.forEach(({ isSpecial, template }, position) => {
    // What stands for no text is read by itself: a separator is no part of the line before it.
    const key = isSpecial || template !== undefined ? undefined : keys[position];
    if (key === undefined || key !== last) starts.push(position);
    last = key;
  });
  return { level: kind, starts: Int32Array.from(starts), numTokens: stream.tokens.length };
}

/** The unit that a token is in. */
export function unitAt({ starts }: Pick<Units, 'starts'>, position: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The tokens of a unit: half-open. */
export function tokensOfUnit(
  { starts, numTokens }: Pick<Units, 'starts' | 'numTokens'>,
  unit: number,
): readonly [from: number, to: number] {
  return [starts[unit] ?? 0, starts[unit + 1] ?? numTokens];
}

/** Whether a unit is named by its lines: one of lines or symbols that has text. Others are named by their tokens. */
export function isNamedByLines({ units, tokens }: TokenStream, unit: number): boolean {
  const token = tokens[unit];
  return units !== undefined && units.level !== 'word' && token !== undefined && token.end > token.start;
}

/** A stream of which each token is a unit: what is to be shown of it, without the blanks at its ends, and where. `startLine` is the line of its first character, zero-based. */
export function unitStream(stream: TokenStream, units: Omit<Units, 'lines'> | undefined, startLine = 0): TokenStream {
  if (units === undefined) return stream;
  const tokens = Array.from(units.starts, (from, unit): Token => {
    const [, to] = tokensOfUnit(units, unit);
    const [first] = stream.tokens.slice(from, from + 1);
    if (first.isSpecial || first.template !== undefined || first.end === first.start) return first;
    let end = first.end;
    for (const token of stream.tokens.slice(from, to)) end = Math.max(end, token.end);
    const text = stream.text.slice(first.start, end);
    const start = first.start + (/^\s*(?=\S)/.exec(text)?.[0].length ?? 0);
    return {
      id: first.id,
      piece: first.piece,
      isSpecial: false,
      start,
      end: start + trimmedEnd(text, start - first.start),
    };
  });
  const { second, ...rest } = stream;
  const boundaries = lineStarts(stream.text);
  const lines = tokens.map(
    ({ start, end }) =>
      [
        startLine + indexOfLast(boundaries, start),
        startLine + indexOfLast(boundaries, Math.max(start, end - 1)),
      ] as const,
  );
  return {
    ...rest,
    tokens,
    units: { ...units, lines },
    ...(second === undefined ? {} : { second: { ...second, from: unitAt(units, second.from) } }),
  };
}

function trimmedEnd(text: string, from: number): number {
  const trimmed = text.slice(from).trimEnd();
  return trimmed === '' ? text.length - from : trimmed.length;
}

/** What the tokens of one unit have in common, a number for each token; numbers of neighbours alone are compared. */
function keysOf(stream: TokenStream, level: Level, symbols: readonly TextSymbol[]): Int32Array {
  const { text, tokens } = stream;
  // A token belongs to where its first character is that is no blank; one of blanks alone to where it begins.
  const places = Int32Array.from(tokens, ({ start, end }) => {
    const blanks = /^\s*(?=\S)/.exec(text.slice(start, end))?.[0].length ?? 0;
    return start + blanks;
  });
  if (level === 'word') return wordKeys(stream, places);
  const boundaries = level === 'line' ? lineStarts(text) : symbolStarts(text, symbols);
  return places.map((place) => indexOfLast(boundaries, place));
}

/** The offsets at which lines begin; `\r\n`, `\n` and `\r` end them. */
function lineStarts(text: string): Int32Array {
  const starts = [0];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 10 || (unit === 13 && text.charCodeAt(at + 1) !== 10)) starts.push(at + 1);
  }
  return Int32Array.from(starts);
}

/**
 * The offsets at which another symbol begins, each place belonging to the innermost symbol around it: what stands of a class before and after a method
 * are two stretches, so that units follow one another as their tokens do.
 */
function symbolStarts(text: string, symbols: readonly TextSymbol[]): Int32Array {
  const starts = new Set([0]);
  for (const { start, end } of symbols) {
    // A symbol begins with the line that it begins on, unless something stands before it there.
    const lineStart = Math.max(text.lastIndexOf('\n', start - 1), text.lastIndexOf('\r', start - 1)) + 1;
    starts.add(text.slice(lineStart, start).trim() === '' ? lineStart : start);
    // Blanks and marks behind it belong to it.
    const after = /^[\s;,]*/.exec(text.slice(end))?.[0].length ?? 0;
    if (end + after < text.length) starts.add(end + after);
  }
  return Int32Array.from([...starts].filter((start) => start >= 0 && start < text.length).sort((a, b) => a - b));
}

/** Han, kana and Thai have no blanks between words: the dictionary of the host's own segmenter tells them. */
const withoutBlanks = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const wordPart = /[\p{L}\p{M}\p{N}_$]+(?:[’'](?:s|t|re|ve|ll|d|m)(?![\p{L}\p{N}_]))?|\s+|([^()[\]{}])\1*|./gsu;

/** Words by the letters, digits and underscores of the text itself, never by the marks of a tokenizer; marks that repeat are one. */
function wordKeys({ text, tokens }: TokenStream, places: Int32Array): Int32Array {
  const starts: number[] = [];
  for (const { 0: part, index } of text.matchAll(wordPart)) {
    if (withoutBlanks.test(part)) for (const { index: at } of segmenter().segment(part)) starts.push(index + at);
    else starts.push(index);
  }
  const boundaries = Int32Array.from(starts);
  return places.map((place, position) =>
    tokens[position].end > tokens[position].start ? indexOfLast(boundaries, place) : -1,
  );
}

let words: Intl.Segmenter | undefined;

function segmenter(): Intl.Segmenter {
  return (words ??= new Intl.Segmenter(undefined, { granularity: 'word' }));
}

/** The index of the last of sorted numbers that is at most `value`. */
function indexOfLast(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
