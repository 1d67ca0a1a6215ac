import type { GraphIndex } from '../graph/graphIndex';
import { beforeQuantizing, scaledOperand } from './innerProduct';
import { operatorOf, productOf, projectedTensor, type Product } from './products';
import { converting, reshaping, roundingOfBoth } from '../graph/operatorKinds';

/** The linear node that makes one vector of all heads' results: what an attention writes. */
export interface OutputProjection {
  /** The product with the weight. */
  readonly node: number;
  /** Nodes from the attention to it that only rearrange or convert. */
  readonly between: readonly number[];
  /** What it multiplies: features of all heads, the first head's first; as numbers, before they are rounded for the product. */
  readonly context: string;
  /** What it gives, as numbers, without a bias that is added after it. */
  readonly result: string;
  /** Where `result` is of bytes: their scale and zero point. */
  readonly resultScale: readonly [string, string] | undefined;
  /** The result with the bias that is added after it; `result` itself where none is. */
  readonly output: string;
  /** Its weight as a tensor of numbers; undefined where only the projection's own nodes know it. */
  readonly weight: ProjectionWeight | undefined;
  /** A bias within `result`, as a tensor; undefined where there is none, or where only the nodes know it. */
  readonly bias: string | undefined;
  /** Whether what it multiplies is rounded to few bits on the way: sums over parts are then equal only to that rounding. */
  readonly isRounded: boolean;
}

/** A linear map: a product with a weight, and the bias that is added after it. */
export type LinearMap = OutputProjection & {
  /** What is added to `result` to make `output`; undefined where nothing is. */
  readonly added: string | undefined;
};

/** The linear map of a node that multiplies an operand by a weight; in a clause, why it is not told. */
export function linearMap(index: GraphIndex, node: number, operand: string): LinearMap | string {
  const map = projectionOf(index, node, [], operand);
  if (typeof map === 'string') return map;
  const adding = map.output === map.result ? undefined : index.producer(map.output);
  return {
    ...map,
    added: adding === undefined ? undefined : index.nodes[adding].inputs.find((input) => input !== map.result),
  };
}

/** A weight [in, out], after its axes were put in another order and the first of them, or all but the last, taken together. */
interface ProjectionWeight {
  readonly tensor: string;
  /** The order of its axes in which those that are summed over come first. */
  readonly order: readonly number[];
  readonly numSummed: number;
  /** Where it is of bytes: their scale and zero point, which may be one for each thing that comes out. */
  readonly scale: readonly [string, string] | undefined;
}

/** Operators that only rearrange or convert what heads have read. */
const passing = new Set([
  ...[...converting, ...reshaping, ...roundingOfBoth, 'DynamicQuantizeLinear'],
  ...['Transpose', 'Slice', 'Concat', 'Expand', 'Tile', 'Split'],
]);
const rounding = /^(?:com\.microsoft\.)?(?:Dynamic)?QuantizeLinear$/;

/** Products that round what they multiply to bytes. */
const roundingProducts = new Set([
  'MatMulInteger',
  'QLinearMatMul',
  'com.microsoft.MatMulIntegerToFloat',
  'com.microsoft.DynamicQuantizeMatMul',
  'com.microsoft.QGemm',
]);

/** The longest way that was seen has nine nodes. */
const mostHops = 16;
const mostTensors = 64;

/**
 * The output projection of an attention: the first product with a weight that its result comes to through nodes that only rearrange or
 * convert it. Otherwise, in a clause, why there is none.
 * @param result what the attention gives: weighted values of all heads.
 * @param divides whether its rows are divided only after the values are weighted.
 */
export function outputProjection(index: GraphIndex, result: string, divides: boolean): OutputProjection | string {
  const pending: { tensor: string; nodes: readonly number[] }[] = [{ tensor: result, nodes: [] }];
  const seen = new Set([result]);
  let stoppedBy: string | undefined;
  for (let at = 0; at < pending.length && at < mostTensors; at++) {
    const { tensor, nodes } = pending[at];
    const consumers = index.consumers(tensor);
    index.spend(1 + consumers.length);
    for (const node of consumers) {
      const operator = operatorOf(index, node);
      if (operator === 'Shape') continue;
      if (projectedTensor(index, node) === tensor) return projectionOf(index, node, nodes, tensor);
      const isPassed =
        passing.has(operator) ||
        scaledOperand(index, node) === tensor ||
        // A scale of what was quantised as the model runs.
        (operator === 'Mul' && isScale(index, node, tensor)) ||
        (divides && (operator === 'Mul' || operator === 'Div') && index.nodes[node].inputs[0] === tensor);
      if (!isPassed) stoppedBy ??= operator;
      else if (nodes.length < mostHops)
        for (const output of index.nodes[node].outputs) {
          if (output === '' || seen.has(output)) continue;
          seen.add(output);
          pending.push({ tensor: output, nodes: [...nodes, node] });
        }
    }
  }
  return stoppedBy === undefined
    ? 'the graph projects its result nowhere'
    : `its result goes into ${stoppedBy} before any projection`;
}

/** Whether a product of bytes is multiplied by its operands' scales. */
function isScale(index: GraphIndex, node: number, tensor: string): boolean {
  const other = index.nodes[node].inputs.find((input) => input !== tensor);
  const maker = other === undefined ? undefined : index.producer(other);
  return (
    maker !== undefined &&
    index.nodes[maker].opType === 'Mul' &&
    index.nodes[maker].inputs.some((input) => {
      const quantizer = index.producer(input);
      return quantizer !== undefined && index.nodes[quantizer].opType === 'DynamicQuantizeLinear';
    })
  );
}

