import type { Axis } from '../follow/axes';
import { axesOf } from '../follow/axisInference';
import { broadcasting, shapeKeeping } from '../follow/axisOperators';
import { isWeight, operatorOf, productOf, type Product } from '../follow/products';
import { sumOf, type Step } from '../follow/trace';
import type { GraphIndex } from '../graph/graphIndex';
import { converting, reshaping, roundingOfBoth } from '../graph/operatorKinds';
import type { FoundSite, WeightedValues } from '../name/site';
import type { HeadTensor } from '../name/taps';
import { reducedAxis } from './learnedQueries';

/** Values weighted and summed without a matrix product: Σⱼ pⱼ vⱼ as `Mul` and `ReduceSum` (pooling, Bahdanau et al. 2015). */
export interface SummedValues {
  /** Which step from the product makes the weights. */
  readonly at: number;
  /** The axes of positions in them, counted from the end. */
  readonly queryAxis: number;
  readonly keyAxis: number;
  /** Whether there is one query, whose axis stands for nothing but itself. */
  readonly hasOneQuery: boolean;
  /** The axis of the scores that is summed over in the end, counted from the end. */
  readonly scoreAxis: number;
}

/** What the axes of values and of what is made of them are. */
export type ValueLayouts = Pick<WeightedValues, 'layout' | 'resultLayout'>;

/** What scores are made of. */
interface Asked {
  readonly queries: string;
  readonly keys: string;
}

/** Behind a normaliser they give weights: the same, some of them masked, or divided again by their sums. */
const ofWeights = new Set([...converting, ...roundingOfBoth, 'DynamicQuantizeLinear', 'Mul', 'Div', 'Where']);
/** They normalise along an axis as well, and make no weights of scores that a mean is taken with. */
const otherNormalizers = new Set(['LogSoftmax', 'Hardmax']);
const moving = new Set(['Transpose', 'Expand', ...reshaping]);

/** Whether a site's values are weighted by a product and a sum, its own in the graph. */
export const isSummed = (index: GraphIndex, { node, loop, heads }: FoundSite): boolean =>
  loop === undefined && heads === undefined && operatorOf(index, node) === 'ReduceSum';

/** Why what its heads read is not told apart. */
export const summedReason = 'its product is a ReduceSum';

/**
 * Weights that a sum of products weights values with, where it is proven that it is one: what is summed over is the axis along which they were normalised by
 * a softmax; no feature has weights of its own (they are one number where values have their features); and items and keys alone are axes of both.
 * Otherwise it may be anything: a gate, channels with weights of their own, experts, the neighbours of each position.
 * @param steps from an operand of the product back to its scores.
 * @param normalizerAt which of them makes the normalised numbers.
 */
export function summedValues(
  index: GraphIndex,
  { node, operands }: Product,
  { steps, normalizerAt }: { readonly steps: readonly Step[]; readonly normalizerAt: number },
): SummedValues | undefined {
  const [operand] = steps;
  const values = operands.find((each) => each !== operand.tensor);
  const at = steps.findIndex(
    (step, i) => i === normalizerAt || step.node === undefined || !isStretched(index, step.node),
  );
  const [weights, weighted] = [steps[at].tensor, values === undefined ? '' : beforeStretching(index, values)].map(
    (tensor) => axesOf(index, tensor),
  );
  const summed = reducedAxis(index, node);
  if (weights === undefined || weights.length !== weighted?.length || summed === undefined) return undefined;
  const keyAxis = summed < 0 ? summed : summed - weights.length;
  const queries = queryOf(weights, weighted, keyAxis);
  const scoreAxis = axisOfScores(index, { steps, normalizerAt }, keyAxis);
  return queries === undefined || scoreAxis === undefined ? undefined : { at, ...queries, keyAxis, scoreAxis };
}

/** The queries' axis of weights: one that their values are repeated along, else that of the features, which has one number; undefined where the two have others in common. */
function queryOf(
  weights: readonly Axis[],
  values: readonly Axis[],
  keyAxis: number,
): Pick<SummedValues, 'queryAxis' | 'hasOneQuery'> | undefined {
  const rank = weights.length;
  const features: number[] = [];
  const queries: number[] = [];
  const itemAxis = keyAxis === -rank ? weights.findIndex((axis) => axis.isOfItems) - rank : -rank;
  for (let axis = -rank; axis < 0; axis++) {
    if (axis === keyAxis) continue;
    const [ofWeight, ofValue] = [weights.at(axis)?.size, values.at(axis)?.size];
    if (ofWeight === 1 && axis !== itemAxis) features.push(axis);
    else if (ofWeight !== 1 && ofValue === 1) queries.push(axis);
    else if (axis !== itemAxis) return undefined;
  }
  if (features.length === 0 || queries.length > 1) return undefined;
  return { queryAxis: [...queries, ...features][0], hasOneQuery: queries.length === 0 };
}

/** Whether a node only repeats or converts weights; axes, counted from the end, stay where they are. */
const isStretched = (index: GraphIndex, node: number): boolean => {
  const operator = operatorOf(index, node);
  return operator === 'Expand' || converting.includes(operator);
};

