import type { RunInfo } from './modelInfo';

/** A half-open range of UTF-16 offsets in a text. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** Where a selection stands in a document, in UTF-16 offsets. */
export interface SelectedPlace {
  readonly selection: TextSpan;
  /** The start of its first line. */
  readonly firstLineStart: number;
  /** The end of its last line, the break left out; where it ends with a break, its own end. */
  readonly lastLineEnd: number;
  readonly documentLength: number;
  /** Where what it stands in ends below its last line, the best first: its function, its statement. */
  readonly nodeEnds?: readonly number[];
  /** The start of the first line that begins at an offset or after it. */
  readonly lineStartFrom: (offset: number) => number;
  /** The end of the last line that ends at an offset or before it, the break left out; 0 where none does. */
  readonly lineEndUntil: (offset: number) => number;
}

/** What is known of how a model reads, from what it has read. */
export interface Reader {
  readonly isCausal: boolean;
  /** UTF-16 units of text that a token stands for. */
  readonly unitsPerToken: number;
  /** The most tokens that it reads at once; Infinity where that is not known. */
  readonly mostTokens: number;
}

/** How much of a text may be read around a selection. */
export interface ContextBounds {
  /** The most tokens around it. */
  readonly contextTokens: number;
  /** The most tokens together; 0: as many as the model reads. */
  readonly tokenLimit: number;
}

/** Units of text that a token stands for, before any text has been read. */
export const initialUnitsPerToken = 2.5;

/** A model that has read nothing yet is taken for one that reads backwards. */
export const unknownReader: Reader = { isCausal: true, unitsPerToken: initialUnitsPerToken, mostTokens: Infinity };

/** How much of what is read around a selection may stand after it on its line, where the model reads backwards. */
const shareAfter = 1 / 4;

/** Units of text that make at most `numTokens` tokens, by what a token of this model has stood for. */
export function budgetOf(numTokens: number, unitsPerToken: number): number {
  // Tokens that the tokenizer adds, and text that is denser than what was read.
  return Math.max(8, Math.floor((numTokens - 2) * unitsPerToken * 0.9));
}

/** The first of the ends that leaves half of a budget for what stands before; undefined where none does. */
export function nodeEndWithin(nodeEnds: readonly number[], from: number, budget: number): number | undefined {
  return nodeEnds.find((end) => end > from && end - from <= budget >> 1);
}

function isNear(one: number, other: number): boolean {
  return Math.abs(one / other - 1) < 1 / 3;
}

/** What a run has shown of how its model reads; `askedUnits` is the length of the text that it was given. */
export function learnReader(
  former: Reader,
  { streams, components, model }: Pick<RunInfo, 'streams' | 'components' | 'model'>,
  askedUnits: number,
): Reader {
  const [{ tokens, text }] = streams;
  const numWritten = tokens.filter(({ start, end }) => end > start).length;
  const isCut = text.length < askedUnits;
  return {
    // One token by itself shows no order.
    isCausal: tokens.length < 2 ? former.isCausal : components.every(({ isCausal }) => isCausal),
    // A few tokens say little of a text; and what is read should not change with every run.
    unitsPerToken:
      numWritten <= 16
        ? former.unitsPerToken
        : isCut
          ? Math.min(former.unitsPerToken * 0.9, text.length / numWritten)
          : isNear(text.length / numWritten, former.unitsPerToken)
            ? former.unitsPerToken
            : text.length / numWritten,
    mostTokens: Math.min(model.contextLength ?? Infinity, isCut ? tokens.length : former.mostTokens),
  };
}

/**
 * The part of a document that is read with a selection in it, in whole lines where they are not too long: by a model that reads
 * backwards up to the end of the function or statement that it stands in, where that is known and leaves room, else of the selection's last line; else on both sides. Undefined where there is nothing around the selection,
 * or no room for it.
 */
export function windowAroundSelection(
  place: SelectedPlace,
  { isCausal, unitsPerToken, mostTokens }: Reader,
  { contextTokens, tokenLimit }: ContextBounds,
): TextSpan | undefined {
  const { selection, firstLineStart, lineStartFrom } = place;
  const most = Math.min(mostTokens, tokenLimit > 0 ? tokenLimit : Infinity);
  const room = most === Infinity ? Infinity : budgetOf(most, unitsPerToken) - (selection.end - selection.start);
  if (room <= 0) return undefined;
  const budget = Math.min(room, budgetOf(contextTokens, unitsPerToken));
  const end = isCausal
    ? (nodeEndWithin(place.nodeEnds ?? [], selection.end, budget) ??
      Math.min(place.lastLineEnd, selection.end + Math.floor(budget * shareAfter)))
    : endAfter(place, budget);
  const earliest = selection.start - (budget - (end - selection.end));
  const lineStart = earliest <= 0 ? 0 : lineStartFrom(earliest);
  const start = lineStart <= firstLineStart ? lineStart : earliest;
  return start === selection.start && end === selection.end ? undefined : { start, end };
}

/** Half of the budget after the selection, or more where less stands before it, up to the end of a line. */
function endAfter({ selection, documentLength, lineEndUntil }: SelectedPlace, budget: number): number {
  const latest = selection.end + Math.max(budget >> 1, budget - selection.start);
  if (latest >= documentLength) return documentLength;
  const lineEnd = lineEndUntil(latest);
  return lineEnd >= selection.end ? lineEnd : latest;
}

/** Whether what was read around a selection has to be chosen anew by what it has shown of the model: it was cut before the selection's end, or the model reads on both sides. */
export function isToBeChosenAnew(before: Reader, after: Reader, readUnits: number, selectionEnd: number): boolean {
  return readUnits < selectionEnd || (before.isCausal && !after.isCausal);
}
