import type { Token, TokenStream } from '../token';
import { longestCommon } from './longestCommon';

/** How tokens were put together: the texts and their tokens are the same; by the ids of one vocabulary; of other tokenizers, by characters; or, of pictures, by the places of patches. */
type AlignmentKind = 'same' | 'ids' | 'characters' | 'patches';

/**
 * Which tokens of two texts, A and B, stand for the same. Rows and columns of what is compared are units of A: each of its tokens is one, but where
 * tokens of A or of B cut the same characters otherwise, those that cover them together.
 */
export interface Alignment {
  readonly kind: AlignmentKind;
  /** The first token of A of each unit. */
  readonly starts: Int32Array;
  /** The unit of each token of A. */
  readonly unitsOfA: Int32Array;
  /** The unit of each token of B; −1 where A has none. */
  readonly unitsOfB: Int32Array;
  /** 1 for each unit that both have. */
  readonly isCommon: Uint8Array;
}

/** What is read of a text, or a picture, to align it. */
type Text = Pick<TokenStream, 'text' | 'tokens' | 'grid' | 'written'>;

/** Puts the tokens of two texts together, or those of two pictures that are cut alike. */
export function alignTokens(a: Text, b: Text): Alignment {
  if (areSame(a, b)) return ofPairs('same', a, b, Int32Array.from(a.tokens.keys()));
  if (a.grid !== undefined && b.grid !== undefined) return ofPairs('patches', a, b, placesByPiece(a, b));
  // What a model wrote after a text is not in it: branches have the same.
  const isOther = a.text !== b.text || a.written !== undefined || b.written !== undefined;
  if (isOther && haveOneVocabulary(a.tokens, b.tokens))
    return ofPairs('ids', a, b, longestCommon(idsOf(a.tokens), idsOf(b.tokens)));
  return byCharacters(a, b);
}

/** How many units both have. */
export function numCommon({ isCommon }: Alignment): number {
  return isCommon.reduce((sum, each) => sum + each, 0);
}

/** The tokens of B that A has not, by their positions. */
export function onlyInB({ unitsOfB }: Alignment): number[] {
  return [...unitsOfB.keys()].filter((position) => unitsOfB[position] < 0);
}

const idsOf = (tokens: readonly Token[]): Int32Array => Int32Array.from(tokens, ({ id }) => id);

function areSame(a: Text, b: Text): boolean {
  return (
    a.text === b.text &&
    a.tokens.length === b.tokens.length &&
    a.tokens.every(({ id, piece, start, end }, i) => {
      const other = b.tokens[i];
      return id === other.id && piece === other.piece && start === other.start && end === other.end;
    })
  );
}

/** Whether ids stand for the same pieces in both texts, and some are in both: other vocabularies share a few by chance, and contradict each other in others. */
function haveOneVocabulary(a: readonly Token[], b: readonly Token[]): boolean {
  const pieces = new Map(a.map(({ id, piece }) => [id, piece]));
  const ids = new Map(a.map(({ id, piece }) => [piece, id]));
  let isShared = false;
  for (const { id, piece } of b) {
    if ((pieces.get(id) ?? piece) !== piece || (ids.get(piece) ?? id) !== id) return false;
    isShared ||= pieces.has(id);
  }
  return isShared;
}

/** For each token of A the place of the one of B with the same piece, −1 without: patches are called by their places, other tokens of a picture by their names. */
function placesByPiece(a: Text, b: Text): Int32Array {
  const places = new Map(b.tokens.map(({ piece }, position) => [piece, position]));
  return Int32Array.from(a.tokens, ({ piece }) => places.get(piece) ?? -1);
}

/** Of tokens that are units by themselves. */
function ofPairs(kind: AlignmentKind, a: Text, b: Text, places: Int32Array): Alignment {
  const unitsOfB = new Int32Array(b.tokens.length).fill(-1);
  places.forEach((place, position) => {
    if (place >= 0) unitsOfB[place] = position;
  });
  return {
    kind,
    starts: Int32Array.from(a.tokens.keys()),
    unitsOfA: Int32Array.from(a.tokens.keys()),
    unitsOfB,
    isCommon: Uint8Array.from(places, (place) => Number(place >= 0)),
  };
}

/** A run of tokens, half-open. */
interface Run {
  readonly from: number;
  readonly to: number;
}

/** Tokens that stand for characters, and the special ones before and after all of them. */
interface Parts {
  readonly text: readonly number[];
  readonly before: number;
  readonly after: number;
}

/**
 * Units are the connected parts of the graph that joins tokens which share a character that both texts have. One is common where tokens of both are
 * in it, and no character of them is in one text alone. Special tokens stand for none: those before the text are put together one by one where both
 * have as many of them, and so are those behind it.
 */
