import { dataType } from '../file/dataType';
import { rankOf } from '../follow/axisInference';
import { isOneNumber } from '../follow/oneNumber';
import { operatorOf } from '../follow/products';
import { SuffixBuilder } from '../find/suffixNodes';
import type { GraphIndex } from '../graph/graphIndex';
import type { PlacedSite } from '../name/describeSites';
import { sidesOf } from '../name/site';
import { leanInputs, type LeanOutputs, type LeanTapOptions } from './leanTaps';
import type { Replacements } from './leanNodes';
import { QueryBlocks } from './queryBlocks';
import type { Tap } from './rewriteModel';
import { findScoreGraph, scoreNames, type ScoreGraph } from './scoreGraph';

/** How a site is computed in blocks. */
interface BlockOptions extends Omit<LeanTapOptions, 'weights'> {
  /** Queries that a block has at most, unless a block of the small picture has more. */
  readonly rows: number;
  /** What stands in for nodes of the graph. */
  readonly replaced: Replacements['nodes'];
}

/** A site that is computed in blocks: what stands in for the node that weights its values, and what is read of it. */
interface BlockedSite {
  readonly nodes: readonly Uint8Array[];
  readonly initializers: readonly Uint8Array[];
  readonly tap: Tap;
  readonly outputs: LeanOutputs;
}

/**
 * A site whose queries are taken in blocks, one after another, so that its scores and weights are never there as a whole: a loop makes of each block what its
 * values are weighted to and what is read of its weights, with the model's own operators. For sites of which `planLean` says nothing against it.
 */
export function blockSite(index: GraphIndex, site: PlacedSite, options: BlockOptions): BlockedSite {
  const { part, levels, rows, replaced } = options;
  const around = new SuffixBuilder(index, site.node, `blocks-${part}/`);
  const inside = new SuffixBuilder(index, site.node, `block-${part}/`);
  const behind = new SuffixBuilder(index, site.node, `lean-${part}/`);
  const prefix = inside.name('scores/');
  const graph = findScoreGraph(index, site, { prefix, replaced });
  if (typeof graph === 'string') throw new RangeError(graph);
  const [height, width] = sidesOf(site.component, levels.source, levels.target).map((level) => 2 ** level);
  const blocks = new QueryBlocks({ around, inside }, graph.queries, { height, most: rows });
  addScores(index, graph, prefix, blocks);
  const weights = prefix + scoreNames.weights;
  const product = inside.tensor('MatMul', [weights, site.values], 'weighted');
  const weighted = blocks.collect(blocks.asOneItem(product, 'weighted'));
  const shapes = blocks.collect(inside.tensor('Shape', [product], 'result-shape'), dataType.int64);
  const outputs = addReductions(site, blocks, behind, {
    ...options,
    weights: blocks.asOneItem(weights, 'weights'),
    width,
  });
  blocks.close();
  const [result] = index.nodes[site.node].outputs;
  // Its leading axes are whatever the model makes them.
  const shape = around.tensor('Gather', [shapes, around.integers('first', 0)], 'shape', { axis: { integer: 0 } });
  const sides = [
    around.tensor('Slice', [shape, blocks.zero, around.integers('rows-at', [-2]), blocks.zero], 'leading'),
    blocks.numQueries,
    around.tensor(
      'Slice',
      [shape, around.integers('width-at', [-1]), around.integers('most', [2 ** 31 - 1]), blocks.zero],
      'width',
    ),
  ];
  const dims = around.tensor('Concat', sides, 'result-dims', { axis: { integer: 0 } });
  around.add('Reshape', [blocks.joined(around, weighted, { part: 'weighted', hasWidth: true }), dims], [result]);
  const kept = [graph.queries, graph.keys, ...graph.boundaries.map(({ tensor }) => tensor)].filter(
    (name, i, all) => all.indexOf(name) === i,
  );
  const made = around.build();
  return {
    nodes: made.nodes,
    initializers: [...made.initializers, ...graph.initializers],
    tap: {
      ...behind.build(),
      outputs: [...Object.values(outputs).filter((name) => name !== undefined), ...kept],
      needs: [result, ...kept],
    },
    outputs: { ...outputs, kept },
  };
}

/** Adds the nodes that make a block's weights of its queries. */
function addScores(
  index: GraphIndex,
  { queries, keys, boundaries, nodes }: ScoreGraph,
  prefix: string,
  blocks: QueryBlocks,
): void {
  const { inside } = blocks;
  const along = { axis: { integer: -2 } };
  const scales = { queries: scalesOf(index, queries), keys: scalesOf(index, keys) };
  const rows = inside.tensor('Gather', [scales.queries.from, blocks.rows], 'query-rows', along);
  scaleAgain(inside, scales.queries.nodes, rows, prefix + scoreNames.queries);
  scaleAgain(inside, scales.keys.nodes, scales.keys.from, prefix + scoreNames.keys);
  boundaries.forEach(({ tensor, input, isWhole }, i) => {
    if (isWhole) inside.add('Identity', [tensor], [input]);
    else {
      const isMatrix = (rankOf(index, tensor) ?? 0) >= 2;
      const matrix = isMatrix ? tensor : blocks.asMatrix(tensor, `boundary-${i}`);
      inside.add('Gather', [matrix, blocks.rowsOf(matrix, `boundary-${i}`)], [input], along);
    }
  });
  for (const node of nodes) inside.made(node);
}