function projectionOf(
  index: GraphIndex,
  node: number,
  between: readonly number[],
  operand: string,
): OutputProjection | string {
  const operator = operatorOf(index, node);
  if (/Conv/.test(operator)) return 'its projection is a convolution';
  const [made] = index.nodes[node].outputs;
  const isRounded =
    roundingProducts.has(operator) ||
    between.some((each) => rounding.test(operatorOf(index, each))) ||
    (operator === 'com.microsoft.MatMulNBits' && index.integerAttribute(node, 'accuracy_level') === 4);
  if (operator === 'QLinearMatMul') return bytesProjection(index, node, between, operand);
  const result = operator === 'MatMulInteger' ? dequantized(index, made) : made;
  if (result === undefined) return 'its projection gives integers, and nothing tells their scale';
  const product = productOf(index, node);
  const isPlain = product !== undefined && !roundingProducts.has(operator) && !isScaledProduct(index, node, operator);
  const weight = isPlain ? weightOf(product, operand) : undefined;
  if (typeof weight === 'string') return weight;
  const bias = operator === 'Gemm' || operator === 'com.microsoft.FusedGemm' ? index.nodes[node].inputs[2] : undefined;
  return {
    node,
    between,
    context: beforeQuantizing(index, operand),
    result,
    resultScale: undefined,
    output: biased(index, result),
    weight,
    bias: weight === undefined || bias === undefined || bias === '' ? undefined : bias,
    isRounded,
  };
}

/** A product of bytes that gives bytes: its weight and what it gives have scales among its inputs. */
function bytesProjection(
  index: GraphIndex,
  node: number,
  between: readonly number[],
  operand: string,
): OutputProjection | string {
  const { inputs, outputs } = index.nodes[node];
  if (inputs[0] !== operand) return 'its projection’s weight stands on the left';
  const [, , , weight, weightScale, weightZero, resultScale, resultZero] = inputs;
  return {
    node,
    between,
    context: operand,
    result: outputs[0],
    resultScale: [resultScale, resultZero],
    output: outputs[0],
    weight: { tensor: weight, order: [0, 1], numSummed: 1, scale: [weightScale, weightZero] },
    bias: undefined,
    isRounded: true,
  };
}

/** Products with factors of their own, or with something behind them, are asked for what they do. */
function isScaledProduct(index: GraphIndex, node: number, operator: string): boolean {
  if (operator === 'com.microsoft.FusedMatMulActivation' || operator === 'com.microsoft.FusedGemm') return true;
  return ['alpha', 'beta'].some((name) => (index.attributes(node).get(name)?.float ?? 1) !== 1);
}

/** What becomes of a product of bytes: numbers, once it is multiplied by its operands' scales. */
function dequantized(index: GraphIndex, tensor: string): string | undefined {
  let name = tensor;
  for (let i = 0; i < 3; i++) {
    const [node, ...others] = index.consumers(name);
    if (node === undefined || others.length > 0) return undefined;
    const { opType, outputs } = index.nodes[node];
    if (opType !== 'Cast' && opType !== 'Mul') return undefined;
    [name] = outputs;
    if (opType === 'Mul') return name;
  }
  return undefined;
}

/** What a weight is added to; the tensor itself where none is. */
function biased(index: GraphIndex, tensor: string): string {
  const [node, ...others] = index.consumers(tensor).filter((each) => index.nodes[each].opType !== 'Shape');
  if (node === undefined || others.length > 0 || operatorOf(index, node) !== 'Add') return tensor;
  const { inputs, outputs } = index.nodes[node];
  return inputs.some((input) => input !== tensor && index.weight(input) !== undefined) ? outputs[0] : tensor;
}

function weightOf(
  { operands, isTransposed, isFirstMoved, equation }: Product,
  operand: string,
): ProjectionWeight | string {
  const at = operands.indexOf(operand);
  if (operands.length !== 2 || at < 0) return 'its projection multiplies more than two tensors';
  const tensor = operands[1 - at];
  if (equation === undefined) {
    if (at === 1) return 'its projection’s weight stands on the left';
    if (isTransposed[0] || isFirstMoved.includes(true)) return 'its projection reads its axes in another order';
    return { tensor, order: isTransposed[1] ? [1, 0] : [0, 1], numSummed: 1, scale: undefined };
  }
  const [given, weights] = [equation.operands[at], equation.operands[1 - at]];
  if (weights.includes('.')) return 'its projection is an Einsum of axes that are not named';
  const summed = [...given].filter((letter) => weights.includes(letter) && !equation.result.includes(letter));
  // What is not summed over is a position or what comes out: heads that stay apart are none of them.
  const isShared = [...weights].some((letter) => given.includes(letter) && !summed.includes(letter));
  if (summed.length === 0 || isShared) return 'its projection is an Einsum that keeps heads apart';
  const rest = [...weights].filter((letter) => !summed.includes(letter));
  return {
    tensor,
    order: [...summed, ...rest].map((letter) => weights.indexOf(letter)),
    numSummed: summed.length,
    scale: undefined,
  };
}
