/** A half-open range of UTF-16 offsets in a document. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** One replacement in a document, by offsets before it. */
export interface TextEdit {
  readonly rangeOffset: number;
  readonly rangeLength: number;
  readonly text: string;
}

/** Where a range is after an edit, and whether the edit changed what is in it. */
export interface EditedRange extends TextRange {
  readonly isTouched: boolean;
}

/**
 * Moves a range along with an edit. What is inserted at its edges stays outside; an edit that reaches in keeps the range around
 * what is left and what came.
 */
function applyEdit({ start, end }: TextRange, { rangeOffset, rangeLength, text }: TextEdit): EditedRange {
  const editEnd = rangeOffset + rangeLength;
  const growth = text.length - rangeLength;
  if (editEnd <= start) return { start: start + growth, end: end + growth, isTouched: false };
  if (rangeOffset >= end) return { start, end, isTouched: false };
  const newStart = Math.min(start, rangeOffset);
  return { start: newStart, end: Math.max(end, editEnd) + growth, isTouched: true };
}

/** Moves a range along with the edits of one change event: all by offsets before the event, and none overlapping another. */
export function applyEdits(range: TextRange, edits: readonly TextEdit[]): EditedRange {
  // From the back, so that an edit does not move those that are still to come.
  const ordered = [...edits].sort((a, b) => b.rangeOffset - a.rangeOffset);
  let moved: EditedRange = { ...range, isTouched: false };
  for (const edit of ordered) {
    const next = applyEdit(moved, edit);
    moved = { ...next, isTouched: moved.isTouched || next.isTouched };
  }
  return moved;
}

/** Where a text stands in another, nearest to where it stood before; undefined where it is not. */
export function findNearest(haystack: string, needle: string, near: number): number | undefined {
  if (needle === '') return undefined;
  const after = haystack.indexOf(needle, near);
  const before = haystack.lastIndexOf(needle, near);
  if (after < 0) return before < 0 ? undefined : before;
  return before < 0 || after - near <= near - before ? after : before;
}
