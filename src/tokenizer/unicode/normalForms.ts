import type { Edit } from '../normalizedString';
import { codePointAt, marks, unitLength } from './characters';
import { CodePointSet, forEachCodePoint, lazy } from './codePointSet';
import { combiningClassRuns, compatUndecomposedRuns, undecomposedRuns } from './tables';

export type NormalForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

const combiningClasses = lazy(() => {
  const classes = new Map<number, number>();
  for (const [value, runs] of Object.entries(combiningClassRuns))
    forEachCodePoint(runs, (codePoint) => classes.set(codePoint, Number(value)));
  return classes;
});
const undecomposed = {
  canonical: lazy(() => new CodePointSet(undecomposedRuns)),
  compatibility: lazy(() => new CodePointSet(compatUndecomposedRuns)),
};

/** Runs of marks for which the host's own normalisation, which takes quadratic time in their length, is not asked. */
const longMarks = /\p{M}{64}/u;

interface Character {
  readonly codePoint: number;
  readonly combiningClass: number;
  readonly change: number;
}

/** Stretches that can change: before an ASCII character, whatever stands before it is settled. */
const changeable = /[\0-\x7f]?[^\0-\x7f]+/g;

/** What a Unicode normal form changes in a text, and where each resulting character comes from (UAX #15). */
export function normalFormEdits(text: string, form: NormalForm): Edit[] {
  const edits: Edit[] = [];
  for (const { 0: stretch, index: start } of text.matchAll(changeable)) {
    if (stretch.length < 64 || !longMarks.test(stretch)) {
      const normalized = stretch.normalize(form);
      if (normalized === stretch) continue;
      const changes = isDecomposed(form) ? changesInPlace(stretch, form, normalized) : undefined;
      if (changes !== undefined) {
        edits.push({ start, end: start + stretch.length, text: normalized, changes });
        continue;
      }
    }
    const decomposed = decompose(stretch, form === 'NFKC' || form === 'NFKD');
    const { text: normalized, changes } = assemble(isDecomposed(form) ? decomposed : recompose(decomposed));
    edits.push({ start, end: start + stretch.length, text: normalized, changes });
  }
  return edits;
}

function isDecomposed(form: NormalForm): form is 'NFD' | 'NFKD' {
  return form === 'NFD' || form === 'NFKD';
}

/**
 * How each code point of the host's decomposition came about; undefined where that is not one character after the other: where marks change places,
 * or the host knows decompositions that the reference library does not.
 */
function changesInPlace(text: string, form: 'NFD' | 'NFKD', normalized: string): number[] | undefined {
  const left = form === 'NFKD' ? undecomposed.compatibility() : undecomposed.canonical();
  const changes: number[] = [];
  let at = 0;
  for (const character of text) {
    const codePoint = codePointAt(character, 0);
    const parts = codePoint < 0x80 || left.has(codePoint) ? character : character.normalize(form);
    if (!normalized.startsWith(parts, at)) return undefined;
    changes.push(0);
    for (let i = unitLength(codePointAt(parts, 0)); i < parts.length; i += unitLength(codePointAt(parts, i)))
      changes.push(1);
    at += parts.length;
  }
  return at === normalized.length ? changes : undefined;
}

/** Fully decomposed characters in canonical order. */
function decompose(text: string, isCompatibility: boolean): Character[] {
  const classes = combiningClasses();
  const left = isCompatibility ? undecomposed.compatibility() : undecomposed.canonical();
  const form = isCompatibility ? 'NFKD' : 'NFD';
  const result: Character[] = [];
  let sortedEnd = 0;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    const parts = codePoint < 0x80 || left.has(codePoint) ? character : character.normalize(form);
    let change = 0;
    for (const part of parts) {
      const partCodePoint = part.codePointAt(0) ?? 0;
      const combiningClass = partCodePoint < 0x300 ? 0 : (classes.get(partCodePoint) ?? 0);
      if (combiningClass === 0) sortedEnd = sortMarks(result, sortedEnd);
      result.push({ codePoint: partCodePoint, combiningClass, change });
      change = 1;
    }
  }
  sortMarks(result, sortedEnd);
  return result;
}

/** Sorts what follows `from` by combining class, stably, and returns the new length of the sorted part. */
function sortMarks(characters: Character[], from: number): number {
  let isSorted = true;
  for (let i = from + 1; i < characters.length && isSorted; i++)
    isSorted = characters[i - 1].combiningClass <= characters[i].combiningClass;
  if (!isSorted) {
    const pending = characters.splice(from).sort((a, b) => a.combiningClass - b.combiningClass);
    for (const character of pending) characters.push(character);
  }
  return characters.length;
}

/** Canonical composition. A character composed of several carries the sum of their changes, so that lengths still agree. */
function recompose(characters: readonly Character[]): Character[] {
  const result: Character[] = [];
  let starter: Character | undefined;
  let waiting: Character[] = [];
  let lastClass: number | undefined;
  const flush = (): void => {
    if (starter !== undefined) result.push(starter);
    for (const character of waiting) result.push(character);
    waiting = [];
    lastClass = undefined;
  };
  for (const character of characters) {
    if (starter === undefined) {
      if (character.combiningClass === 0) starter = character;
      else result.push(character);
      continue;
    }
    const isBlocked = lastClass !== undefined && lastClass >= character.combiningClass;
    const composed: number | undefined = isBlocked ? undefined : compose(starter.codePoint, character.codePoint);
    if (composed !== undefined) {
      starter = { codePoint: composed, combiningClass: 0, change: starter.change + character.change - 1 };
    } else if (character.combiningClass === 0) {
      flush();
      starter = character;
    } else {
      waiting.push(character);
      lastClass = character.combiningClass;
    }
  }
  flush();
  return result;
}

/** The primary composite of two characters, if there is one. */
function compose(first: number, second: number): number | undefined {
  const isJamo = second >= 0x1161 && second <= 0x11c2;
  if (second < 0x300 || (!isJamo && !marks().has(second))) return undefined;
  const composed = String.fromCodePoint(first, second).normalize('NFC');
  const codePoint = composed.codePointAt(0) ?? 0;
  return composed.length === unitLength(codePoint) && !undecomposed.canonical().has(codePoint) ? codePoint : undefined;
}

function assemble(characters: readonly Character[]): Pick<Edit, 'text' | 'changes'> {
  const pieces: string[] = [];
  const changes: number[] = [];
  for (const { codePoint, change } of characters) {
    pieces.push(String.fromCodePoint(codePoint));
    changes.push(change);
  }
  return { text: pieces.join(''), changes };
}
