import type { RunInfo } from '../../model/modelInfo';
import { nodeEndWithin } from '../../model/contextWindow';
import type { CaretPlace } from './caretPlace';
import type { TextRange } from './textRange';

/** How a model reads, as a run has shown. */
export interface ReadingHabits {
  /** UTF-16 units of text that the model read at once. */
  readonly budget: number;
  readonly isCausal: boolean;
}

/** How much less the next text is taken to be, as its tokens may be shorter. */
const caution = 0.85;
/** How much of the budget may stand after the caret on its line. */
const shareAfter = 1 / 4;

/** What a run tells of how its model reads; undefined where it read all that there was, or writes a text of its own. */
export function readingHabits({ streams, components }: RunInfo, askedUnits: number): ReadingHabits | undefined {
  const [source] = streams;
  if (streams.length !== 1 || source.text.length >= askedUnits) return undefined;
  return {
    budget: Math.floor(source.text.length * caution),
    isCausal: components.every((component) => component.isCausal),
  };
}

/**
 * The part of a document, in whole lines where they are not too long, that is read with the caret in it: for a model that reads
 * backwards up to one of the ends of what the caret stands in, where that leaves room, or of its line, else both sides. Undefined where what the model reads from the start has the caret in it.
 */
export function windowAroundCaret(
  { caret, line, documentLength, lineStartFrom }: CaretPlace,
  { budget, isCausal }: ReadingHabits,
  nodeEnds: readonly number[] = [],
): TextRange | undefined {
  if (caret <= budget) return undefined;
  const end = isCausal
    ? (nodeEndWithin(nodeEnds, caret, budget) ?? Math.min(line.end, caret + Math.floor(budget * shareAfter)))
    : Math.min(documentLength, caret + (budget >> 1));
  const start = lineStartFrom(end - budget);
  return { start: start <= line.start ? start : end - budget, end };
}
