import { dataType } from '../file/dataType';
import { rankOf } from '../follow/axisInference';
import { operatorOf } from '../follow/products';
import type { GraphIndex } from '../graph/graphIndex';
import { rounding } from '../graph/operatorKinds';
import type { PlacedSite } from '../name/describeSites';
import { usesOtherFloats } from './rewriteModel';
import { findScoreGraph, type ScoreGraph } from './scoreGraph';

/** How a site's attention is had where all of it would take too much memory; with the reason, in a clause, why not otherwise. */
export type LeanPlan =
  /** Rows are recomputed from queries and keys. Where nothing is said against it, the run computes them in blocks, so that they are never there as a whole. */
  | { readonly held: 'recomputed'; readonly graph: ScoreGraph; readonly whyNotBlocked: string | undefined }
  /** The part of the model that computes it is run again. */
  | { readonly held: 'rerun'; readonly reason: string }
  | { readonly held: 'whole'; readonly reason: string };

/** How a site's attention can be had. */
export function planLean(index: GraphIndex, site: PlacedSite): LeanPlan {
  const graph = findScoreGraph(index, site);
  if (typeof graph !== 'string') {
    return { held: 'recomputed', graph, whyNotBlocked: whyNotBlocked(index, site, graph) };
  }
  const { loop, queryAxis, keyAxis } = site;
  const isPlain = (queryAxis === -2 && keyAxis === -1) || (queryAxis === -1 && keyAxis === -2);
  const opset = index.model.opsets.get('') ?? 1;
  return { held: loop === undefined && isPlain && opset >= oldestOpset ? 'rerun' : 'whole', reason: graph };
}

/** Operators of older versions take their axes and bounds otherwise. */
const oldestOpset = 11;

/** Behind the weights, they give the same numbers. */
const passing = new Set(['Identity', 'Dropout']);

/**
 * Why a site cannot be computed in blocks of its queries, in a clause; undefined where it can: where each row of what its values are weighted to
 * is made of one row of queries by operators that work on rows by themselves, and nothing else in the graph needs its scores or weights.
 */
function whyNotBlocked(index: GraphIndex, site: PlacedSite, graph: ScoreGraph): string | undefined {
  const { node, tensor, values } = site;
  if (usesOtherFloats(index)) return 'its numbers may be of another width than 32 bits';
  if (graph.isReshaped) return 'its scores change the number of their axes';
  if (graph.rank !== undefined && scoreRank(index, graph) !== graph.rank)
    return 'its axes are counted from the start, and their number is not known';
  if (operatorOf(index, node) !== 'MatMul' || index.nodes[node].inputs[1] !== values)
    return 'its values are not weighted by a plain product';
  const passed = passedOn(index, index.nodes[node].inputs[0], tensor);
  if (passed === undefined) return 'what weights its values is not its weights alone';
  const chain = new Set([...graph.between, ...passed, node]);
  for (const each of chain) {
    const { opType, outputs } = index.nodes[each];
    if (rounding.includes(opType)) return 'its numbers are rounded with its products';
    if (each === node) continue;
    if (outputs.some((output) => index.consumers(output).some((consumer) => !chain.has(consumer))))
      return 'something else needs its scores or its weights';
  }
  const given = [graph.queries, graph.keys, values].flatMap((operand) => index.producer(operand) ?? []);
  const taken = index.nodes[node].outputs.flatMap((output) => index.consumers(output));
  if ([...given, ...taken].some((each) => rounding.includes(index.nodes[each].opType)))
    return 'its products are rounded with what they are made of';
  const { nodes } = index.ancestors([values, ...graph.boundaries.map((boundary) => boundary.tensor)]);
  return [...chain].some((each) => nodes.has(each)) ? 'its values or its mask are made of its scores' : undefined;
}

function scoreRank(index: GraphIndex, { queries, keys }: ScoreGraph): number | undefined {
  const ranks = [queries, keys].map((operand) => rankOf(index, operand));
  return ranks.some((rank) => rank === undefined) ? undefined : Math.max(...ranks.map((rank) => rank ?? 0));
}

/** Nodes that hand single-precision numbers on as they are, up to another tensor of them; undefined where something else is done to it. */
function passedOn(index: GraphIndex, end: string, tensor: string): readonly number[] | undefined {
  const nodes: number[] = [];
  for (let name = end; name !== tensor;) {
    const node = index.producer(name);
    if (node === undefined || index.nodes[node].outputs[0] !== name) return undefined;
    const operator = operatorOf(index, node);
    const isSame = operator === 'Cast' && index.integerAttribute(node, 'to') === dataType.float32;
    if (!isSame && !passing.has(operator)) return undefined;
    nodes.push(node);
    [name] = index.nodes[node].inputs;
  }
  return nodes;
}
