import type { GraphIndex } from '../graph/graphIndex';
import { activationProduct, operatorOf, productOf } from './products';

/** Between heads that talk and the softmax or the product that made them lie a turn, a scale, a mask. */
const mostSteps = 8;

/** Operators behind which an axis, counted from the end, is the same axis. */
const axisKeeping = new Set(['Cast', 'Identity', 'Dropout', 'Mul', 'Div', 'Add', 'Sub', 'Where', 'Clip', 'Tanh']);

/**
 * The scores or weights whose heads a weight mixes (talking heads: Shazeer et al. 2020, also in CaiT and DeepViT): what is summed is an axis beside
 * those of positions, of what a softmax or a product of activations made. Undefined for every other product with a weight.
 */
export function mixedHeads(index: GraphIndex, node: number): string | undefined {
  const mixed = contracted(index, node);
  if (mixed === undefined) return undefined;
  let { tensor, axis } = mixed;
  for (let i = 0; i < mostSteps; i++) {
    const maker = index.producer(tensor);
    if (maker === undefined) return undefined;
    index.spend(1);
    const operator = operatorOf(index, maker);
    const { inputs } = index.nodes[maker];
    // The last two axes of scores are those of queries and keys.
    const isHeads = axis <= -3;
    if (operator === 'Softmax') return isHeads ? mixed.tensor : undefined;
    if (operator !== 'ReduceSum' && activationProduct(index, maker) !== undefined)
      return isHeads ? mixed.tensor : undefined;
    if (operator === 'Transpose') {
      const perm = index.attributes(maker).get('perm')?.integers;
      const from = perm?.at(axis);
      if (perm === undefined || from === undefined) return undefined;
      axis = from - perm.length;
      tensor = inputs[0];
    } else if (axisKeeping.has(operator)) {
      // A mask or a scale is a weight, or made of one; what is left carries the scores.
      const own = operator === 'Where' ? inputs.slice(1) : inputs;
      const carried = own.filter((input) => index.weight(input) === undefined);
      if (carried.length === 0) return undefined;
      tensor = carried[0];
    } else return undefined;
  }
  return undefined;
}

/** The activation that a product with one matrix of weights, or a convolution of single places, is given, and the axis that it sums over, counted from the end. */
function contracted(index: GraphIndex, node: number): { readonly tensor: string; readonly axis: number } | undefined {
  const { opType, domain, inputs } = index.nodes[node];
  if (opType === 'Conv' && domain === '') {
    const dims = index.weight(inputs[1])?.dims;
    const isPointwise = dims?.length === 4 && dims[2] === 1 && dims[3] === 1;
    return isPointwise && (index.integerAttribute(node, 'group') ?? 1) === 1
      ? { tensor: inputs[0], axis: -3 }
      : undefined;
  }
  const product = productOf(index, node);
  if (product?.operands.length !== 2) return undefined;
  const at = product.operands.findIndex((operand) => index.weight(operand)?.dims.length === 2);
  if (at < 0) return undefined;
  const tensor = product.operands[1 - at];
  if (index.weight(tensor) !== undefined) return undefined;
  if (product.equation === undefined) return at === 1 && !product.isTransposed[0] ? { tensor, axis: -1 } : undefined;
  const [own, weight] = [product.equation.operands[1 - at], product.equation.operands[at]];
  const summed = [...own].findIndex((letter) => weight.includes(letter) && !product.equation?.result.includes(letter));
  return summed < 0 ? undefined : { tensor, axis: summed - own.length };
}