/** A tensor before it was repeated. */
function beforeStretching(index: GraphIndex, tensor: string): string {
  let name = tensor;
  for (let i = 0; i < 4; i++) {
    const node = index.producer(name);
    if (node === undefined || !isStretched(index, node)) break;
    [name] = index.nodes[node].inputs;
  }
  return name;
}

/** The axis of scores that an axis of weights is, normalised along itself and no other on the way; undefined where that is not sure. */
function axisOfScores(
  index: GraphIndex,
  { steps, normalizerAt }: { readonly steps: readonly Step[]; readonly normalizerAt: number },
  keyAxis: number,
): number | undefined {
  let axis: number | undefined = keyAxis;
  let isDivided = false;
  let isNormalized = false;
  for (let i = 0; i + 1 < steps.length; i++) {
    const { node } = steps[i];
    if (node === undefined || axis === undefined) return undefined;
    index.spend(1);
    const operator = operatorOf(index, node);
    const from = steps[i + 1].tensor;
    isDivided ||= operator === 'Div' && from === index.nodes[node].inputs[0];
    if (i === normalizerAt && operator === 'Exp') {
      if (!isDivided || !isSummedAlong(index, node, axis)) return undefined;
      isNormalized = true;
    } else if (operator === 'Softmax') {
      if (i !== normalizerAt || !isNormalizedAlong(index, node, axis)) return undefined;
      isNormalized = true;
    } else {
      const isOfScores = (broadcasting.has(operator) || shapeKeeping.has(operator)) && !otherNormalizers.has(operator);
      const isKnown = moving.has(operator) || (i < normalizerAt ? ofWeights.has(operator) : isOfScores);
      axis = isKnown ? axisBefore(index, node, from, axis) : undefined;
    }
  }
  return isNormalized ? axis : undefined;
}

function isNormalizedAlong(index: GraphIndex, node: number, axis: number): boolean {
  const axes = axesOf(index, index.nodes[node].inputs[0]);
  const isOfOne = (index.model.opsets.get('') ?? 1) >= 13;
  const own = index.integerAttribute(node, 'axis') ?? (isOfOne ? -1 : 1);
  if (axes === undefined || (own < 0 ? own : own - axes.length) !== axis) return false;
  // In old versions all axes from this one on are one.
  return isOfOne || axis === -1 || axes.slice(axis + 1).every(({ size }) => size === 1);
}

/** Whether it is along an axis that exponentials are summed, to be divided by. */
function isSummedAlong(index: GraphIndex, exponential: number, axis: number): boolean {
  const [made] = index.nodes[exponential].outputs;
  const sum = sumOf(index, made, 2);
  const rank = axesOf(index, made)?.length;
  const summed = sum === undefined ? undefined : reducedAxis(index, sum);
  if (summed === undefined || rank === undefined || sum === undefined) return false;
  return axesOf(index, index.nodes[sum].inputs[0])?.length === rank && (summed < 0 ? summed : summed - rank) === axis;
}

/** Which axis of what a node is given is an axis of what it makes, both counted from the end; undefined where that is not sure, or none is. */
function axisBefore(index: GraphIndex, node: number, given: string, axis: number): number | undefined {
  const { opType, inputs, outputs } = index.nodes[node];
  const [from, to] = [given, outputs[0]].map((tensor) => axesOf(index, tensor));
  if (from === undefined || to === undefined) return undefined;
  if (opType === 'Transpose') {
    const perm = index.attributes(node).get('perm')?.integers ?? [...to.keys()].reverse();
    const at = perm.at(axis);
    return at === undefined ? undefined : at - perm.length;
  }
  if (opType === 'Unsqueeze' || opType === 'Squeeze') {
    const axes = index.attributes(node).get('axes')?.integers ?? index.constantIntegers(inputs[1] ?? '');
    return axes && axisBeforeSqueeze(axes, { from: from.length, to: to.length }, axis);
  }
  if (reshaping.includes(opType)) return axisBeforeReshape(from, to, axis);
  // What is stretched is aligned at the end; along the axis itself it must be as long already.
  return axis >= -from.length && (from.at(axis)?.size === 1) === (to.at(axis)?.size === 1) ? axis : undefined;
}

/** … where axes of one number come or go. */
function axisBeforeSqueeze(
  axes: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
  axis: number,
): number | undefined {
  const [less, more] = from < to ? [from, to] : [to, from];
  const gone = new Set(axes.map((each) => (each < 0 ? each + more : each)));
  const kept = [...Array(more).keys()].filter((each) => !gone.has(each));
  if (kept.length !== less) return undefined;
  const at = from < to ? kept.indexOf(axis + to) : kept.at(axis);
  return at === undefined || at < 0 ? undefined : at - from;
}

