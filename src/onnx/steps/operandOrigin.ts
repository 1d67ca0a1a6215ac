import type { GraphIndex } from '../graph/graphIndex';
import { scaledOperand } from '../follow/innerProduct';
import { operatorOf, projectedTensor } from '../follow/products';
import { namedNode, type NamedNode } from './cellPlan';

/** A number that queries or keys are multiplied or divided by before their product. */
interface OperandScale {
  readonly node: NamedNode;
  readonly factor: string;
  readonly isDivided: boolean;
}

/** Where queries or keys come from. */
export interface OperandOrigin {
  /** From the product back. */
  readonly scales: readonly OperandScale[];
  /** The node that rotates them by their positions, or the last of those that do. */
  readonly rotation: NamedNode | undefined;
  /** What normalises them. */
  readonly norm: NamedNode | undefined;
  /** The linear map that makes them, and what it is given: x. */
  readonly projection: NamedNode | undefined;
  readonly source: string | undefined;
}

/** Nodes that lie between a projection and a product: more are not searched. */
const mostNodes = 200;
const normOperators = /(?:^|\.)(?:(?:Simplified|Skip)*(?:Layer|RMS)Normalization|LpNormalization|ReduceMean)$/;

/** Follows queries or keys back to the linear map that makes them. */
export function operandOrigin(index: GraphIndex, operand: string): OperandOrigin {
  const found: Found = { scales: [] };
  const pending = [operand];
  const seen = new Set<string>();
  for (let at = 0; at < pending.length && seen.size < mostNodes; at++) {
    const tensor = pending[at];
    if (seen.has(tensor) || index.weight(tensor) !== undefined) continue;
    seen.add(tensor);
    const node = index.producer(tensor);
    if (node === undefined) continue;
    index.spend(1);
    pending.push(...behind(index, tensor, node, found));
  }
  const { scales, rotation, norm, projection, source } = found;
  return { scales, rotation, norm, projection, source };
}

/** What was found so far: the nearest to the product counts. */
interface Found {
  readonly scales: OperandScale[];
  rotation?: NamedNode;
  norm?: NamedNode;
  projection?: NamedNode;
  source?: string;
}

/** Takes note of a node on the way, and gives the tensors behind it; none behind a projection. */
function behind(index: GraphIndex, tensor: string, node: number, found: Found): readonly string[] {
  const operator = operatorOf(index, node);
  const { inputs, outputs } = index.nodes[node];
  // Scales of what is quantised as the model runs are no way that numbers come.
  if (shapesOnly.has(operator) || (operator === 'DynamicQuantizeLinear' && tensor !== outputs[0])) return [];
  const projected = projectedTensor(index, node);
  if (projected !== undefined && operator !== 'ReduceSum') {
    found.projection ??= namedNode(index, node);
    if (index.outer === undefined) found.source ??= projected;
    return [];
  }
  if (/(?:^|\.)RotaryEmbedding$/.test(operator) || (operator === 'Add' && isRotation(index, inputs)))
    found.rotation ??= namedNode(index, node);
  if (normOperators.test(operator)) found.norm ??= namedNode(index, node);
  const scaled = scaledOperand(index, node);
  if (scaled !== undefined && !isOfBytes(index, scaled))
    found.scales.push({
      node: namedNode(index, node),
      factor: inputs.find((input) => input !== scaled) ?? '',
      isDivided: operator === 'Div',
    });
  return carried(operator, inputs);
}

/** Whether a tensor is what a product of bytes came to, as numbers that have yet to be multiplied by their scales. */
function isOfBytes(index: GraphIndex, tensor: string): boolean {
  const cast = index.producer(tensor);
  if (cast === undefined || index.nodes[cast].opType !== 'Cast') return false;
  const product = index.producer(index.nodes[cast].inputs[0]);
  return product !== undefined && /Integer$/.test(index.nodes[product].opType);
}

const shapesOnly = new Set(['Shape', 'Size', 'Range', 'ConstantOfShape', 'Cos', 'Sin']);

/** Inputs that numbers come through; others say of an operator what it does. */
function carried(operator: string, inputs: readonly string[]): readonly string[] {
  return [
    'Reshape',
    'Slice',
    'Split',
    'Gather',
    'Expand',
    'Tile',
    'Unsqueeze',
    'Squeeze',
    'Transpose',
    'Cast',
  ].includes(operator)
    ? inputs.slice(0, 1)
    : inputs;
}

/** Whether a sum is that of a tensor times cosines and of its turned halves times sines: both terms are products, one of turned halves. */
function isRotation(index: GraphIndex, terms: readonly string[]): boolean {
  if (terms.length !== 2) return false;
  const makers = terms.map((term) => index.producer(term));
  if (makers.some((node) => node === undefined || index.nodes[node].opType !== 'Mul')) return false;
  return makers.some((node) =>
    index.nodes[node ?? 0].inputs.some((input) => {
      const joined = index.producer(input);
      if (joined === undefined || index.nodes[joined].opType !== 'Concat') return false;
      return index.nodes[joined].inputs.some((part) => index.nodes[index.producer(part) ?? -1]?.opType === 'Neg');
    }),
  );
}
