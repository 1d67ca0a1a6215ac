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
  const shape = suffix.add('Shape', [queries], [suffix.name('shape')]);
  const batch = suffix.add('Gather', [shape, suffix.integers('batch-axis', [0])], [suffix.name('batch')]);
  let length = suffix.add('Gather', [shape, one], [suffix.name('length')]);
  if (past !== undefined) {
    const pastShape = suffix.add('Shape', [past], [suffix.name('past-shape')]);
    length = suffix.add(
      'Add',
      [length, suffix.add('Gather', [pastShape, two], [suffix.name('past-length')])],
      [suffix.name('total-length')],
    );
  }
  // Zeros behind the mask stand for the starts where it has none.
  const wide = suffix.add('Cast', [mask], [suffix.name('mask-wide')], { to: { integer: dataType.int64 } });
  const zeros = suffix.add('Expand', [zero, batch], [suffix.name('starts')]);
  const both = suffix.add('Concat', [wide, zeros], [suffix.name('bounds')], { axis: { integer: 0 } });
  const column = suffix.add(
    'Concat',
    [suffix.integers('rows', [-1]), suffix.integers('columns', [1])],
    [suffix.name('column')],
    { axis: { integer: 0 } },
  );
  const twice = suffix.add('Mul', [batch, two], [suffix.name('twice-batch')]);
  const part = (name: string, from: string, to: string): string =>
    suffix.add(
      'Reshape',
      [suffix.add('Slice', [both, from, to], [suffix.name(name)]), column],
      [suffix.name(`${name}-column`)],
    );
  const ends = part('ends', suffix.integers('first', [0]), batch);
  const begins = part('begins', batch, twice);
  const positions = suffix.add('Range', [zero, length, one], [suffix.name('positions')]);
  const isBefore = suffix.add('Less', [positions, ends], [suffix.name('before-end')]);
  const isBehind = suffix.add(
    'Not',
    [suffix.add('Less', [positions, begins], [suffix.name('before-start')])],
    [suffix.name('behind-start')],
  );
  const isRead = suffix.add('And', [isBefore, isBehind], [suffix.name('is-read')]);
  return suffix.add('Cast', [isRead], [suffix.name('key-mask')], { to: { integer: dataType.int32 } });
}
