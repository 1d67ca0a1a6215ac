import { dataType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import type { SuffixBuilder } from './suffixNodes';
import { rankOf } from '../graph/tensorFacts';

/** What a mask is made for. */
export interface MaskedAttention {
  readonly mask: string;
  /** Queries [batch, position, width]. */
  readonly queries: string;
  /** Cached keys [batch, head, position, size], if any. */
  readonly past: string | undefined;
}

/**
 * The mask of com.microsoft Attention in a form that MultiHeadAttention takes. Two and three dimensions pass as they are.
 * One dimension holds, for each item of the batch, where its keys end, and perhaps behind these where they start:
 * it becomes a matrix of ones and zeros.
 */
export function maskForMultiHead(
  index: GraphIndex,
  suffix: SuffixBuilder,
  { mask, queries, past }: MaskedAttention,
): string {
  if (rankOf(index, mask) !== 1) return mask;
  const zero = suffix.integers('zero', 0);
  const one = suffix.integers('one', 1);
  const two = suffix.integers('two', 2);
  const shape = suffix.tensor('Shape', [queries], 'shape');
  const batch = suffix.tensor('Gather', [shape, suffix.integers('batch-axis', [0])], 'batch');
  let length = suffix.tensor('Gather', [shape, one], 'length');
  if (past !== undefined) {
    const pastShape = suffix.tensor('Shape', [past], 'past-shape');
    length = suffix.tensor('Add', [length, suffix.tensor('Gather', [pastShape, two], 'past-length')], 'total-length');
  }
  // Zeros behind the mask stand for the starts where it has none.
  const wide = suffix.tensor('Cast', [mask], 'mask-wide', { to: { integer: dataType.int64 } });
  const zeros = suffix.tensor('Expand', [zero, batch], 'starts');
  const both = suffix.tensor('Concat', [wide, zeros], 'bounds', { axis: { integer: 0 } });
  const column = suffix.tensor('Concat', [suffix.integers('rows', [-1]), suffix.integers('columns', [1])], 'column', {
    axis: { integer: 0 },
  });
  const twice = suffix.tensor('Mul', [batch, two], 'twice-batch');
  const part = (name: string, from: string, to: string): string =>
    suffix.tensor('Reshape', [suffix.tensor('Slice', [both, from, to], name), column], `${name}-column`);
  const ends = part('ends', suffix.integers('first', [0]), batch);
  const begins = part('begins', batch, twice);
  const positions = suffix.tensor('Range', [zero, length, one], 'positions');
  const isBefore = suffix.tensor('Less', [positions, ends], 'before-end');
  const isBehind = suffix.tensor('Not', [suffix.tensor('Less', [positions, begins], 'before-start')], 'behind-start');
  const isRead = suffix.tensor('And', [isBefore, isBehind], 'is-read');
  return suffix.tensor('Cast', [isRead], 'key-mask', { to: { integer: dataType.int32 } });
}
