import type { GraphIndex } from '../graph/graphIndex';
import { scaledOperand } from '../follow/innerProduct';
import type { LinearScores } from './linearScores';
import { operatorOf, productOf, type Product } from '../follow/products';
import { reshaping, rounding } from '../graph/operatorKinds';

/** What a model divides the rows of linear attention by: their sums, something else, or nothing. */
export type Division = 'sum' | 'other' | 'none';

/** Operators behind which a tensor holds the same numbers in another arrangement. */
const arranging = new Set([
  ...['Cast', 'Identity', 'Dropout', 'Transpose', 'Expand'],
  ...reshaping,
  ...rounding,
  'DynamicQuantizeLinear',
]);
/** Operators by which a sum of keys, or its product with queries, is made. */
const summing = new Set([
  'ReduceSum',
  'ReduceMean',
  'ReduceL1',
  'Einsum',
  'MatMul',
  'Gemm',
  'MatMulInteger',
  'com.microsoft.FusedMatMul',
]);
/** Operators that a divisor may pass through besides: by their first input, or by all. */
const passing = new Set([...arranging, 'Slice', 'Split', 'Gather', 'Clip', 'Reciprocal', 'Pow', 'Abs']);
const combining = new Set(['Mul', 'Div', 'Add', 'Max']);

/** Finds what the result of linear attention, or the product itself, is divided by. */
export function findDivision(index: GraphIndex, product: Product, scores: LinearScores): Division {
  const result = index.nodes[product.node].outputs[0];
  const { factors } = scores;
  if (factors.some((factor) => !isInverse(index, factor))) return 'other';
  const divisors = factors.length > 0 ? factors : laterDivisors(index, result);
  if (divisors.length === 0) return 'none';
  return divisors.length === 1 && isSumOfRows(index, divisors[0], result, scores) ? 'sum' : 'other';
}

/** What a tensor is divided by, or multiplied with the inverse of, before it is used. */
function laterDivisors(index: GraphIndex, tensor: string): string[] {
  const pending = [tensor];
  const seen = new Set<string>();
  for (let name = pending.pop(); name !== undefined && seen.size < 16; name = pending.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const consumer of index.consumers(name)) {
      index.spend(1);
      const { opType, domain, inputs, outputs } = index.nodes[consumer];
      if (domain !== '') continue;
      const other = inputs.find((input) => input !== name);
      if (
        arranging.has(opType) ||
        opType === 'Slice' ||
        opType === 'Split' ||
        scaledOperand(index, consumer) !== undefined
      )
        pending.push(...outputs);
      else if (
        other !== undefined &&
        index.weight(other) === undefined &&
        ((opType === 'Div' && inputs[0] === name) || (opType === 'Mul' && isInverse(index, other)))
      )
        return [other];
    }
  }
  return [];
}

/** Whether a tensor is one divided by another. */
function isInverse(index: GraphIndex, tensor: string): boolean {
  let name = tensor;
  for (let i = 0; i < 6; i++) {
    const node = index.producer(name);
    if (node === undefined) return false;
    const { opType, inputs } = index.nodes[node];
    if (opType === 'Reciprocal' || (opType === 'Div' && index.weight(inputs[0]) !== undefined)) return true;
    if (opType === 'Pow') return index.weight(inputs[1]) !== undefined;
    if (!arranging.has(opType)) return false;
    name = inputs[0];
  }
  return false;
}

/** The tensor that another is a rearrangement or a multiple of. */
function rootOf(index: GraphIndex, tensor: string): string {
  let name = tensor;
  for (let i = 0; i < 12; i++) {
    const node = index.producer(name);
    if (node === undefined) return name;
    const scaled = scaledOperand(index, node);
    if (scaled === undefined && !arranging.has(operatorOf(index, node))) return name;
    name = scaled ?? index.nodes[node].inputs[0];
  }
  return name;
}

/**
 * Whether a divisor is Σⱼ φ(qᵢ)·φ(kⱼ): made of these queries and a sum of these keys alone, or, where a column of ones was
 * put beside the values, a part of the result itself.
 */
function isSumOfRows(
  index: GraphIndex,
  divisor: string,
  result: string,
  { queries, keys, values }: LinearScores,
): boolean {
  const queryRoot = rootOf(index, queries);
  const keyRoot = rootOf(index, keys);
  const found = { queries: false, sumOfKeys: false, product: false, result: false };
  const pending: { readonly tensor: string; readonly isSummed: boolean }[] = [{ tensor: divisor, isSummed: false }];
  const seen = new Set<string>();
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    const { tensor, isSummed } = step;
    const key = `${tensor}|${isSummed}`;
    if (seen.has(key) || index.weight(tensor) !== undefined) continue;
    seen.add(key);
    index.spend(1);
    if (seen.size > 60) return false;
    const [isOfQueries, isSumOfKeys] = [tensor === queryRoot, tensor === keyRoot && isSummed];
    if (tensor === result) found.result = true;
    else if (isOfQueries || isSumOfKeys) {
      found.queries ||= isOfQueries;
      found.sumOfKeys ||= isSumOfKeys;
    } else {
      const made = madeOf(index, tensor);
      if (made === undefined) return false;
      found.product ||= made.operands.length > 1;
      for (const operand of made.operands) pending.push({ tensor: operand, isSummed: isSummed || made.isSum });
    }
  }
  if (found.result) return !found.queries && !found.sumOfKeys && hasOnes(index, values);
  return found.queries && found.sumOfKeys && found.product;
}

/** What a part of a divisor is made of, and whether it is a sum; undefined where it is made in a way that none is. */
function madeOf(
  index: GraphIndex,
  tensor: string,
): { readonly operands: readonly string[]; readonly isSum: boolean } | undefined {
  const node = index.producer(tensor);
  if (node === undefined) return undefined;
  const operator = operatorOf(index, node);
  const { inputs } = index.nodes[node];
  const isSum = summing.has(operator);
  if (!isSum && !passing.has(operator) && !combining.has(operator)) return undefined;
  const operands =
    productOf(index, node)?.operands ??
    (combining.has(operator) ? [scaledOperand(index, node) ?? inputs].flat() : [inputs[0]]);
  return { operands, isSum };
}

/** Whether constants were put beside a tensor's own numbers. */
function hasOnes(index: GraphIndex, tensor: string): boolean {
  const node = index.producer(rootOf(index, tensor));
  if (node === undefined) return false;
  const { opType, inputs } = index.nodes[node];
  if (opType === 'Pad') return true;
  return (
    opType === 'Concat' &&
    inputs.some(
      (input) =>
        index.weight(input) !== undefined ||
        ['ConstantOfShape', 'Expand'].includes(index.nodes[index.producer(input) ?? -1]?.opType ?? ''),
    )
  );
}
