import { dataType } from '../file/dataType';
import type { Dimension, ValueInfo } from '../file/onnxModel';
import type { GraphIndex } from '../graph/graphIndex';
import { productOf, operatorOf, projectedTensor } from '../follow/products';
import { converting, reshaping, rounding } from '../graph/operatorKinds';

/** An output of a model that is what a linear layer makes of its last hidden states: a score for each word of a vocabulary, or for each label. */
export interface LogitsOutput {
  /** The name of the output. */
  readonly output: string;
  /** The tensor of the scores: the output itself, or what its softmax is given. */
  readonly tensor: string;
  /** The node that multiplies by the last weight. */
  readonly product: number;
  /** Number of scores, where the file tells it. */
  readonly width: number | undefined;
  /** Number of axes, where the file tells it. */
  readonly rank: number | undefined;
}

/** Operators that only rearrange or convert scores, or choose of their positions. */
const passing = new Set([...converting, ...reshaping, ...rounding, 'Slice', 'Gather', 'Tanh']);
/** … and those that shift, scale or cap them by numbers of the file. */
const arithmetic = new Set(['Add', 'Sub', 'Mul', 'Div']);
const normalizing = new Set(['Softmax', 'LogSoftmax']);

/** Nodes between a product and an output; a cap, a bias and conversions are seven. */
const mostHops = 24;

/**
 * The outputs that a linear layer makes, in the order of the file. A model without a head ends in a norm or a sum, which are none;
 * keys and values that are handed on have four axes, or names of their own.
 */
export function findLogits(index: GraphIndex): LogitsOutput[] {
  return index.graph.outputs.flatMap((output) => logitsOf(index, output) ?? []);
}

function logitsOf(index: GraphIndex, output: ValueInfo): LogitsOutput | undefined {
  const rank = output.dims?.length;
  if (/^(?:present|past|new_key|cache)/i.test(output.name) || (rank !== undefined && (rank < 2 || rank > 3)))
    return undefined;
  if (!isFloat(output.dataType)) return undefined;
  let tensor = output.name;
  const maker = index.producer(tensor);
  // A softmax is taken again, which changes nothing of one that stands in the file.
  if (maker !== undefined && normalizing.has(operatorOf(index, maker)) && isLastAxis(index, maker, rank))
    [tensor] = index.nodes[maker].inputs;
  const product = productBehind(index, tensor, mostHops);
  if (product === undefined) return undefined;
  return { output: output.name, tensor, product, width: widthOf(index, product, output.dims?.at(-1)), rank };
}

function isFloat(type: number): boolean {
  const floats: readonly number[] = [dataType.float32, dataType.float16, dataType.bfloat16, dataType.float64];
  return type === 0 || floats.includes(type);
}

function isLastAxis(index: GraphIndex, node: number, rank: number | undefined): boolean {
  const axis = index.integerAttribute(node, 'axis') ?? ((index.model.opsets.get('') ?? 1) >= 13 ? -1 : 1);
  return axis === -1 || (rank !== undefined && axis === rank - 1);
}

/** The product with a weight that a tensor comes from by steps that keep scores what they are; undefined where another node is in between. */
function productBehind(index: GraphIndex, tensor: string, hops: number): number | undefined {
  const node = index.producer(tensor);
  if (node === undefined || hops === 0) return undefined;
  index.spend(1);
  if (projectedTensor(index, node) !== undefined) return node;
  const operator = operatorOf(index, node);
  const { inputs } = index.nodes[node];
  if (passing.has(operator.replace('com.microsoft.', ''))) return productBehind(index, inputs[0], hops - 1);
  if (!arithmetic.has(operator)) return undefined;
  const made = inputs.filter((input) => index.weight(input) === undefined);
  if (made.length === 1) return productBehind(index, made[0], hops - 1);
  // What comes of bytes is multiplied by the scales of both that were multiplied.
  if (operator !== 'Mul') return undefined;
  const [found, ...others] = made.flatMap((input) => productBehind(index, input, hops - 1) ?? []);
  return others.length === 0 && found !== undefined && index.nodes[found].opType === 'MatMulInteger'
    ? found
    : undefined;
}

/** How many scores a product makes: what the file states of its output, else what its weight says. */
function widthOf(index: GraphIndex, node: number, stated: Dimension): number | undefined {
  if (typeof stated === 'number' && stated > 0) return stated;
  const bits = index.integerAttribute(node, 'N');
  if (bits !== undefined) return bits;
  const product = productOf(index, node);
  if (product === undefined || product.equation !== undefined) return undefined;
  const given = projectedTensor(index, node);
  const at = product.operands.findIndex((operand) => operand !== given);
  const dims = index.weight(product.operands[at])?.dims;
  if (dims?.length !== 2) return undefined;
  // Behind other nodes, as a table of embeddings is that is used twice, it may stand the other way round.
  if (!index.initializers.has(product.operands[at])) return undefined;
  return dims[product.isTransposed[at] ? 0 : 1];
}
