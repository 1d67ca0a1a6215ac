import { codePointAt, countCodePoints, isWhitespace, skipCodePoints, unitLength } from './unicode/characters';
import { WrittenUnits } from './workBounds';

/** What a pattern found: contiguous pieces that cover the text, in order, and whether each is a match. */
export interface Matches {
  readonly ends: readonly number[];
  readonly isMatch: readonly boolean[];
}

interface PlaceArrays {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Places of a text's code units in the original; they begin at `from`. A text that stands for itself has none yet. */
interface Places extends PlaceArrays {
  readonly from: number;
}

/** A part of a text that becomes another text. */
export interface Edit {
  /** UTF-16 code units of the former text, whole code points. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** How each code point of the new text came about; see `NormalizedString.transform`. */
  readonly changes: ArrayLike<number>;
  /** Where the first code point that is not dropped stands, if that is not the start. */
  readonly readFrom?: number;
}

/** The numbers from 0 on, of which the places of texts that stand for themselves are parts: they are never written. */
let ramp = new Int32Array(0);
const maxRamp = 2 ** 20;

function rampOf(length: number): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = i;
  return numbers;
}

/** The numbers from `start` on, so many. */
function numbersFrom(start: number, count: number): Int32Array {
  if (start + count > maxRamp) return Int32Array.from({ length: count }, (_, i) => start + i);
  if (start + count > ramp.length) ramp = rampOf(Math.min(maxRamp, Math.max(2 ** 17, 2 * (start + count))));
  return ramp.subarray(start, start + count);
}

/** So many numbers are copied sooner one by one than by a view of an array, which has to be made. */
const shortCopy = 64;

const surrogatePairs = /[\ud800-\udbff][\udc00-\udfff]/g;

/**
 * A piece of text on its way through the pipeline, with the place in the original text that each of its characters
 * stands for. All positions are UTF-16 code units; a value never changes, every step makes a new one.
 *
 * The rules by which places move (an inserted character shares the place of the one before it) are those of the reference
 * library, so that offsets are the same by construction, with one exception: what replaces several characters, not all blank, has the place
 * of all of them, and there only that of the last. What the steps write is counted, from the text on through all that is made of it.
 */
export class NormalizedString {
  readonly text: string;
  /** Where the original piece starts that this one was cut from. */
  readonly originalStart: number;
  // Places of the text's code units; slices share the arrays and begin at #from. Undefined where each stands for itself.
  #places: Places | undefined;
  readonly #written: WrittenUnits;

  private constructor(text: string, places: Places | undefined, originalStart: number, written: WrittenUnits) {
    this.text = text;
    this.#places = places;
    this.originalStart = originalStart;
    this.#written = written;
  }

  /** A text that stands for itself; several can share one count. */
  static of(text: string, written = new WrittenUnits(text.length)): NormalizedString {
    return new NormalizedString(text, undefined, 0, written);
  }

  /** A text with the places of its units in the original: two for each, and the original's start. */
  static placed(text: string, starts: Int32Array, ends: Int32Array, originalStart: number): NormalizedString {
    return new NormalizedString(text, { starts, ends, from: 0 }, originalStart, new WrittenUnits(text.length));
  }

  /** Where the original of the text's units `[start, end)` starts. */
  startOf(start: number, end: number): number {
    return start < end && this.#places !== undefined
      ? this.#places.starts[this.#places.from + start]
      : this.originalStart + start;
  }

  /** Where the original of the text's units `[start, end)` ends. */
  endOf(start: number, end: number): number {
    return start < end && this.#places !== undefined
      ? this.#places.ends[this.#places.from + end - 1]
      : this.originalStart + end;
  }

