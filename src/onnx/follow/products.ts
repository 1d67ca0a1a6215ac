import type { GraphIndex } from '../graph/graphIndex';
import { selectedWeight } from './selectedWeight';

/** A contraction of two tensors: a matrix product in one of its many forms. */
export interface Product {
  readonly node: number;
  /** The tensors that are multiplied. */
  readonly operands: readonly string[];
  /** Whether an operand's last two dimensions are swapped before it is multiplied. */
  readonly isTransposed: readonly boolean[];
  /** Whether an operand's first dimension is moved before its last, ahead of that: [query, head, size] is read as [head, query, size]. */
  readonly isFirstMoved: readonly boolean[];
  /** The subscripts of an Einsum, else undefined. */
  readonly equation: Equation | undefined;
}

/** The subscripts of an Einsum: one string an operand, and the result's. */
export interface Equation {
  readonly operands: readonly string[];
  readonly result: string;
}

/** Operand positions of the operators that are matrix products. */
const operandInputs = new Map<string, readonly [number, number]>([
  ['MatMul', [0, 1]],
  ['Gemm', [0, 1]],
  ['MatMulInteger', [0, 1]],
  ['QLinearMatMul', [0, 3]],
  ['com.microsoft.FusedMatMul', [0, 1]],
  ['com.microsoft.TransposeMatMul', [0, 1]],
  ['com.microsoft.FusedMatMulActivation', [0, 1]],
  ['com.microsoft.FusedGemm', [0, 1]],
  ['com.microsoft.MatMulIntegerToFloat', [0, 1]],
  ['com.microsoft.DynamicQuantizeMatMul', [0, 1]],
  ['com.microsoft.QGemm', [0, 3]],
]);

/** Operators that multiply with a weight in a form of its own: never a product of activations, always one with a weight. */
const weightProducts = new Set([
  'com.microsoft.MatMulNBits',
  'com.microsoft.MatMulBnb4',
  'com.microsoft.MatMulFpQ4',
  'Conv',
  'ConvInteger',
  'QLinearConv',
  'com.microsoft.FusedConv',
]);

/** The operator of a node, with its domain where it is not a standard one. */
export function operatorOf(index: GraphIndex, node: number): string {
  const { opType, domain } = index.nodes[node];
  return domain === '' ? opType : `${domain}.${opType}`;
}

/** The product that a node is, whatever its operands are; undefined for other operators. */
export function productOf(index: GraphIndex, node: number): Product | undefined {
  const operator = operatorOf(index, node);
  const { inputs } = index.nodes[node];
  if (operator === 'Einsum') {
    const equation = parseEquation(index.attributes(node).get('equation')?.text ?? '');
    if (equation === undefined || equation.operands.length !== inputs.length || inputs.length < 2) return undefined;
    return {
      node,
      operands: inputs,
      isTransposed: inputs.map(() => false),
      isFirstMoved: inputs.map(() => false),
      equation,
    };
  }
  const positions = operandInputs.get(operator);
  if (positions === undefined || inputs.length <= positions[1]) return undefined;
  const [isTransposed, isFirstMoved] = [
    ['transA', 'transB'],
    ['transBatchA', 'transBatchB'],
  ].map((names) => names.map((name) => index.integerAttribute(node, name) === 1));
  return {
    node,
    operands: positions.map((position) => inputs[position]),
    isTransposed,
    isFirstMoved,
    equation: undefined,
  };
}

/** Whether an operand is a weight: as it is, or the part of one that the model or its router selects. */
export function isWeight(index: GraphIndex, operand: string): boolean {
  return index.weight(operand) !== undefined || selectedWeight(index, operand) !== undefined;
}

/** A product of activations only: scores, or values weighted by attention. */
export function activationProduct(index: GraphIndex, node: number): Product | undefined {
  const product = productOf(index, node) ?? elementwiseProduct(index, node);
  return product?.operands.every((operand) => !isWeight(index, operand)) === true ? product : undefined;
}

/** The operand of a product that is not a weight, where the other is one. */
export function projectedTensor(index: GraphIndex, node: number): string | undefined {
  if (weightProducts.has(operatorOf(index, node))) return index.nodes[node].inputs[0];
  const operands = (productOf(index, node) ?? elementwiseProduct(index, node))?.operands;
  if (operands === undefined) return undefined;
  const dynamic = operands.filter((operand) => !isWeight(index, operand));
  return dynamic.length === 1 && operands.length > 1 ? dynamic[0] : undefined;
}

/** A product written as ReduceSum(Mul(a, b)). */
function elementwiseProduct(index: GraphIndex, node: number): Product | undefined {
  const { opType, domain, inputs } = index.nodes[node];
  if (opType !== 'ReduceSum' || domain !== '') return undefined;
  const maker = index.producer(inputs[0]);
  if (maker === undefined || index.nodes[maker].opType !== 'Mul') return undefined;
  const [a, b] = index.nodes[maker].inputs;
  return a === b
    ? undefined
    : { node, operands: [a, b], isTransposed: [false, false], isFirstMoved: [false, false], equation: undefined };
}

/** Reads `bhqd,bhkd->bhqk`, with or without the result; undefined where it is malformed. */
function parseEquation(text: string): Equation | undefined {
  const [left, right] = text.replaceAll(' ', '').split('->');
  const operands = left.split(',');
  if (
    operands.some((operand) => !/^(?:[A-Za-z]|\.\.\.)*$/.test(operand)) ||
    (right !== undefined && !/^(?:[A-Za-z]|\.\.\.)*$/.test(right))
  )
    return undefined;
  if (right !== undefined) return { operands, result: right };
  // Without an arrow the result holds the letters that occur once, in alphabetical order.
  const letters = [...left.replaceAll(',', '').replaceAll('.', '')];
  const once = letters.filter((letter) => letters.filter((other) => other === letter).length === 1).sort();
  return { operands, result: `${left.includes('...') ? '...' : ''}${once.join('')}` };
}
