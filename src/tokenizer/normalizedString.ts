import { codePointAt, isWhitespace, skipCodePoints, unitLength } from './unicode/characters';
import { WrittenUnits } from './workBounds';

/** What a pattern found: contiguous pieces that cover the text, in order, and whether each is a match. */
export interface Matches {
  readonly ends: readonly number[];
  readonly isMatch: readonly boolean[];
}

/** Places of a text's code units in the original; they begin at `from`. A text that stands for itself has none yet. */
interface Places {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly from: number;
}

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

  /** Where the original of the text's units `[start, end)` starts. */
  startOf(start: number, end: number): number {
    return start < end && this.#places !== undefined ? this.#places.starts[this.#places.from + start] : this.originalStart + start;
  }

  /** Where the original of the text's units `[start, end)` ends. */
  endOf(start: number, end: number): number {
    return start < end && this.#places !== undefined ? this.#places.ends[this.#places.from + end - 1] : this.originalStart + end;
  }

  /** The units `[start, end)`, which are not empty. */
  slice(start: number, end: number): NormalizedString {
    const places = this.#places;
    if (places === undefined) return new NormalizedString(this.text.slice(start, end), undefined, this.originalStart + start, this.#written);
    return new NormalizedString(this.text.slice(start, end), { ...places, from: places.from + start }, places.starts[places.from + start], this.#written);
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
    this.#written.spend(text.length);
    const former = this.text;
    const own = this.#ownPlaces();
    const starts = new Int32Array(text.length);
    const ends = new Int32Array(text.length);
    let read = skipCodePoints(former, 0, removedAtStart);
    let index = 0;
    for (let i = 0; i < text.length; ) {
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
        starts[i] = start;
        ends[i] = end;
      }
    }
    return this.#made(text, starts, ends);
  }

  /** Drops the code points that `isKept` rejects. */
  filter(isKept: (codePoint: number) => boolean): NormalizedString {
    const { text } = this;
    const changes: number[] = [];
    const pieces: string[] = [];
    let removedAtStart = 0;
    let keptFrom = 0;
    for (let i = 0; i < text.length; ) {
      const codePoint = codePointAt(text, i);
      const next = i + unitLength(codePoint);
      if (isKept(codePoint)) {
        changes.push(0);
      } else {
        if (changes.length > 0) changes[changes.length - 1]--;
        else removedAtStart++;
        pieces.push(text.slice(keptFrom, i));
        keptFrom = next;
      }
      i = next;
    }
    if (keptFrom === 0) return this.withText(text);
    pieces.push(text.slice(keptFrom));
    return this.transform(pieces.join(''), changes, changes.length > 0 ? removedAtStart : 0);
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
    this.#copyPlaces(starts, ends, first, text.length + first, this.text.length - first);
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
        this.#copyPlaces(starts, ends, start, write, end - start);
      }
      write += pieces[i].length;
    }
    return this.#made(pieces.join(''), starts, ends);
  }

  #made(text: string, starts: Int32Array, ends: Int32Array): NormalizedString {
    return new NormalizedString(text, { starts, ends, from: 0 }, this.originalStart, this.#written);
  }

  #copyPlaces(starts: Int32Array, ends: Int32Array, from: number, to: number, count: number): void {
    const own = this.#ownPlaces();
    starts.set(own.starts.subarray(own.from + from, own.from + from + count), to);
    ends.set(own.ends.subarray(own.from + from, own.from + from + count), to);
  }

  /** The places, written out where each unit stands for itself. */
  #ownPlaces(): Places {
    if (this.#places !== undefined) return this.#places;
    const { text, originalStart } = this;
    const starts = new Int32Array(text.length);
    const ends = new Int32Array(text.length);
    for (let i = 0; i < text.length; ) {
      const end = i + unitLength(codePointAt(text, i));
      for (const start = i; i < end; i++) {
        starts[i] = originalStart + start;
        ends[i] = originalStart + end;
      }
    }
    return (this.#places = { starts, ends, from: 0 });
  }
}