/** What the number is made of makes no difference where a product is scaled with what it was scaled with. */
const anyNumber = { withActivations: true };

/** A node that multiplies a tensor by one number, or divides it. */
interface Scaling {
  readonly node: number;
  readonly inputs: (of: string) => readonly string[];
}

/** What queries or keys are made of by single numbers alone: with these beside the product, the runtime does both at once. */
function scalesOf(index: GraphIndex, tensor: string): { readonly from: string; readonly nodes: readonly Scaling[] } {
  const nodes: Scaling[] = [];
  let from = tensor;
  for (let node = index.producer(from); node !== undefined; node = index.producer(from)) {
    const operator = operatorOf(index, node);
    const [a, b] = index.nodes[node].inputs;
    if ((operator === 'Mul' || operator === 'Div') && isOneNumber(index, b, anyNumber)) {
      nodes.unshift({ node, inputs: (of) => [of, b] });
      from = a;
    } else if (operator === 'Mul' && isOneNumber(index, a, anyNumber)) {
      nodes.unshift({ node, inputs: (of) => [a, of] });
      from = b;
    } else break;
  }
  return { from, nodes };
}

function scaleAgain(inside: SuffixBuilder, nodes: readonly Scaling[], from: string, to: string): void {
  let tensor = from;
  nodes.forEach(({ node, inputs }, i) => {
    const result = inside.name(`${to}/${i}`);
    inside.copy(node, inputs(tensor), [result]);
    tensor = result;
  });
  inside.add('Identity', [tensor], [to]);
}

/** Adds what is read of a block's weights, `[1, heads, rows, keys]`, and of all blocks together. */
function addReductions(
  site: PlacedSite,
  blocks: QueryBlocks,
  behind: SuffixBuilder,
  { weights, width, clearsRows }: LeanTapOptions & { readonly width: number },
): Omit<LeanOutputs, 'kept'> {
  const { inside, around } = blocks;
  const add: SuffixBuilder['tensor'] = (...node) => inside.tensor(...node);
  const sumsOf = (tensor: string, part: string, keeps: boolean): string =>
    inside.reduced('ReduceSum', tensor, part, { axis: 3, keeps, inputSince: 13 });
  let whole = weights;
  const found: { givenSums?: string; rowMinima?: string } = {};
  const ofRows = (tensor: string, part: string): string =>
    blocks.joined(behind, blocks.collect(tensor), { part, hasWidth: false });
  // A softmax over nothing makes a row of no numbers throughout; only such a sum differs from itself.
  if (clearsRows && site.normalizer === 'softmax') {
    const sums = sumsOf(whole, 'given-sums', true);
    whole = add('Where', [add('Equal', [sums, sums], 'is-number'), whole, inside.float('nothing', 0)], 'cleared');
    found.givenSums = ofRows(
      inside.reduced('ReduceSum', sums, 'row-given-sums', { axis: 3, keeps: false, inputSince: 13 }),
      'given-sums',
    );
  }
  const rowSums = ofRows(sumsOf(whole, 'row-sums', false), 'row-sums');
  if (site.rowSum === 'any' && site.normalizer !== 'sigmoid')
    found.rowMinima = ofRows(
      inside.reduced('ReduceMin', whole, 'row-minima', { axis: 3, keeps: false, inputSince: 18 }),
      'row-minima',
    );
  const columnSums = blocks.carry('column-sums', (sums) =>
    add('Add', [sums, add('MatMul', [blocks.keptRows, whole], 'own-column-sums')], 'column-sums'),
  );
  const places = around.tensor(
    'Mod',
    [sidesOf(site.component, leanInputs.rows, leanInputs.targetRows)[0], blocks.numQueries],
    'sample-places',
  );
  const sampleRows = blocks.carry('sample-rows', (rows) => {
    const { isHere, at } = blocks.placesOf(places, 'sample');
    const own = add('Gather', [whole, at], 'own-sample-rows', { axis: { integer: 2 } });
    return add(
      'Where',
      [add('Reshape', [isHere, inside.integers('as-column', [-1, 1])], 'is-here'), own, rows],
      'sample-rows',
    );
  });
  const heads = blocks.collect(add('Gather', [whole, leanInputs.heads], 'heads', { axis: { integer: 1 } }));
  const pooled = blocks.collect(blocks.pool(whole, width));
  const count = behind.tensor('Cast', [blocks.numQueries], 'count', { to: { integer: dataType.float32 } });
  return {
    columnMeans: behind.tensor(
      'Reshape',
      [behind.tensor('Div', [columnSums, count], 'means'), behind.integers('means-dims', [0, 0, -1])],
      'column-means',
    ),
    rowSums,
    ...found,
    pooled: blocks.joined(behind, pooled, { part: 'pooled', hasWidth: true, isPooled: true }),
    sampleRows,
    heads: blocks.joined(behind, heads, { part: 'heads', hasWidth: true }),
  };
}