/** An axis is the same in another shape where it is as long, and as many numbers lie behind it. */
function axisBeforeReshape(from: readonly Axis[], to: readonly Axis[], axis: number): number | undefined {
  const own = to.at(axis);
  if (own === undefined) return undefined;
  const behind = numberBehind(to, axis);
  const found = [...from.keys()]
    .map((at) => at - from.length)
    .filter(
      (at) =>
        (from.at(at) === own || (own.size !== undefined && own.size === from.at(at)?.size)) &&
        behind !== undefined &&
        numberBehind(from, at) === behind,
    );
  return found.length === 1 ? found[0] : undefined;
}

const numberBehind = (axes: readonly Axis[], axis: number): number | undefined =>
  axis === -1
    ? 1
    : axes
        .slice(axis + 1)
        .reduce<number | undefined>(
          (product, { size }) => (product === undefined || size === undefined ? undefined : product * size),
          1,
        );

/** What asks and what is asked in a product of activations that makes scores: what an axis of these is of is the keys. Undefined where both may be. */
export function askedAlong(index: GraphIndex, product: Product, scoreAxis: number): Asked | undefined {
  const { node, operands, equation, isFirstMoved } = product;
  if (operands.length !== 2) return undefined;
  if (equation !== undefined) {
    const letter = equation.result.at(scoreAxis) ?? '.';
    const own = equation.operands.map((letters) => letters.includes(letter));
    return letter === '.' || own[0] === own[1] ? undefined : asked(operands, own[0] ? 0 : 1);
  }
  if (index.nodes[node].opType === 'ReduceSum') {
    const summed = reducedAxis(index, node);
    const rank = axesOf(index, index.nodes[node].inputs[0])?.length;
    if (summed === undefined || rank === undefined) return undefined;
    const kept = [...Array(rank).keys()].filter((axis) => keepsAxes(index, node) || axis !== (summed + rank) % rank);
    const at = kept.at(scoreAxis);
    return at === undefined ? undefined : askedOfTerms(index, operands, at - rank);
  }
  const isPlain =
    operands.every((operand) => (axesOf(index, operand)?.length ?? 0) >= 2) && !isFirstMoved.includes(true);
  return isPlain && scoreAxis >= -2 ? asked(operands, scoreAxis === -1 ? 1 : 0) : undefined;
}

/** … in the activated sum of two terms that is projected to scores (Bahdanau et al. 2015). */
export function askedOfSum(
  index: GraphIndex,
  node: number,
  terms: readonly string[],
  scoreAxis: number,
): Asked | undefined {
  const product = productOf(index, node);
  const isLeft =
    product === undefined ? index.nodes[node].opType === 'ReduceSum' : isWeight(index, product.operands[1]);
  const [scores, ...sides] = [index.nodes[node].outputs[0], ...terms].map((tensor) => axesOf(index, tensor)?.length);
  if (!isLeft || scores === undefined || sides.some((rank) => rank === undefined)) return undefined;
  const rank = Math.max(...sides.map((side) => side ?? 0));
  // What is projected is the last axis, which may be gone.
  if (product === undefined && ![-1, rank - 1].includes(reducedAxis(index, node) ?? 0)) return undefined;
  const at = scoreAxis - (rank - scores);
  return (rank !== scores && rank !== scores + 1) || at === -1 ? undefined : askedOfTerms(index, terms, at);
}

/** Of a sum, [item, position, feature] or with its features first, and the one vector an item that it gives, what their axes are; otherwise, in a clause, why that is not told. */
export function summedLayouts(index: GraphIndex, site: FoundSite): ValueLayouts | string {
  const rank = axesOf(index, site.tensor)?.length;
  if (rank !== 3 || site.queryAxis + site.keyAxis !== -3) return summedReason;
  const layout = site.keyAxis === -2 ? 'plain' : 'turned';
  return { layout, resultLayout: keepsAxes(index, site.node) ? layout : 'single' };
}

/** The values that a sum weights, where one of their axes alone can be that of features. */
export function summedOperand(index: GraphIndex, { values, keyAxis }: FoundSite): HeadTensor | undefined {
  const axes = axesOf(index, values);
  if (axes === undefined) return undefined;
  const first = -axes.length;
  const features = [...axes.keys()]
    .map((at) => at + first)
    .filter((axis) => {
      const { size, isOfItems } = axes.at(axis) ?? {};
      return axis !== keyAxis && size !== 1 && isOfItems !== true && (axis !== first || keyAxis === first);
    });
  return features.length === 1 ? { tensor: values, positionAxis: keyAxis, featureAxis: features[0] } : undefined;
}

/** Which of two is asked: the other is one number along that axis, or repeated along it. */
function askedOfTerms(index: GraphIndex, terms: readonly string[], axis: number): Asked | undefined {
  const isRepeated = terms.map((term) => {
    const axes = axesOf(index, beforeStretching(index, term));
    return axes !== undefined && (axes.at(axis)?.size === 1 || axes.length < -axis);
  });
  return isRepeated[0] === isRepeated[1] ? undefined : asked(terms, isRepeated[0] ? 1 : 0);
}

const asked = (of: readonly string[], at: number): Asked => ({ queries: of[1 - at], keys: of[at] });

const keepsAxes = (index: GraphIndex, node: number): boolean => (index.integerAttribute(node, 'keepdims') ?? 1) === 1;
