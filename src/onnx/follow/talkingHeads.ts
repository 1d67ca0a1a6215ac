import type { GraphIndex } from '../graph/graphIndex';
import { rankOf } from './axisInference';
import { activationProduct, operatorOf, productOf } from './products';

/** Between heads that talk and the softmax or the product that made them lie a turn, a scale, a mask. */
const mostSteps = 8;

/** Operators behind which an axis, counted from the end, is the same axis. */
const axisKeeping = new Set(['Cast', 'Identity', 'Dropout', 'Mul', 'Div', 'Add', 'Sub', 'Where', 'Clip', 'Tanh']);

/**
 * The scores or weights whose heads a weight or a mean mixes (talking heads: Shazeer et al. 2020, also in CaiT and DeepViT): what is summed is an axis beside
 * those of positions, of what a softmax or a product of activations made. Undefined for everything else.
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

interface Contracted {
  readonly tensor: string;
  /** The axis that is summed over, counted from the end. */
  readonly axis: number;
}

/** What a product with one matrix of weights, a convolution of single places or a mean is given, and what it sums over. */
function contracted(index: GraphIndex, node: number): Contracted | undefined {
  const { opType, domain } = index.nodes[node];
  if (domain === '' && opType === 'Conv') return ofPoints(index, node);
  if (domain === '' && (opType === 'ReduceMean' || opType === 'ReduceSum')) return reduced(index, node);
  return ofMatrix(index, node);
}

function ofPoints(index: GraphIndex, node: number): Contracted | undefined {
  const [tensor, kernel] = index.nodes[node].inputs;
  const dims = index.weight(kernel)?.dims;
  const isPointwise = dims?.length === 4 && dims[2] === 1 && dims[3] === 1;
  return isPointwise && (index.integerAttribute(node, 'group') ?? 1) === 1 ? { tensor, axis: -3 } : undefined;
}

/** All heads as one: their mean, or their sum. */
function reduced(index: GraphIndex, node: number): Contracted | undefined {
  const [tensor, given = ''] = index.nodes[node].inputs;
  const axes = index.attributes(node).get('axes')?.integers ?? index.constantIntegers(given);
  const rank = rankOf(index, tensor);
  if (axes?.length !== 1 || rank === undefined) return undefined;
  return { tensor, axis: axes[0] < 0 ? axes[0] : axes[0] - rank };
}

function ofMatrix(index: GraphIndex, node: number): Contracted | undefined {
  const product = productOf(index, node);
  if (product?.operands.length !== 2) return undefined;
  const { operands, isTransposed, equation } = product;
  const at = operands.findIndex((operand) => index.weight(operand)?.dims.length === 2);
  const tensor = operands[1 - at];
  if (at < 0 || index.weight(tensor) !== undefined) return undefined;
  if (equation === undefined) return at === 1 && !isTransposed[0] ? { tensor, axis: -1 } : undefined;
  const [own, weight] = [equation.operands[1 - at], equation.operands[at]];
  const summed = [...own].findIndex((letter) => weight.includes(letter) && !equation.result.includes(letter));
  return summed < 0 ? undefined : { tensor, axis: summed - own.length };
}