  /** The units `[start, end)`, which are not empty. */
  slice(start: number, end: number): NormalizedString {
    const places = this.#places;
    if (places === undefined)
      return new NormalizedString(this.text.slice(start, end), undefined, this.originalStart + start, this.#written);
    return new NormalizedString(
      this.text.slice(start, end),
      { starts: places.starts, ends: places.ends, from: places.from + start },
      places.starts[places.from + start],
      this.#written,
    );
  }

  /** The same places under another text, whose characters replace the former ones one for one and are as long. */
  withText(text: string): NormalizedString {
    this.#written.spend(text.length);
    return new NormalizedString(text, this.#places, this.originalStart, this.#written);
  }

  /** Throws `TooCostlyError` where a text of so many code units, which a step is putting together, is far longer than what it is made of. */
  checkGrowth(units: number): void {
    this.#written.check(units);
  }

  /**
   * Replaces the whole text. `changes` says for each code point of the new text how it came about: 1 is inserted,
   * 0 replaces the next former code point, -n replaces the next one and removes the n that follow it.
   * `removedAtStart` former code points are dropped first.
   */
  transform(text: string, changes: ArrayLike<number>, removedAtStart = 0): NormalizedString {
    const start = skipCodePoints(this.text, 0, removedAtStart);
    return this.edit([{ start: 0, end: this.text.length, text, changes, readFrom: start }]);
  }

  /** Replaces parts of the text, which come in order and do not overlap; what is between them stays as it is, and costs next to nothing. */
  edit(edits: readonly Edit[]): NormalizedString {
    const former = this.text;
    let length = former.length;
    for (const { start, end, text } of edits) length += text.length - (end - start);
    this.#written.spend(length);
    const starts = new Int32Array(length);
    const ends = new Int32Array(length);
    const pieces: string[] = [];
    let read = 0;
    let write = 0;
    for (const edit of edits) {
      this.#copyPlaces({ starts, ends }, write, read, edit.start);
      write += edit.start - read;
      this.#placeEdit({ starts, ends }, write, edit);
      write += edit.text.length;
      pieces.push(former.slice(read, edit.start), edit.text);
      read = edit.end;
    }
    this.#copyPlaces({ starts, ends }, write, read, former.length);
    pieces.push(former.slice(read));
    return this.#made(pieces.join(''), starts, ends);
  }

  /** Writes the places of an edit's text. */
  #placeEdit({ starts, ends }: PlaceArrays, at: number, { start: from, readFrom = from, text, changes }: Edit): void {
    const former = this.text;
    const own = this.#ownPlaces();
    let read = readFrom;
    let index = 0;
    for (let i = 0; i < text.length;) {
      const change = changes[index++];
      let start = this.originalStart;
      let end = this.originalStart;
      const place = own.from + Math.min(change > 0 ? read - 1 : read, former.length - 1);
      if (change <= 0 || read > 0) {
        start = own.starts[place];
        end = own.ends[place];
      }
      if (change <= 0) read = skipCodePoints(former, read, 1 - change);
      for (const next = i + unitLength(codePointAt(text, i)); i < next; i++) {
        starts[at + i] = start;
        ends[at + i] = end;
      }
    }
  }

  /** Drops the characters of which an expression (global) matches whole runs. */
  remove(expression: RegExp): NormalizedString {
    const { text } = this;
    const edits: Edit[] = [];
    expression.lastIndex = 0;
    for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
      const start = match.index;
      const end = start + match[0].length;
      // What is dropped is dropped together with the character before it, which is kept.
      const kept = start - (start > 1 && codePointAt(text, start - 2) > 0xffff ? 2 : Math.min(1, start));
      edits.push({ start: kept, end, text: text.slice(kept, start), changes: [-countCodePoints(match[0])] });
    }
    return edits.length === 0 ? this.withText(text) : this.edit(edits);
  }

