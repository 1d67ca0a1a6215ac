import type { GraphIndex } from '../graph/graphIndex';
import { isWeight, productOf, type Product } from '../follow/products';

/** Scores of keys for queries that the model has learned, and that a tool may have folded into a constant. */
export interface LearnedScores {
  readonly queries: string;
  readonly keys: string;
  /** The keys' axis of the scores, counted from the end. */
  readonly keyAxis: number;
}

/** A product of a weight with an activation, read as scores: the weight asks, the activation answers. */
export function learnedScores(index: GraphIndex, node: number): LearnedScores | undefined {
  const product = productOf(index, node);
  if (product?.operands.length !== 2) return undefined;
  const at = product.operands.findIndex((operand) => isWeight(index, operand));
  if (at < 0 || isWeight(index, product.operands[1 - at])) return undefined;
  const [queries, keys] = [product.operands[at], product.operands[1 - at]];
  if (product.equation === undefined)
    return { queries, keys, keyAxis: at === 0 || index.weight(queries)?.dims.length === 1 ? -1 : -2 };
  const { operands, result } = product.equation;
  const letter = [...operands[1 - at].replace('...', '')].findLast(
    (each) => !operands[at].includes(each) && result.includes(each),
  );
  return letter === undefined ? undefined : { queries, keys, keyAxis: result.indexOf(letter) - result.length };
}

/** The axis of an operand that a product of two sums over, counted from the end. */
export function summedAxis({ equation, isTransposed, operands }: Product, position: number): number | undefined {
  if (equation === undefined)
    return operands.length === 2 ? ((position === 0) !== isTransposed[position] ? -1 : -2) : undefined;
  const letters = equation.operands[position].replace('...', '');
  const summed = [...letters].findLastIndex((letter) => !equation.result.includes(letter));
  return summed < 0 ? undefined : summed - letters.length;
}

/** The one axis that a reduction takes together, as the node counts it; undefined where there are several, or it is not told. */
export function reducedAxis(index: GraphIndex, node: number): number | undefined {
  const axes =
    index.attributes(node).get('axes')?.integers ?? index.constantIntegers(index.nodes[node].inputs[1] ?? '');
  return axes?.length === 1 ? axes[0] : undefined;
}
