import { rankOf } from '../follow/axisInference';
import type { GraphIndex } from '../graph/graphIndex';
import { operatorOf } from '../follow/products';
import { isOfWeights } from '../follow/positionShapes';
import { sumOf, type Step } from '../follow/trace';
import { converting, roundingOfBoth } from '../graph/operatorKinds';

/** Operators that give a part of what they read, along the axes that {@link partedAxes} tells. */
const parting = new Set(['Slice', 'Split', 'Gather']);
/** Operators behind which every axis still is the one that it was. */
const axisKeeping = new Set([
  ...[...converting, 'Where', 'Mul', 'Div', 'Add', 'Sub', 'Clip'],
  ...[...roundingOfBoth, 'DynamicQuantizeLinear'],
]);

/**
 * The tensor of whole rows that weights are cut out of along the keys, between the normaliser and the product with the values; undefined
 * where rows are weighted whole. An axis that is not known counts as that of the keys.
 * @param steps from the tensor of weights to what the normaliser gives.
 * @param keyAxis counted from the end of the first step's tensor.
 */
export function wholeRows(index: GraphIndex, steps: readonly Step[], keyAxis: number): string | undefined {
  let [hasAxes, whole]: [boolean, string | undefined] = [true, undefined];
  steps.slice(0, -1).forEach(({ node }, i) => {
    if (node === undefined) return;
    const operator = operatorOf(index, node);
    if (parting.has(operator)) {
      const from = steps[i + 1].tensor;
      const rank = rankOf(index, from);
      // Reshapes between give axes before the last apart or together.
      const key = hasAxes ? keyAxis : -1;
      const isOfKeys = (axis: number): boolean =>
        rank === undefined ? axis >= 0 || axis === key : (axis < 0 ? axis : axis - rank) === key;
      if (partedAxes(index, node)?.some(isOfKeys) ?? true) whole = from;
    } else hasAxes &&= axisKeeping.has(operator);
  });
  return whole;
}

/** Whether other parts of rows are read beside one that is cut out of them. */
export function hasOtherParts(index: GraphIndex, whole: string): boolean {
  const parts = index
    .consumers(whole)
    .filter((node) => parting.has(operatorOf(index, node)) && index.nodes[node].inputs[0] === whole);
  const read = parts.flatMap((node) =>
    index.nodes[node].outputs.filter((output) => index.consumers(output).length > 0),
  );
  return read.length > 1;
}

/** Whether the sum of an exponential's rows is only a part of what they are divided by: others are added to it, which are no constant. */
export function isSummedUp(index: GraphIndex, exponential: number): boolean {
  const sum = sumOf(index, index.nodes[exponential].outputs[0], 2);
  if (sum === undefined) return false;
  const [total] = index.nodes[sum].outputs;
  return index
    .consumers(total)
    .some(
      (node) =>
        operatorOf(index, node) === 'Add' &&
        index.nodes[node].inputs.some((input) => input !== total && !isOfWeights(index, input)),
    );
}

function partedAxes(index: GraphIndex, node: number): readonly number[] | undefined {
  const { opType, inputs } = index.nodes[node];
  if (opType !== 'Slice') return [index.integerAttribute(node, 'axis') ?? 0];
  return inputs[3] ? index.constantIntegers(inputs[3]) : index.attributes(node).get('axes')?.integers;
}
