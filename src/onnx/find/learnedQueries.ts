import type { Axis } from '../follow/axes';
import { axesOf } from '../follow/axisInference';
import type { GraphIndex } from '../graph/graphIndex';
import { isOfKeys } from '../follow/origin';
import { isWeight, operatorOf, productOf, type Product } from '../follow/products';
import { isLastTwoSwap, type Step } from '../follow/trace';

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

/**
 * Whether a normalised product of a weight with an activation weights values by position: what is summed is the keys' axis,
 * not the weight's own (the experts that a router weighs), and the values are of the keys' stream.
 * @param steps the way from the operand of the product with the values back to the scores.
 * @param summed the axis of that operand that the product sums over, counted from the end.
 */
export function isAskedByWeight(
  index: GraphIndex,
  { keys, keyAxis }: LearnedScores,
  { steps, summed, values }: { readonly steps: readonly Step[]; readonly summed: number; readonly values: string },
): boolean {
  const scores = axesOf(index, steps[steps.length - 1].tensor);
  const over = axesOf(index, steps[0].tensor)?.at(summed);
  const key = scores?.at(keyAxis);
  const isKey =
    over !== undefined && over === key
      ? true
      : over !== undefined && isOther(scores, over, key)
        ? false
        : turned(index, steps, keyAxis) === summed;
  return isKey && isOfKeys(index, keys, values) && !isAlsoRouter(index, steps[steps.length - 1].tensor);
}

/** Whether scores are also normalised the other way: over what the weight asks for, as experts that positions are handed to and taken back from. */
function isAlsoRouter(index: GraphIndex, scores: string): boolean {
  const axes = new Set<number | undefined>();
  const pending = [scores];
  for (let tensor = pending.pop(), i = 0; tensor !== undefined && i < 16; tensor = pending.pop(), i++) {
    for (const consumer of index.consumers(tensor)) {
      if (index.nodes[consumer].opType === 'Softmax') {
        const axis = index.integerAttribute(consumer, 'axis') ?? -1;
        axes.add(axis < 0 ? axis + (axesOf(index, tensor)?.length ?? 0) : axis);
      } else if (scoreKeeping.has(operatorOf(index, consumer))) pending.push(index.nodes[consumer].outputs[0]);
    }
  }
  return axes.size > 1;
}

const scoreKeeping = new Set(['Add', 'Cast', 'Identity', 'Mul', 'Div']);

const isOther = (scores: readonly Axis[] | undefined, over: Axis, key: Axis | undefined): boolean =>
  over.kind === 'alternative' ||
  over.kind === 'feature' ||
  (scores?.some((axis) => axis !== key && axis === over) ?? false);

/** Which of the last two axes one of them is after all steps; undefined where they do more than turn these two. */
function turned(index: GraphIndex, steps: readonly Step[], axis: number): number | undefined {
  let at = axis;
  for (const { node } of steps.slice(0, -1)) {
    if (node === undefined || operatorOf(index, node) !== 'Transpose') continue;
    if (!isLastTwoSwap(index.attributes(node).get('perm')?.integers) || at < -2) return undefined;
    at = -3 - at;
  }
  return at;
}

/** The axis of an operand that a product of two sums over, counted from the end. */
export function summedAxis({ equation, isTransposed, operands }: Product, position: number): number | undefined {
  if (equation === undefined)
    return operands.length === 2 ? ((position === 0) !== isTransposed[position] ? -1 : -2) : undefined;
  const letters = equation.operands[position].replace('...', '');
  const summed = [...letters].findLastIndex((letter) => !equation.result.includes(letter));
  return summed < 0 ? undefined : summed - letters.length;
}
