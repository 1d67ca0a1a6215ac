import type { GraphIndex } from '../graph/graphIndex';
import { operatorOf } from './products';
import { mixedHeads } from './talkingHeads';
import { converting, ofMicrosoft, reshaping, roundingOfBoth } from '../graph/operatorKinds';

const first: readonly number[] = [0];

/**
 * Operators through which a matrix of scores or weights still is one, with the inputs that carry it; `undefined` stands for all.
 * Softmax and its kin are among them: which of them lie on a path is what tells attention from other products.
 */
const carriers = new Map<string, readonly number[] | undefined>([
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Concat', 'Sum', 'Mean', 'PRelu'].map((name): [string, undefined] => [
    name,
    undefined,
  ]),
  ...[
    ...[...converting, ...reshaping, ...roundingOfBoth, 'DynamicQuantizeLinear'],
    ...['Softmax', 'LogSoftmax', 'Hardmax', 'Sigmoid', 'HardSigmoid', 'Relu', 'LeakyRelu', 'Exp', 'Softplus', 'Tanh'],
    ...['Clip', 'Neg', 'Abs', 'Sqrt', 'Pow', 'Transpose', 'Expand', 'Tile', 'Slice', 'Split', 'Pad', 'Gather'],
    ...['GatherElements', 'GatherND', 'Trilu'],
    ...ofMicrosoft(['BiasSoftmax', 'QLinearSoftmax', 'QLinearSigmoid', 'QLinearLeakyRelu', 'Trilu', 'BitmaskDropout']),
  ].map((name): [string, readonly number[]] => [name, first]),
  ['Where', [1, 2]],
  ['com.microsoft.QLinearAdd', [0, 3]],
  ['com.microsoft.QLinearMul', [0, 3]],
  ['com.microsoft.QLinearWhere', [1, 4]],
  ['com.microsoft.BiasAdd', [0, 1]],
]);

/** Operators that only rearrange or convert values. */
export const rearranging = new Set([
  ...[...converting, ...reshaping, ...roundingOfBoth, 'DynamicQuantizeLinear'],
  ...['Transpose', 'Expand', 'Tile', 'Slice', 'Split', 'Concat', 'Pad', 'Gather'],
]);

/** The inputs through which a node carries a matrix on; empty for an operator that does not. */
export function carriedInputs(index: GraphIndex, node: number): readonly string[] {
  const operator = operatorOf(index, node);
  if (operator === 'If') return index.passedThrough(node);
  if (!carriers.has(operator)) return [];
  const { inputs } = index.nodes[node];
  const positions = carriers.get(operator);
  return positions === undefined
    ? inputs
    : positions.flatMap((position) => (inputs[position] ? [inputs[position]] : []));
}

/** One step of a walk against the flow: the node that makes the tensor in question, reached from the step before. */
export interface Step {
  readonly tensor: string;
  /** Maker of the tensor; undefined where it is an input or a weight. */
  readonly node: number | undefined;
  readonly previous: Step | undefined;
  readonly depth: number;
  /** Kind of the normaliser nearest to the start, once one is on the path. */
  readonly normalizer: Normalizer | undefined;
}

/** What turns scores into weights. */
export type Normalizer = 'softmax' | 'exponential' | 'sigmoid' | 'relu' | 'power' | 'hardmax';

/** Walks further than this do not stay within one attention. */
const maxDepth = 24;
const maxSteps = 4000;

/**
 * Walks from a tensor against the flow, breadth first, through operators that carry a matrix on.
 * Calls `visit` for every tensor; the walk does not go on behind one for which it returns true.
 */
export function walkBack(index: GraphIndex, tensor: string, visit: (step: Step) => boolean): void {
  const start: Step = { tensor, node: index.producer(tensor), previous: undefined, depth: 0, normalizer: undefined };
  const pending: Step[] = [start];
  const seen = new Set<string>([`${tensor}|`]);
  for (let at = 0; at < pending.length && at < maxSteps; at++) {
    const step = pending[at];
    if (visit(step) || step.node === undefined || step.depth >= maxDepth) continue;
    const normalizer = step.normalizer ?? normalizerOf(index, step.node);
    if (normalizer === undefined && operatorOf(index, step.node) === 'Exp') continue;
    const carried =
      normalizer !== undefined && isScatter(index, step.node)
        ? [index.nodes[step.node].inputs[0]]
        : carriedInputs(index, step.node);
    const mixed = carried.length > 0 ? undefined : mixedHeads(index, step.node);
    const inputs = mixed === undefined ? carried : [mixed];
    index.spend(1 + inputs.length);
    for (const input of inputs) {
      const key = `${input}|${normalizer ?? ''}`;
      if (seen.has(key) || index.weight(input) !== undefined) continue;
      seen.add(key);
      pending.push({ tensor: input, node: index.producer(input), previous: step, depth: step.depth + 1, normalizer });
    }
  }
}

