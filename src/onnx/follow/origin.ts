import type { GraphIndex } from '../graph/graphIndex';
import { activationProduct, isWeight, operatorOf, productOf } from './products';
import { carriedInputs, rearranging } from './trace';
import { norms, ofMicrosoft } from '../graph/operatorKinds';

/** What a site's queries, keys or values are made of, as points of the model's streams: residual sums, results of attention, embeddings, inputs. */
export interface Origin {
  /** What its projections project. */
  readonly projected: ReadonlySet<string>;
  /** Tensors on the ways back, up to the nearest points. */
  readonly passed: ReadonlySet<string>;
  /** The points that are nearest on each way back, each with its tensor. */
  readonly nearest: ReadonlyMap<string, string>;
  /** These, and those that they are sums of. */
  readonly points: ReadonlySet<string>;
  /** Whether a way also ended at an operator that is not known, so that more may lie behind. */
  readonly isOpen: boolean;
}

/** Operators beside those that carry a matrix on, behind which a stream still is the same: they work on each position or on its neighbours. */
const local = new Set([
  ...norms,
  ...['MaxPool', 'AveragePool', 'LpPool', 'GlobalAveragePool', 'ReduceMean', 'ReduceMax', 'ReduceSum', 'Resize'],
  ...['Gelu', 'Elu', 'Selu', 'Erf', 'HardSwish', 'Reciprocal', 'RotaryEmbedding', 'Sin', 'Cos'],
  ...ofMicrosoft(['RotaryEmbedding', 'Gelu', 'FastGelu', 'BiasGelu', 'QuickGelu']),
]);
/** Norms that add two streams first. */
export const joiningStreams = new Set([
  'com.microsoft.SkipLayerNormalization',
  'com.microsoft.SkipSimplifiedLayerNormalization',
]);
const embedding = new Set(['Gather', 'com.microsoft.EmbedLayerNormalization', 'com.microsoft.GatherBlockQuantized']);

/** Before a projection may lie a sum with positions, and before it the residual sum. */
const nearSums = 2;
const mostSteps = { near: 400, far: 6000 };

const caches = new WeakMap<GraphIndex, Map<string, Origin>>();

/** Follows a tensor back, past its projection and norms, to where it leaves its stream. */
export function originOf(index: GraphIndex, tensor: string): Origin {
  let cache = caches.get(index);
  if (cache === undefined) caches.set(index, (cache = new Map<string, Origin>()));
  let origin = cache.get(tensor);
  if (origin === undefined)
    cache.set(tensor, (origin = trace(index, tensor, { sums: nearSums, steps: mostSteps.near })));
  return origin;
}

/** What a site reads, in the graph's own terms. */
export interface Operands {
  readonly queries: string;
  readonly keys: string;
  readonly values: string;
}

/**
 * Whether a site's values are of the stream that asks: one tensor is projected to queries and keys, or what the values are made
 * of lies on the stream of the queries, this layer's or an earlier one's. Undefined where the graph does not tell. Positions,
 * which are added to queries and keys alike, count only where nothing else does.
 */
export function isOneStream(
  index: GraphIndex,
  { queries, keys, values }: Operands,
  hasContent: (tensor: string) => boolean,
): boolean | undefined {
  const [asking, asked, read] = [queries, keys, values].map((tensor) => originOf(index, tensor));
  if (queries === keys || [...asking.projected].some((tensor) => asked.projected.has(tensor))) return true;
  const own = [...read.nearest].filter(([, tensor]) => hasContent(tensor));
  const nearest = (own.length > 0 ? own : [...read.nearest]).map(([point]) => point);
  if (nearest.every((point) => asking.points.has(point)) || asking.passed.has(rearrangedFrom(index, values)))
    return true;
  const stream = trace(index, queries, { sums: Infinity, steps: mostSteps.far });
  if (nearest.every((point) => stream.points.has(point))) return true;
  return stream.isOpen || read.isOpen ? undefined : false;
}

/** Whether what is summed is of the same stream as what it is chosen by. */
export function isOfKeys(index: GraphIndex, keys: string, values: string): boolean {
  const [asked, read] = [keys, values].map((tensor) => originOf(index, tensor));
  if (asked.passed.has(rearrangedFrom(index, values)) || read.passed.has(rearrangedFrom(index, keys))) return true;
  return (
    [...read.projected].some((tensor) => asked.projected.has(tensor)) ||
    [...read.nearest.keys()].some((point) => asked.points.has(point))
  );
}

