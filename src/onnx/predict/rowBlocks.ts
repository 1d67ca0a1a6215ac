import { dataType } from '../file/dataType';
import type { SuffixBuilder } from '../find/suffixNodes';

/** So many rows of a usual vocabulary's scores, with what is made of them, lie in a processor's cache. */
const blockRows = 4;

/** What is reduced block by block. */
interface Blocks {
  /** Makes the nodes around the loop, and its constants. */
  readonly builder: SuffixBuilder;
  /** Makes the nodes inside of it. */
  readonly inside: SuffixBuilder;
  /** int64 `[1]`: how many rows there are. */
  readonly numRows: string;
}

/**
 * Adds a loop over blocks of a few rows, so that no pass over all of them goes through memory. All blocks have as many rows: the last begins where it ends with
 * the last row, and may have rows of the one before again.
 * @param cut tensors whose rows are cut: inside the loop, in this order, they are what `reduce` is given.
 * @param reduce adds nodes inside the loop; gives the tensors that come of a block with their element types.
 * @returns these, `[blocks, …]`, in the same order.
 */
export function reduceInBlocks(
  { builder, inside, numRows }: Blocks,
  cut: readonly string[],
  reduce: (parts: readonly string[]) => readonly { readonly tensor: string; readonly type: number }[],
): string[] {
  const add: SuffixBuilder['tensor'] = (...node) => builder.tensor(...node);
  const [first, one, least] = [
    builder.integers('firstAxis', [0]),
    builder.integers('one', [1]),
    builder.integers('blockRows', [blockRows]),
  ];
  const shared = (count: string, by: string, part: string): string =>
    add('Div', [add('Sub', [add('Add', [count, by], `${part}/sum`), one], `${part}/rest`), by], part);
  const numBlocks = shared(numRows, least, 'numBlocks');
  const size = shared(numRows, numBlocks, 'blockSize');
  const last = add('Sub', [numRows, size], 'lastBlock');
  const trips = add('Reshape', [numBlocks, builder.integers('none', [])], 'trips');

  const [turn, condition, goesOn] = ['turn', 'condition', 'goesOn'].map((part) => inside.name(part));
  const own: SuffixBuilder['tensor'] = (...node) => inside.tensor(...node);
  const begin = own('Mul', [own('Reshape', [turn, one], 'block'), size], 'begin');
  const from = own('Where', [own('Greater', [begin, last], 'isLast'), last, begin], 'from');
  const to = own('Add', [from, size], 'to');
  const parts = cut.map((tensor, i) => own('Slice', [tensor, from, to, first], `part${i}`));
  inside.add('Identity', [condition], [goesOn]);
  const reduced = reduce(parts);
  const results = reduced.map((_, i) => builder.name(`reduced${i}`));
  builder.loop(trips, results, {
    inside,
    inputs: [
      { name: turn, dataType: dataType.int64, rank: 0 },
      { name: condition, dataType: dataType.bool, rank: 0 },
    ],
    outputs: [
      { name: goesOn, dataType: dataType.bool, rank: 0 },
      ...reduced.map(({ tensor, type }) => ({ name: tensor, dataType: type })),
    ],
  });
  return results;
}

/** The place of a row in what {@link reduceInBlocks} gives, by the sizes of that. */
export function placeInBlocks(row: number, numRows: number, [numBlocks, size]: readonly number[]): number {
  const block = Math.min(Math.floor(row / size), numBlocks - 1);
  return block * size + row - Math.min(block * size, numRows - size);
}
