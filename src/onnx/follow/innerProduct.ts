import type { GraphIndex } from '../graph/graphIndex';
import { isOneNumber } from './oneNumber';
import { activationProduct, operatorOf, type Product } from './products';

/** A product that an operand is, with how its axes were rearranged and whether it was scaled on the way. */
export interface InnerProduct {
  readonly product: Product;
  /** The permutations that were applied to it, first to last. */
  readonly permutations: readonly (readonly number[])[];
  readonly isScaled: boolean;
}

const converting = new Set(['Cast', 'Identity', 'QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear']);

/** The product that makes a tensor, as it is, converted, transposed or multiplied by a number. */
export function innerProduct(index: GraphIndex, tensor: string): InnerProduct | undefined {
  const permutations: (readonly number[])[] = [];
  let isScaled = false;
  let name = tensor;
  for (let i = 0; i < 6; i++) {
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const operator = operatorOf(index, node);
    const { inputs } = index.nodes[node];
    const scaled = scaledOperand(index, node);
    if (scaled !== undefined) isScaled = true;
    else if (operator === 'Transpose') permutations.unshift(index.attributes(node).get('perm')?.integers ?? []);
    else if (!converting.has(operator)) {
      const product = operator === 'ReduceSum' ? undefined : activationProduct(index, node);
      return product === undefined ? undefined : { product, permutations, isScaled };
    }
    name = scaled ?? inputs[0];
  }
  return undefined;
}

/** The tensor that a node multiplies or divides by a single number, made of constants, of sizes and of scales of rounding alone; undefined for other nodes. */
export function scaledOperand(index: GraphIndex, node: number): string | undefined {
  const { opType, domain, inputs } = index.nodes[node];
  if (domain !== '' || (opType !== 'Mul' && opType !== 'Div') || inputs.length !== 2) return undefined;
  const at = inputs.findIndex((input) => isOneNumber(index, input, { withActivations: false }));
  if (at < 0 || (opType === 'Div' && at === 0)) return undefined;
  return inputs[1 - at];
}

/** The numbers that a quantised operand stands for, where they are in the graph: what was quantised as the model runs. */
export function beforeQuantizing(index: GraphIndex, tensor: string): string {
  const node = index.producer(tensor);
  return node !== undefined && index.nodes[node].opType === 'DynamicQuantizeLinear'
    ? index.nodes[node].inputs[0]
    : tensor;
}
