import { dataType } from '../file/dataType';
import type { PlacedSite } from '../name/describeSites';
import type { GraphIndex } from '../graph/graphIndex';
import { findScoreGraph, type ScoreGraph } from './scoreGraph';
import type { Tap } from './rewriteModel';
import { sidesOf } from '../name/site';
import { encodeTypedValue } from '../file/nodeBytes';
import { SuffixBuilder } from '../find/suffixNodes';

/** How a site's attention is held where all of it would take too much memory. */
export type LeanPlan =
  | { readonly held: 'recomputed'; readonly graph: ScoreGraph }
  /** With the reason, in one clause, why it cannot be recomputed. */
  | { readonly held: 'rounded'; readonly reason: string }
  | { readonly held: 'whole'; readonly reason: string };

/** How a site can be held. */
export function planLean(index: GraphIndex, site: PlacedSite): LeanPlan {
  const graph = findScoreGraph(index, site);
  return typeof graph === 'string' ? planRounded(index, site, graph) : { held: 'recomputed', graph };
}

/** How a site can be held that, for a reason, is not recomputed. */
export function planRounded(index: GraphIndex, site: PlacedSite, reason: string): LeanPlan {
  const { loop, rowSum, normalizer, queryAxis, keyAxis } = site;
  const isBounded = rowSum !== 'any' || normalizer === 'sigmoid';
  const isPlain = (queryAxis === -2 && keyAxis === -1) || (queryAxis === -1 && keyAxis === -2);
  const opset = index.model.opsets.get('') ?? 1;
  return { held: loop === undefined && isBounded && isPlain && opset >= oldestOpset ? 'rounded' : 'whole', reason };
}

/** Operators of older versions take their axes and bounds otherwise. */
const oldestOpset = 11;

/** What is read of a site in place of its weights; names of outputs. All are [1, heads, …]. */
export interface LeanOutputs {
  readonly columnMeans: string;
  readonly rowSums: string;
  /** The row sums as the model has them, where rows of no numbers became rows of zeros. */
  readonly givenSums?: string;
  /** Maxima of blocks. */
  readonly pooled: string;
  /** The exact rows whose numbers are fed. */
  readonly sampleRows: string;
  /** All of the weights: bytes b that stand for (b / 255)². */
  readonly rounded: string | undefined;
  /** The exact weights of the heads whose numbers are fed. */
  readonly exactHeads: string | undefined;
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
 * Nodes that reduce a site's weights inside the graph to what is looked at first, and that hand out what its rows can be had from later.
 */
export function leanTap(
  index: GraphIndex,
  site: PlacedSite,
  plan: LeanPlan,
  { weights, levels, part, clearsRows }: LeanTapOptions,
): { readonly tap: Tap; readonly outputs: LeanOutputs } {
  const opset = index.model.opsets.get('') ?? 1;
  const made = new SuffixBuilder(index, site.node, `lean-${part}/`);
  const add = (
    operator: string,
    inputs: readonly string[],
    name: string,
    attributes: Parameters<SuffixBuilder['add']>[3] = {},
  ): string => made.add(operator, inputs, [made.name(name)], attributes);
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
  const reduce = (operator: string, axis: number, name: string, keepdims: 0 | 1, firstInput: number): string =>
    opset >= firstInput
      ? add(operator, [whole, made.integers(`${name}-axis`, [axis])], name, { keepdims: { integer: keepdims } })
      : add(operator, [whole], name, { axes: { integers: [axis] }, keepdims: { integer: keepdims } });
  if (site.isUndivided) {
    const sums = add('Max', [reduce('ReduceSum', 3, 'undivided-sums', 1, 13), made.float('least', 1e-30)], 'divisors');
    whole = add('Div', [whole, sums], 'divided');
  }
  let givenSums: string | undefined;
  // A softmax over nothing makes a row of no numbers throughout; only such a sum differs from itself.
  if (clearsRows && site.normalizer === 'softmax') {
    const sums = reduce('ReduceSum', 3, 'given-sums', 1, 13);
    whole = add('Where', [add('Equal', [sums, sums], 'is-number'), whole, made.float('nothing', 0)], 'cleared');
    givenSums = sums;
  }
  const columnMeans = reduce('ReduceMean', 2, 'column-means', 0, 18);
  const rowSums = reduce('ReduceSum', 3, 'row-sums', 0, 13);
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
  const kept: string[] = [];
  let rounded: string | undefined;
  let exactHeads: string | undefined;
  if (plan.held === 'recomputed') {
    const { graph } = plan;
    kept.push(...new Set([graph.queries, graph.keys, ...graph.boundaries.map((boundary) => boundary.tensor)]));
  } else {
    rounded = add(
      'QuantizeLinear',
      [add('Sqrt', [whole], 'root'), made.float('step', 1 / 255), made.byte('zero', 0)],
      'rounded',
    );
    exactHeads = add('Gather', [whole, leanInputs.heads], 'exact-heads', { axis: { integer: 1 } });
  }
  const outputs: LeanOutputs = {
    columnMeans,
    rowSums,
    ...(givenSums === undefined ? {} : { givenSums }),
    pooled,
    sampleRows,
    rounded,
    exactHeads,
    kept,
  };
  const names = [columnMeans, rowSums, givenSums, pooled, sampleRows, rounded, exactHeads, ...kept].filter(
    (name) => name !== undefined,
  );
  return { tap: { ...made.build(), outputs: names }, outputs };
}
