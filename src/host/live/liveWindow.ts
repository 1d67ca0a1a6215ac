import type { TokenStream } from '../../model/token';
import type { CaretPlace } from '../run/caretPlace';
import type { TextEdit, TextRange } from '../run/textRange';

/** What a window around the caret is chosen by. */
export interface WindowRequest extends CaretPlace {
  /** The most units of the window. */
  readonly budget: number;
  /** Whether the model reads only what stands before a token. */
  readonly isCausal: boolean;
  /** The window before, moved along with what was edited since. */
  readonly former: TextRange | undefined;
}

/** How much of the budget stands before the caret in a new window of a causal model; the rest is room to type in. */
const shareBefore = 2 / 3;
/** How much of the budget may stand after the caret on its line. */
const shareAfter = 1 / 4;
/** A window that looks both ways is chosen anew when the caret comes this close to an end of it. */
const margin = 1 / 8;
/** It may grow by what is typed to this much of the budget. */
const slack = 1.25;

/**
 * The part of a document that is explained around the caret. It keeps its start as long as the caret stays in it and it does
 * not outgrow the budget: what is before an edit then need not be read again, and the picture stands still.
 */
export function chooseWindow(request: WindowRequest): TextRange {
  const { caret, line, budget, isCausal, former, documentLength } = request;
  if (!isCausal) return chooseBothWays(request);
  const end = Math.min(line.end, Math.max(caret + Math.floor(budget * shareAfter), line.start));
  const isKept = former !== undefined && caret >= former.start && end - former.start <= budget;
  if (isKept) return { start: former.start, end };
  const start = startBefore(request, Math.floor(budget * shareBefore));
  return { start, end: Math.min(documentLength, Math.max(end, start)) };
}

function chooseBothWays(request: WindowRequest): TextRange {
  const { caret, line, documentLength, budget, former } = request;
  if (former !== undefined) {
    const end = Math.max(former.end, Math.min(line.end, caret + Math.floor(budget * shareAfter)));
    const hasRoomBefore = former.start === 0 || caret - former.start >= budget * margin;
    const hasRoomAfter = end >= documentLength || end - caret >= budget * margin;
    if (caret >= former.start && caret <= end && hasRoomBefore && hasRoomAfter && end - former.start <= budget * slack)
      return { start: former.start, end };
  }
  const start = startBefore(request, budget >> 1);
  return { start, end: Math.min(documentLength, start + budget) };
}

/** The start of a line at most `length` units before the caret; within its line where that is longer. */
function startBefore({ caret, line, lineStartFrom }: WindowRequest, length: number): number {
  if (caret <= length) return 0;
  const start = lineStartFrom(caret - length);
  return start <= line.start ? start : caret - length;
}

/** Moves a window along with the edits of one event; what is typed at its ends belongs to it. */
export function moveWindow({ start, end }: TextRange, edits: readonly TextEdit[]): TextRange {
  let [from, to] = [start, end];
  for (const { rangeOffset, rangeLength, text } of [...edits].sort((a, b) => b.rangeOffset - a.rangeOffset)) {
    const growth = text.length - rangeLength;
    if (rangeOffset > to) continue;
    to = Math.max(to + growth, rangeOffset);
    if (rangeOffset >= from) continue;
    from = Math.max(from + growth, rangeOffset);
  }
  return { start: from, end: Math.max(from, to) };
}

/** The position of the token just before an offset of a text; the first where there is none. */
export function tokenBefore({ tokens }: TokenStream, offset: number): number {
  for (let position = tokens.length - 1; position >= 0; position--) {
    const { start, end } = tokens[position];
    if (end > start && start < offset) return position;
  }
  return 0;
}

/** Number of tokens at the start of two texts that are the same and stand in the same place. */
export function commonTokens(one: TokenStream, other: TokenStream): number {
  const most = Math.min(one.tokens.length, other.tokens.length);
  let count = 0;
  while (
    count < most &&
    one.tokens[count].id === other.tokens[count].id &&
    one.tokens[count].start === other.tokens[count].start
  )
    count++;
  return count;
}