  /** Drops white space at the ends. */
  strip(isLeft: boolean, isRight: boolean): NormalizedString {
    const { text } = this;
    let start = 0;
    let end = text.length;
    // No white space lies beyond the basic plane.
    while (isLeft && start < end && isWhitespace(text.charCodeAt(start))) start++;
    while (isRight && end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
    if (start === 0 && end === text.length) return this;
    return this.transform(text.slice(start, end), new Int8Array(end - start), start);
  }

  /** Puts a text before a text that is not empty. */
  prepend(text: string): NormalizedString {
    if (this.text === '') return this;
    const first = unitLength(codePointAt(this.text, 0));
    const own = this.#ownPlaces();
    const length = text.length + this.text.length;
    this.#written.spend(length);
    const starts = new Int32Array(length);
    const ends = new Int32Array(length);
    // Prepending nothing still unplaces the first character in the reference library.
    starts.fill(text === '' ? this.originalStart : own.starts[own.from], 0, text.length + first);
    ends.fill(text === '' ? this.originalStart : own.ends[own.from], 0, text.length + first);
    this.#copyPlaces({ starts, ends }, text.length + first, first, this.text.length);
    return this.#made(text + this.text, starts, ends);
  }

  /** Puts `content` in the place of every match. */
  replace({ ends: matchEnds, isMatch }: Matches, content: string): NormalizedString {
    const { text } = this;
    const pieces: string[] = [];
    let length = 0;
    let isSameShape = content.length === 1;
    for (let i = 0, start = 0; i < matchEnds.length; start = matchEnds[i++]) {
      const piece = isMatch[i] ? content : text.slice(start, matchEnds[i]);
      pieces.push(piece);
      length += piece.length;
      isSameShape &&= !isMatch[i] || matchEnds[i] === start + 1;
    }
    if (isSameShape) return this.withText(pieces.join(''));
    this.#written.spend(length);
    const own = this.#ownPlaces();
    const starts = new Int32Array(length);
    const ends = new Int32Array(length);
    let write = 0;
    for (let i = 0, start = 0; i < matchEnds.length; start = matchEnds[i++]) {
      const end = matchEnds[i];
      const place = own.from + end - 1;
      if (isMatch[i]) {
        // The reference library gives it the place of the last replaced character alone: of blanks that become one, that is as good as all.
        const first = text.slice(start, end).trim() === '' ? end - 1 : Math.min(start, end - 1);
        starts.fill(end > 0 ? own.starts[own.from + first] : this.originalStart, write, write + content.length);
        ends.fill(end > 0 ? own.ends[place] : this.originalStart, write, write + content.length);
      } else {
        this.#copyPlaces({ starts, ends }, write, start, end);
      }
      write += pieces[i].length;
    }
    return this.#made(pieces.join(''), starts, ends);
  }

  #made(text: string, starts: Int32Array, ends: Int32Array): NormalizedString {
    return new NormalizedString(text, { starts, ends, from: 0 }, this.originalStart, this.#written);
  }

  /** Copies the places of the units `[from, to)` to an index of other arrays. */
  #copyPlaces({ starts, ends }: PlaceArrays, at: number, from: number, to: number): void {
    const own = this.#ownPlaces();
    if (to - from > shortCopy) {
      starts.set(own.starts.subarray(own.from + from, own.from + to), at);
      ends.set(own.ends.subarray(own.from + from, own.from + to), at);
      return;
    }
    for (let read = own.from + from, write = at; read < own.from + to; read++, write++) {
      starts[write] = own.starts[read];
      ends[write] = own.ends[read];
    }
  }

  /** The places, written out where each unit stands for itself. */
  #ownPlaces(): Places {
    if (this.#places !== undefined) return this.#places;
    const { text, originalStart } = this;
    let starts = numbersFrom(originalStart, text.length);
    let ends = numbersFrom(originalStart + 1, text.length);
    surrogatePairs.lastIndex = 0;
    for (let match = surrogatePairs.exec(text), isOwn = false; match !== null; match = surrogatePairs.exec(text)) {
      if (!isOwn) [starts, ends, isOwn] = [starts.slice(), ends.slice(), true];
      starts[match.index + 1]--;
      ends[match.index]++;
    }
    return (this.#places = { starts, ends, from: 0 });
  }
}
