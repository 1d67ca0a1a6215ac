import type { GraphIndex } from '../graph/graphIndex';
import { reshaping, rounding } from '../graph/operatorKinds';

/** A weight that a product is given in part: one expert's matrix of many, one group's of a kernel. */
export interface SelectedWeight {
  /** Dimensions of what is selected, those of length one left out. */
  readonly rank: number;
  /** Whether the model's input decides what is selected. */
  readonly isRouted: boolean;
}

/** Operators behind which a part of a weight is the same part. */
const preserving = new Set([
  ...['Cast', 'CastLike', 'Identity', 'Neg', 'Transpose', 'Expand', 'Tile'],
  ...[...reshaping, ...rounding],
]);
/** … and those that join parts of weights to one. */
const joining = new Set(['Concat', 'Add', 'Sub', 'Mul', 'Div', 'Where', 'Sum', 'Max', 'Min']);
/** What a router's choice goes through before it weights or picks experts. */
const routing = new Set([
  'Cast',
  'Identity',
  'Reshape',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Expand',
  'Div',
  'Mul',
  'Where',
  'Slice',
  'Split',
  'Gather',
  'ScatterElements',
  'ScatterND',
  'GatherElements',
]);
const choices = new Set(['Softmax', 'Sigmoid', 'TopK', 'OneHot', 'ArgMax', 'Hardmax', 'Equal']);

/** A matrix has so many dimensions: rows chosen from one are embeddings, which are activations. */
const matrixRank = 2;
const maxHops = 24;

const found = new WeakMap<GraphIndex, Map<string, SelectedWeight | null>>();

/** What of a weight a tensor is: gathered, sliced or mixed by a router, or a fixed part; undefined for activations and for whole weights. */
export function selectedWeight(index: GraphIndex, tensor: string, hops = 0): SelectedWeight | undefined {
  let known = found.get(index);
  if (known === undefined) found.set(index, (known = new Map<string, SelectedWeight | null>()));
  const own = known.get(tensor);
  if (own !== undefined) return own ?? undefined;
  if (hops > maxHops) return undefined;
  const selected = select(index, tensor, hops);
  known.set(tensor, selected ?? null);
  return selected;
}

/** A tensor as a weight or a part of one. */
function weightLike(index: GraphIndex, tensor: string, hops: number): SelectedWeight | undefined {
  const weight = index.weight(tensor);
  if (weight === undefined) return selectedWeight(index, tensor, hops + 1);
  const made = index.nodes[index.producer(tensor) ?? -1];
  const shape = made?.opType === 'Reshape' ? index.constantIntegers(made.inputs[1]) : undefined;
  return { rank: Math.max(numDims(weight.dims), numDims(shape ?? [])), isRouted: false };
}

const numDims = (dims: readonly number[]): number => dims.filter((dim) => dim !== 1).length;

function select(index: GraphIndex, tensor: string, hops: number): SelectedWeight | undefined {
  const node = index.producer(tensor);
  if (node === undefined) return sliced(index, tensor);
  const { opType, domain, inputs } = index.nodes[node];
  if (domain !== '' || inputs.length === 0) return undefined;
  index.spend(1);
  if (preserving.has(opType)) return weightLike(index, inputs[0], hops);
  switch (opType) {
    case 'Gather':
    case 'GatherElements':
      return chosen(weightLike(index, inputs[0], hops), 1, index.weight(inputs[1]) !== undefined);
    case 'GatherND': {
      const indices = index.valueInfo(inputs[1])?.dims?.at(-1) ?? index.weight(inputs[1])?.dims.at(-1);
      return chosen(
        weightLike(index, inputs[0], hops),
        typeof indices === 'number' ? indices : 1,
        index.weight(inputs[1]) !== undefined,
      );
    }
    case 'Slice':
      return chosen(
        weightLike(index, inputs[0], hops),
        0,
        inputs.slice(1, 3).every((input) => index.weight(input) !== undefined),
      );
    case 'Split':
      return weightLike(index, inputs[0], hops);
    case 'Einsum':
    case 'MatMul':
      return mixed(index, inputs, hops);
    default:
      return joining.has(opType) ? joined(index, opType === 'Where' ? inputs.slice(1) : inputs, hops) : undefined;
  }
}

/** What is left of a weight of which a part is chosen along so many axes. */
function chosen(from: SelectedWeight | undefined, numAxes: number, isFixed: boolean): SelectedWeight | undefined {
  if (from === undefined) return undefined;
  // What was chosen already is brought into another order.
  if (from.isRouted) return from;
  if (isFixed) return { rank: Math.min(from.rank, Math.max(matrixRank, from.rank - numAxes)), isRouted: false };
  return from.rank > matrixRank && from.rank - numAxes >= matrixRank
    ? { rank: from.rank - numAxes, isRouted: true }
    : undefined;
}

/** Weights and numbers together; or a weight of many matrices times what a router says of each. */
function joined(index: GraphIndex, inputs: readonly string[], hops: number): SelectedWeight | undefined {
  const parts = inputs.map((input) => weightLike(index, input, hops));
  const rank = Math.max(0, ...parts.map((part) => part?.rank ?? 0));
  if (parts.every((part) => part !== undefined)) return { rank, isRouted: parts.some((part) => part.isRouted) };
  return mixed(index, inputs, hops);
}

/** Experts' matrices, weighted by a router and summed. */
function mixed(index: GraphIndex, inputs: readonly string[], hops: number): SelectedWeight | undefined {
  if (inputs.length !== 2) return undefined;
  const parts = inputs.map((input) => weightLike(index, input, hops));
  const at = parts.findIndex((part) => part !== undefined);
  const part = parts[at];
  if (part === undefined || parts[1 - at] !== undefined || part.rank <= matrixRank || !isRouters(index, inputs[1 - at]))
    return undefined;
  return { rank: part.rank - 1, isRouted: true };
}

/** Whether a tensor is a router's choice or how much it gives to each expert. */
function isRouters(index: GraphIndex, tensor: string): boolean {
  let name = tensor;
  for (let i = 0; i < maxHops; i++) {
    const node = index.producer(name);
    if (node === undefined) return false;
    const { opType, inputs } = index.nodes[node];
    index.spend(1);
    if (choices.has(opType)) return true;
    if (!routing.has(opType)) return false;
    name = inputs.find((input, at) => (at > 0 || opType !== 'Where') && index.weight(input) === undefined) ?? '';
  }
  return false;
}

/** In the body of a loop over experts or layers: the slice of a weight that an iteration reads. */
function sliced(index: GraphIndex, tensor: string): SelectedWeight | undefined {
  const source = index.outer?.slices.get(tensor);
  const weight = source === undefined ? undefined : index.outer?.index.weight(source);
  const rank = weight === undefined ? 0 : numDims(weight.dims);
  return rank > matrixRank ? { rank: rank - 1, isRouted: false } : undefined;
}
