import { dataType } from '../file/dataType';
import type { PlacedSite } from '../name/describeSites';
import type { GraphIndex } from '../graph/graphIndex';
import type { LeanPlan } from './leanPlan';
import type { Tap } from './rewriteModel';
import { sidesOf } from '../name/site';
import { encodeTypedValue } from '../file/nodeBytes';
import { SuffixBuilder } from '../find/suffixNodes';

/** What is read of a site in place of its weights; names of outputs. All are [1, heads, …]. */
export interface LeanOutputs {
  readonly columnMeans: string;
  readonly rowSums: string;
  /** The row sums as the model has them, where rows of no numbers became rows of zeros. */
  readonly givenSums?: string;
  /** The least of each row, where nothing else keeps weights from being negative. */
  readonly rowMinima?: string;
  /** Maxima of blocks. */
  readonly pooled: string;
  /** The exact rows whose numbers are fed. */
  readonly sampleRows: string;
  /** All weights of the heads whose numbers are fed. */
  readonly heads: string;
  /** Queries, keys and what else a score graph is given: tensors of the model. */
  readonly kept: readonly string[];
}

/** Inputs that the rewritten model has beside its own: int64 lists. Queries of a decoder's own text are numbered by themselves. */
export const leanInputs = {
  rows: 'attention-explorer-rows',
  targetRows: 'attention-explorer-target-rows',
  heads: 'attention-explorer-heads',
} as const;

/** Blocks are 2^level cells long on a side of the text, and on one of a decoder's own text. */
export interface BlockLevels {
  readonly source: number;
  readonly target: number;
}

/** ValueInfoProtos of {@link leanInputs}. */
export function encodeLeanInputs(): Uint8Array[] {
  return Object.values(leanInputs).map((name) => encodeTypedValue(name, dataType.int64, 1));
}

/** How a site is tapped. */
export interface LeanTapOptions {
  /** The tensor of single-precision weights. */
  readonly weights: string;
  readonly levels: BlockLevels;
  /** Begins the names of what is added. */
  readonly part: string;
  /** Whether rows in which no number is one, of queries that may read no key, become rows of zeros. */
  readonly clearsRows: boolean;
}

/**
 * Nodes that reduce a site's weights inside the graph to what is looked at first, and that hand out rows and heads, or what rows can be had from later.
 */
export function leanTap(
  index: GraphIndex,
  site: PlacedSite,
  plan: LeanPlan,
  { weights, levels, part, clearsRows }: LeanTapOptions,
): { readonly tap: Tap; readonly outputs: LeanOutputs } {
  const made = new SuffixBuilder(index, site.node, `lean-${part}/`);
  const add: SuffixBuilder['tensor'] = (...node) => made.tensor(...node);
  // Whatever axes come before the last two become one: [1, heads, queries, keys].
  const sides = add(
    'Slice',
    [
      add('Shape', [weights], 'shape'),
      made.integers('from', [-2]),
      made.integers('to', [2 ** 31 - 1]),
      made.integers('along', [0]),
    ],
    'sides',
  );
  let whole = add(
    'Reshape',
    [weights, add('Concat', [made.integers('leading', [1, -1]), sides], 'dims', { axis: { integer: 0 } })],
    'whole',
  );
  if (site.queryAxis === -1) whole = add('Transpose', [whole], 'turned', { perm: { integers: [0, 1, 3, 2] } });
  const sumOfRows = (part: string, keeps: boolean): string =>
    made.reduced('ReduceSum', whole, part, { axis: 3, keeps, inputSince: 13 });
  if (site.isUndivided) {
    const sums = add('Max', [sumOfRows('undivided-sums', true), made.float('least', 1e-30)], 'divisors');
    whole = add('Div', [whole, sums], 'divided');
  }
  let givenSums: string | undefined;
  // A softmax over nothing makes a row of no numbers throughout; only such a sum differs from itself.
  if (clearsRows && site.normalizer === 'softmax') {
    const sums = sumOfRows('given-sums', true);
    whole = add('Where', [add('Equal', [sums, sums], 'is-number'), whole, made.float('nothing', 0)], 'cleared');
    givenSums = sums;
  }
  const columnMeans = made.reduced('ReduceMean', whole, 'column-means', { axis: 2, keeps: false, inputSince: 18 });
  const rowSums = sumOfRows('row-sums', false);
  const isSigned = site.rowSum === 'any' && site.normalizer !== 'sigmoid';
  const rowMinima = isSigned
    ? made.reduced('ReduceMin', whole, 'row-minima', { axis: 3, keeps: false, inputSince: 18 })
    : undefined;
  const block = sidesOf(site.component, levels.source, levels.target).map((level) => 2 ** level);
  const pooled = add('MaxPool', [whole], 'pooled', {
    kernel_shape: { integers: block },
    strides: { integers: block },
    ceil_mode: { integer: 1 },
  });
  // Where there are fewer queries than were read, the check of the shape is to say so, not the runtime.
  const numQueries = add(
    'Gather',
    [add('Shape', [whole], 'whole-shape'), made.integers('query-axis', 2)],
    'num-queries',
    { axis: { integer: 0 } },
  );
  const [rows] = sidesOf(site.component, leanInputs.rows, leanInputs.targetRows);
  const sampleRows = add('Gather', [whole, add('Mod', [rows, numQueries], 'sample-places')], 'sample-rows', {
    axis: { integer: 2 },
  });
  const heads = add('Gather', [whole, leanInputs.heads], 'heads', { axis: { integer: 1 } });
  const { queries, keys, boundaries = [] } = plan.held === 'recomputed' ? plan.graph : {};
  const kept = [...new Set([queries, keys, ...boundaries.map(({ tensor }) => tensor)])].filter(
    (name) => name !== undefined,
  );
  const outputs: LeanOutputs = {
    columnMeans,
    rowSums,
    ...(givenSums === undefined ? {} : { givenSums }),
    ...(rowMinima === undefined ? {} : { rowMinima }),
    pooled,
    sampleRows,
    heads,
    kept,
  };
  const names = [columnMeans, rowSums, givenSums, rowMinima, pooled, sampleRows, heads, ...kept].filter(
    (name) => name !== undefined,
  );
  return { tap: { ...made.build(), outputs: names }, outputs };
}