/** The tensor that one is in another arrangement. */
function rearrangedFrom(index: GraphIndex, tensor: string): string {
  let name = tensor;
  for (let i = 0; i < 12; i++) {
    const node = index.producer(name);
    if (
      node === undefined ||
      !rearranging.has(operatorOf(index, node)) ||
      index.nodes[node].opType === 'Concat' ||
      index.nodes[node].opType === 'Gather'
    )
      return name;
    name = index.nodes[node].inputs[0];
  }
  return name;
}

interface Place {
  readonly tensor: string;
  readonly isProjected: boolean;
  readonly numSums: number;
}

/** What is followed back of a node: on to other tensors, or to an end there. */
interface Step {
  /** Where the way goes on, and what has changed on it. */
  readonly next?: readonly string[];
  readonly change?: Partial<Place>;
  /** The point at which it ends. */
  readonly end?: string;
  /** Tensors that are projected there. */
  readonly projected?: readonly string[];
  /** Whether more may lie behind. */
  readonly isOpen?: boolean;
}

function trace(index: GraphIndex, tensor: string, most: { readonly sums: number; readonly steps: number }): Origin {
  const projected = new Set<string>();
  const passed = new Set<string>();
  const nearest = { projected: new Map<string, string>(), other: new Map<string, string>() };
  const points = new Set<string>();
  let isOpen = false;
  const pending: Place[] = [{ tensor, isProjected: false, numSums: 0 }];
  const seen = new Set<string>();
  for (let at = 0; at < pending.length; at++) {
    const place = pending[at];
    if (place.numSums === 0) passed.add(place.tensor);
    const step = stepBack(index, place, at > most.steps, most.sums);
    isOpen ||= step.isOpen === true;
    for (const each of step.projected ?? []) projected.add(each);
    if (step.end !== undefined) {
      points.add(step.end);
      if (place.numSums === 0) nearest[place.isProjected ? 'projected' : 'other'].set(step.end, place.tensor);
    }
    for (const input of step.next ?? []) {
      const next = { ...place, ...step.change, tensor: input };
      const key = `${input}|${next.isProjected ? 1 : 0}|${next.numSums === 0 ? 0 : 1}`;
      if (input === '' || seen.has(key)) continue;
      seen.add(key);
      pending.push(next);
    }
  }
  return { projected, passed, nearest: nearest.projected.size > 0 ? nearest.projected : nearest.other, points, isOpen };
}

function stepBack(index: GraphIndex, place: Place, isFar: boolean, mostSums: number): Step {
  const node = index.producer(place.tensor);
  if (node === undefined || isFar) return { end: place.tensor, isOpen: node !== undefined };
  index.spend(1);
  const { inputs } = index.nodes[node];
  const operator = operatorOf(index, node);
  const product = productOf(index, node);
  if (product !== undefined || operator.includes('Conv') || operator.includes('MatMul'))
    return throughProduct(index, node, place, product?.operands ?? [inputs[0]]);
  const isSum = operator === 'Add' || joiningStreams.has(operator);
  const summands = isSum ? inputs.slice(0, 2).filter((input) => !isWeight(index, input)) : [];
  if (place.isProjected && summands.length === 2) {
    // Sums of the same tensors are the same sum.
    const end = `sum of ${[...summands].sort().join(' and ')}`;
    const numSums = place.numSums + 1;
    return { end, ...(numSums < mostSums ? { next: summands, change: { numSums } } : {}) };
  }
  const carried = isSum ? inputs.slice(0, 2) : local.has(operator) ? inputs.slice(0, 1) : carriedInputs(index, node);
  const streams = carried.filter((input) => input !== '' && !isWeight(index, input));
  if (streams.length > 0) return { next: streams };
  // What only repeats a weight is that weight.
  const [weight] = embedding.has(operator) ? [] : carried;
  return { end: weight ?? place.tensor, isOpen: carried.length === 0 && !embedding.has(operator) };
}

function throughProduct(index: GraphIndex, node: number, place: Place, operands: readonly string[]): Step {
  if (activationProduct(index, node) !== undefined) return { end: place.tensor };
  const streams = operands.filter((operand) => !isWeight(index, operand));
  // Learned queries are a weight themselves.
  const [first] = index.nodes[node].inputs;
  if (streams.length === 0) return { end: first, projected: [first] };
  return { next: streams, change: { isProjected: true }, projected: place.isProjected ? [] : streams };
}