function byCharacters(a: Text, b: Text): Alignment {
  const inB = a.text === b.text ? undefined : longestCommon(unitsOf(a.text), unitsOf(b.text));
  const own = inB && ownPlaces(inB, b.text.length);
  const [partsA, partsB] = [partsOf(a), partsOf(b)];
  const placesA = partsA.text.map((position) => placeOf(a.tokens[position], inB));
  const placesB = partsB.text.map((position) => placeOf(b.tokens[position], own));
  const common: { readonly a: Run; readonly b: Run }[] = [];
  const joinEnds = (count: number, otherCount: number, fromA: number, fromB: number): void => {
    if (count !== otherCount) return;
    for (let i = 0; i < count; i++)
      common.push({ a: { from: fromA + i, to: fromA + i + 1 }, b: { from: fromB + i, to: fromB + i + 1 } });
  };
  joinEnds(partsA.before, partsB.before, 0, 0);
  let [i, j] = [0, 0];
  while (i < partsA.text.length && j < partsB.text.length) {
    const found = componentAt(placesA, placesB, [i, j]);
    if (found.isCommon)
      common.push({
        a: { from: partsA.text[i], to: partsA.text[found.i - 1] + 1 },
        b: { from: partsB.text[j], to: partsB.text[found.j - 1] + 1 },
      });
    [i, j] = [found.i, found.j];
  }
  joinEnds(partsA.after, partsB.after, a.tokens.length - partsA.after, b.tokens.length - partsB.after);
  return ofRuns(a, b, common);
}

/** The connected part that the next tokens of both are in, or the next token of one of them alone: where it ends, and whether both have all of it. */
function componentAt(
  ofA: readonly Place[],
  ofB: readonly Place[],
  [firstA, firstB]: readonly [number, number],
): { readonly i: number; readonly j: number; readonly isCommon: boolean } {
  let [i, j] = [firstA, firstB];
  const [first, other] = [ofA[i], ofB[j]];
  // A token without any character that the other text has stands alone, and so does one that ends before the other's next.
  if (first.end <= first.start || first.end <= other.start) return { i: i + 1, j, isCommon: false };
  if (other.end <= other.start || other.end <= first.start) return { i, j: j + 1, isCommon: false };
  let end = Math.max(first.end, other.end);
  let isCommon = first.isWhole && other.isWhole;
  i++;
  j++;
  const take = (place: Place | undefined): boolean => {
    if (place === undefined || place.end <= place.start || place.start >= end) return false;
    end = Math.max(end, place.end);
    isCommon &&= place.isWhole;
    return true;
  };
  for (let isMore = true; isMore;) {
    const before = i + j;
    while (take(ofA[i])) i++;
    while (take(ofB[j])) j++;
    isMore = i + j > before;
  }
  return { i, j, isCommon };
}

/** Where a token's characters lie in the text of B, from the first of them that it has to the last, and whether it has all of them. */
interface Place {
  readonly start: number;
  readonly end: number;
  readonly isWhole: boolean;
}

function placeOf({ start, end }: Token, places: Int32Array | undefined): Place {
  if (places === undefined) return { start, end, isWhole: true };
  let [first, last, count] = [-1, -2, 0];
  for (let at = start; at < end; at++) {
    const place = places[at];
    if (place < 0) continue;
    if (first < 0) first = place;
    last = place;
    count++;
  }
  return { start: first, end: last + 1, isWhole: count === end - start && last + 1 - first === count };
}

/** The places of the characters of B in B itself, −1 where A has not what stands there. */
function ownPlaces(inB: Int32Array, length: number): Int32Array {
  const own = new Int32Array(length).fill(-1);
  for (const place of inB) if (place >= 0) own[place] = place;
  return own;
}

function unitsOf(text: string): Uint16Array {
  return Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

function partsOf({ tokens }: Text): Parts {
  const text = [...tokens.keys()].filter((position) => tokens[position].end > tokens[position].start);
  const [first, last] = [text.at(0), text.at(-1)];
  return first === undefined || last === undefined
    ? { text, before: tokens.length, after: 0 }
    : { text, before: first, after: tokens.length - 1 - last };
}

/** Of common runs, in order; all other tokens of A are units by themselves. */
function ofRuns(a: Text, b: Text, common: readonly { readonly a: Run; readonly b: Run }[]): Alignment {
  const starts: number[] = [];
  const isCommon: number[] = [];
  const unitsOfA = new Int32Array(a.tokens.length);
  const unitsOfB = new Int32Array(b.tokens.length).fill(-1);
  let position = 0;
  const add = (to: number, isShared: boolean): void => {
    unitsOfA.fill(starts.length, position, to);
    starts.push(position);
    isCommon.push(Number(isShared));
    position = to;
  };
  for (const run of common) {
    while (position < run.a.from) add(position + 1, false);
    unitsOfB.fill(starts.length, run.b.from, run.b.to);
    add(run.a.to, true);
  }
  while (position < a.tokens.length) add(position + 1, false);
  return {
    kind: 'characters',
    starts: Int32Array.from(starts),
    unitsOfA,
    unitsOfB,
    isCommon: Uint8Array.from(isCommon),
  };
}
