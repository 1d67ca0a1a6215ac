/** Where a chunk stands in its text: half-open, in UTF-16 units. */
export interface ChunkSpan {
  readonly start: number;
  readonly end: number;
}

/** Lines and columns of places in a text, both from one; lines end at `\n`, columns are in UTF-16 units. */
export class LinePlaces {
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  /** The index of the line that a place is in. */
  lineOf(offset: number): number {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return low;
  }

  startOf(line: number): number {
    return this.#starts[Math.max(0, line)];
  }

  /** Line and column of a place, from one. */
  placeOf(offset: number): readonly [line: number, column: number] {
    const line = this.lineOf(offset);
    return [line + 1, offset - this.#starts[line] + 1];
  }
}

/**
 * The end of a chunk of whole lines, of which the tokenizer took so much as fits: the last start of a line up to there, or, within a line that
 * is longer than a chunk, where it stopped. Never between the halves of a character.
 */
export function chunkEnd(text: string, { start, end }: ChunkSpan, lines: LinePlaces): number {
  if (end >= text.length) return text.length;
  const line = lines.startOf(lines.lineOf(end));
  if (line > start) return line;
  const isWithinPair = end - 1 > start && /^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(end - 1, end + 1));
  return Math.max(start + 1, isWithinPair ? end - 1 : end);
}

/** Where the next chunk begins, which repeats so many lines of the one before; behind that one's beginning in any case. One that would not go beyond it begins at its end. */
export function nextStart({ start, end }: ChunkSpan, overlapLines: number, lines: LinePlaces): number {
  const from = lines.startOf(lines.lineOf(end) - overlapLines);
  return overlapLines > 0 && from > start ? Math.min(from, end) : end;
}