/** Whether a node writes into a part of a matrix: scores to some of which a bias is added in place are the product's all the same. */
const isScatter = (index: GraphIndex, node: number): boolean =>
  ['ScatterND', 'ScatterElements'].includes(operatorOf(index, node));

/** The steps of a path, from the start of the walk. */
export function pathOf(step: Step): Step[] {
  const steps: Step[] = [];
  for (let at: Step | undefined = step; at !== undefined; at = at.previous) steps.push(at);
  return steps.reverse();
}

const normalizers = new Map<string, Normalizer>([
  ['Softmax', 'softmax'],
  ['LogSoftmax', 'softmax'],
  ['com.microsoft.BiasSoftmax', 'softmax'],
  ['com.microsoft.QLinearSoftmax', 'softmax'],
  ['Sigmoid', 'sigmoid'],
  ['HardSigmoid', 'sigmoid'],
  ['com.microsoft.QLinearSigmoid', 'sigmoid'],
  ['Relu', 'relu'],
  ['Pow', 'power'],
  ['Hardmax', 'hardmax'],
]);

/** The kind of normaliser that a node is; an exponential is one where its values are summed, or the logarithm of their sum was taken off before. */
function normalizerOf(index: GraphIndex, node: number): Normalizer | undefined {
  const operator = operatorOf(index, node);
  if (operator !== 'Exp') return normalizers.get(operator);
  if (sumOf(index, index.nodes[node].outputs[0], 2) !== undefined) return 'exponential';
  return isLogSoftmax(index, index.nodes[node].inputs[0]) ? 'softmax' : undefined;
}

/** Whether a tensor is the logarithm of a softmax: made so, or less the logarithm of a sum of exponentials. */
function isLogSoftmax(index: GraphIndex, tensor: string): boolean {
  const node = index.producer(tensor);
  if (node === undefined) return false;
  const { opType, inputs } = index.nodes[node];
  if (opType === 'LogSoftmax') return true;
  return opType === 'Cast' ? isLogSoftmax(index, inputs[0]) : opType === 'Sub' && isLogOfSum(index, inputs[1], 6);
}

function isLogOfSum(index: GraphIndex, tensor: string, hops: number): boolean {
  const node = index.producer(tensor);
  if (node === undefined || hops === 0) return false;
  const { opType, inputs } = index.nodes[node];
  if (opType === 'ReduceLogSumExp') return true;
  if (opType === 'Log') return index.nodes[index.producer(inputs[0]) ?? -1]?.opType === 'ReduceSum';
  // The largest score is added again.
  const carried = opType === 'Add' ? inputs : rearranging.has(opType) ? inputs.slice(0, 1) : [];
  return carried.some((input) => isLogOfSum(index, input, hops - 1));
}

/** The ReduceSum of a tensor, possibly behind a Cast. */
export function sumOf(index: GraphIndex, tensor: string, hops: number): number | undefined {
  for (const consumer of index.consumers(tensor)) {
    const { opType, outputs } = index.nodes[consumer];
    if (opType === 'ReduceSum' || opType === 'ReduceL1') return consumer;
    if (hops > 0 && (opType === 'Cast' || opType === 'Where' || opType === 'Mul')) {
      const sum = sumOf(index, outputs[0], hops - 1);
      if (sum !== undefined) return sum;
    }
  }
  return undefined;
}

/** Whether a permutation turns the last two axes and leaves the others. */
export function isLastTwoSwap(perm: readonly number[] | undefined): boolean {
  if (perm === undefined) return false;
  const rank = perm.length;
  return rank >= 2 && perm.every((axis, i) => axis === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
}
