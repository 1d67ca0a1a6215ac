import { isConstant } from './isConstant';
import { operatorOf } from './products';
import type { GraphIndex } from '../graph/graphIndex';

/** A norm that is one operator: x ↦ (x − mean) / √(mean square + ε) · scale + shift, with or without the mean and the shift. */
interface FusedNorm {
  /** Tensors whose sum is normalised. */
  readonly given: readonly string[];
  /** What is added to that sum. */
  readonly bias: string | undefined;
  readonly scale: string | undefined;
  readonly shift: string | undefined;
  readonly epsilon: number;
  readonly isCentred: boolean;
}

/** The norm that a node is, along the last axis; undefined where it is none. */
export function fusedNorm(index: GraphIndex, node: number): FusedNorm | undefined {
  const { inputs } = index.nodes[node];
  const operator = operatorOf(index, node).replace('com.microsoft.', '');
  const at = (position: number): string | undefined =>
    inputs[position] === undefined || inputs[position] === '' ? undefined : inputs[position];
  const of = (given: readonly number[], scale: number, shift: number, bias: number): FusedNorm => ({
    given: given.map((position) => inputs[position]),
    bias: at(bias),
    scale: at(scale),
    shift: at(shift),
    epsilon: index.attributes(node).get('epsilon')?.float ?? (operator.startsWith('Skip') ? 1e-12 : 1e-5),
    isCentred: !/Simplified|RMS/.test(operator),
  });
  const none = inputs.length;
  const axis = index.integerAttribute(node, 'axis');
  switch (operator) {
    case 'LayerNormalization':
      return axis === undefined || axis === -1 ? of([0], 1, 2, none) : undefined;
    case 'SimplifiedLayerNormalization':
    case 'RMSNormalization':
      return axis === undefined || axis === -1 ? of([0], 1, none, none) : undefined;
    case 'SkipLayerNormalization':
      return of([0, 1], 2, 3, 4);
    case 'SkipSimplifiedLayerNormalization':
      return of([0, 1], 2, none, 3);
    default:
      return undefined;
  }
}

/** Nodes between a norm's division and the root that it divides by. */
const mostHops = 4;

/** A norm that is written in single operators, at the node that divides by its root, or multiplies by its inverse. */
interface NormParts {
  /** What it normalises. */
  readonly given: string;
  /** Whether its mean is taken off first. */
  readonly isCentred: boolean;
  /** What is added to the mean square; undefined where that is not told. */
  readonly epsilon: string | undefined;
}

/** The norm that a node divides for; undefined where it is no such. What the norm does to what it is given is for a run to show. */
export function normParts(index: GraphIndex, node: number): NormParts | undefined {
  const { opType, inputs } = index.nodes[node];
  const [first, second] = inputs;
  const numerator =
    opType === 'Div'
      ? isRoot(index, second)
        ? first
        : undefined
      : isRoot(index, second)
        ? first
        : isRoot(index, first)
          ? second
          : undefined;
  if (numerator === undefined) return undefined;
  const root = numerator === first ? second : first;
  return { ...withoutMean(index, numerator), epsilon: epsilonOf(index, root) };
}

/** What is added to a mean square before its root is taken. */
function epsilonOf(index: GraphIndex, root: string): string | undefined {
  let tensor = root;
  for (let hop = 0; hop < 2 * mostHops; hop++) {
    const node = index.producer(tensor);
    if (node === undefined) return undefined;
    const { opType, inputs } = index.nodes[node];
    if (opType === 'Add') return inputs.find((input) => isConstant(index, input));
    if (!['Cast', 'Identity', 'Reciprocal', 'Sqrt', 'Pow', 'Div'].includes(opType)) return undefined;
    tensor = opType === 'Div' ? inputs[1] : inputs[0];
  }
  return undefined;
}

function isRoot(index: GraphIndex, tensor: string, hops = mostHops): boolean {
  const node = index.producer(tensor);
  if (node === undefined || hops === 0) return false;
  const { opType, inputs } = index.nodes[node];
  if (opType === 'Sqrt' || opType === 'Pow') return isMeanSquare(index, inputs[0]);
  const [given] = opType === 'Div' ? inputs.slice(1) : inputs;
  return ['Cast', 'Identity', 'Reciprocal', 'Div'].includes(opType) && isRoot(index, given, hops - 1);
}

/** Whether a tensor is a mean, with or without something added. */
function isMeanSquare(index: GraphIndex, tensor: string): boolean {
  let nodes = [index.producer(tensor)];
  for (let hop = 0; hop < 3; hop++) {
    const found = nodes.filter((node) => node !== undefined);
    if (found.some((node) => /^Reduce(?:Mean|SumSquare|L2)$/.test(index.nodes[node].opType))) return true;
    nodes = found
      .filter((node) => ['Add', 'Cast', 'Identity', 'Div', 'Clip', 'Max'].includes(index.nodes[node].opType))
      .flatMap((node) => index.nodes[node].inputs.map((input) => index.producer(input)));
  }
  return false;
}

/** What a mean is taken off of, without conversions; the tensor itself where none is. */
function withoutMean(index: GraphIndex, tensor: string): Pick<NormParts, 'given' | 'isCentred'> {
  const whole = { given: tensor, isCentred: false };
  const node = index.producer(tensor);
  if (node === undefined) return whole;
  const { opType, inputs } = index.nodes[node];
  if (opType === 'Cast' || opType === 'Identity') return withoutMean(index, inputs[0]);
  if (opType !== 'Sub') return whole;
  let mean = index.producer(inputs[1]);
  while (mean !== undefined && ['Cast', 'Identity'].includes(index.nodes[mean].opType))
    mean = index.producer(index.nodes[mean].inputs[0]);
  return mean !== undefined && index.nodes[mean].opType === 'ReduceMean'
    ? { given: inputs[0], isCentred: true }
    : whole;
}
