import type { GraphIndex } from '../graph/graphIndex';
import { rankOf } from '../follow/axisInference';
import { whyNotAsked, whyNotOfKeys, withPositions, type NoAttention, type SiteAxes } from './definition';
import { learnedScores, reducedAxis, summedAxis, type LearnedScores } from './learnedQueries';
import { isLinearInner } from './linearSites';
import { pathOfNode } from '../graph/nodePath';
import { hasOtherParts, isSummedUp, wholeRows } from './partialRows';
import { activationProduct, operatorOf, projectedTensor, type Product } from '../follow/products';
import type { FoundSite, MissedSite, RowSum } from '../name/site';
import { carriedInputs, isLastTwoSwap, pathOf, sumOf, walkBack, type Normalizer, type Step } from '../follow/trace';
import { dequantize } from './suffixNodes';
import { askedAlong, askedOfSum, summedValues, type SummedValues } from './summedValues';
import { converting, reshaping, roundingOfBoth } from '../graph/operatorKinds';

/** The way from a product's operand back to scores, through a normaliser. */
interface ScorePath {
  readonly steps: readonly Step[];
  /** Position among the steps of the normaliser's result. */
  readonly normalizerAt: number;
  readonly normalizer: Normalizer;
  readonly queries: string;
  readonly keys: string;
  readonly isAdditive: boolean;
  /** Whether the queries are a weight. */
  readonly isLearned: boolean;
  /** Where its axes are, in a sum without a matrix product. */
  readonly summed?: SummedValues;
}

/** What weights may be made of, by ways back from them. */
interface Candidates {
  readonly scores: { readonly step: Step; readonly product: Product } | undefined;
  readonly projections: readonly Step[];
  readonly learned: readonly { readonly step: Step; readonly scores: LearnedScores }[];
}

/**
 * Attention written out in elementary operators: a product of two activations, one operand of which comes, through a
 * normaliser, from another such product (or, additively, from a projected sum of queries and keys; or from a product with queries
 * that the model has learned). Names play no part. What makes it attention is stated in `definition.ts`; what does not pass that is told.
 */
export function findPatternSites(index: GraphIndex): {
  readonly sites: readonly FoundSite[];
  readonly refused: readonly MissedSite[];
  /** Why normalisers of products with a weight are none of an attention's, by their nodes; some may be in another way. */
  readonly unasked: ReadonlyMap<number, NoAttention>;
} {
  const sites = new Map<string, FoundSite>();
  /** What weights are cut out of along the keys, by their tensor. */
  const partial = new Map<string, string>();
  const refused = new Map<string, MissedSite>();
  const unasked = new Map<number, NoAttention>();
  index.nodes.forEach((_, node) => {
    const product = activationProduct(index, node);
    if (product === undefined) return;
    const paths = product.operands.map((_, position) => ({
      position,
      path: scorePath(index, product, position, unasked),
    }));
    const rank = (path: ScorePath | undefined): number =>
      path === undefined ? 0 : path.normalizer === 'softmax' || path.normalizer === 'exponential' ? 2 : 1;
    const [best] = paths.sort((a, b) => rank(b.path) - rank(a.path));
    if (best?.path === undefined) return;
    // Features that are normalised over the positions, and asked by the next product, are the keys of a linear attention.
    if (best.path.isLearned && isLinearInner(index, node)) return;
    const made = toSite(index, product, best.position, best.path);
    if (made === undefined) return;
    const { site, tap } = made;
    // One matrix of weights may weight several values: it is one attention.
    if (sites.has(site.tensor)) return;
    // In the body of a loop axes are those of an iteration, which tell nothing.
    const found = index.outer === undefined ? withPositions(index, site, axesOfSite(site, best.path)) : site;
    if ('reason' in found) refused.set(site.tensor, { ...missedSite(index, site, found.reason), ...found });
    else {
      sites.set(site.tensor, found);
      const { steps, normalizerAt } = best.path;
      const whole = wholeRows(index, steps.slice(tap, normalizerAt + 1), site.keyAxis);
      if (whole !== undefined) partial.set(site.tensor, whole);
    }
  });
  // Rows that weight values in several products are none of them whole.
  const numParts = new Map<number, number>();
  for (const tensor of partial.keys()) {
    const normalizer = sites.get(tensor)?.namedBy ?? -1;
    numParts.set(normalizer, (numParts.get(normalizer) ?? 0) + 1);
  }
  for (const [tensor, whole] of partial) {
    const site = sites.get(tensor);
    if (site === undefined || ((numParts.get(site.namedBy) ?? 0) < 2 && !hasOtherParts(index, whole))) continue;
    sites.delete(tensor);
    refused.set(
      `rows of ${index.nodes[site.namedBy].outputs[0]}`,
      missedSite(
        index,
        site,
        'its rows are cut along the keys and weight values in several products (blocks beside global tokens)',
      ),
    );
  }
  for (const [tensor, site] of sites) {
    if (!site.isUndivided || !isSummedUp(index, site.namedBy)) continue;
    sites.delete(tensor);
    refused.set(
      `parts of ${index.nodes[site.namedBy].outputs[0]}`,
      missedSite(
        index,
        site,
        'its rows come in parts, one after the other, whose sums are added up (an online softmax): none of them is a whole row',
      ),
    );
  }
  return { sites: [...sites.values()], refused: [...refused.values()], unasked };
}

function missedSite(index: GraphIndex, { namedBy, tensor }: FoundSite, reason: string): MissedSite {
  return {
    node: namedBy,
    path: pathOfNode(index, namedBy) ?? tensor,
    operator: index.nodes[namedBy].opType,
    reason,
  };
}

function axesOfSite(site: FoundSite, { isLearned, summed }: ScorePath): SiteAxes {
  // What a suffix makes of a quantised result has its axes.
  const tensor = site.suffix === undefined ? site.tensor : site.needs[0];
  return {
    query: { tensor, axis: summed?.hasOneQuery === true ? 0 : site.queryAxis },
    key: { tensor, axis: site.keyAxis },
    isLearned,
  };
}

/** @param unasked takes why a normalised product with a weight is none. */
function scorePath(
  index: GraphIndex,
  summing: Product,
  position: number,
  unasked: Map<number, NoAttention>,
): ScorePath | undefined {
  const found = candidatesOf(index, summing.operands[position]);
  // A loop's iteration is a query: there a sum without a matrix product needs no axis for it.
  if (index.nodes[summing.node].opType === 'ReduceSum' && index.outer === undefined)
    return summedPath(index, { summing, position, found }, unasked);
  const { scores, projections, learned } = found;
  if (scores !== undefined) {
    const { step, product } = scores;
    return toScorePath(step, { queries: product.operands[0], keys: product.operands[1] });
  }
  for (const step of projections) {
    const terms = additiveTerms(index, projectedTensor(index, step.node ?? 0) ?? '');
    if (terms !== undefined) return toScorePath(step, { queries: terms[0], keys: terms[1], isAdditive: true });
  }
  const summed = summedAxis(summing, position);
  const values = summing.operands[position === 0 ? 1 : 0];
  for (const { step, scores: asked } of index.outer !== undefined ? [] : learned) {
    if (summed === undefined) break;
    const steps = pathOf(step);
    const reason = whyNotAsked(index, asked, { steps, summed, values });
    const path = toScorePath(step, { queries: asked.queries, keys: asked.keys, isLearned: true });
    if (reason === undefined) return path;
    const normalizer = path?.steps[path.normalizerAt].node;
    if (normalizer !== undefined) unasked.set(normalizer, reason);
  }
  return undefined;
}

function candidatesOf(index: GraphIndex, operand: string): Candidates {
  let scores: Candidates['scores'];
  const projections: Step[] = [];
  const learned: { step: Step; scores: LearnedScores }[] = [];
  walkBack(index, operand, (step) => {
    if (step.node === undefined || scores !== undefined) return true;
    if (step.normalizer === undefined) return false;
    const product = activationProduct(index, step.node);
    if (product !== undefined) {
      scores = { step, product };
      return true;
    }
    if (projectedTensor(index, step.node) !== undefined) projections.push(step);
    const asked =
      step.normalizer === 'softmax' || step.normalizer === 'exponential' ? learnedScores(index, step.node) : undefined;
    if (asked !== undefined) learned.push({ step, scores: asked });
    return false;
  });
  return { scores, projections, learned };
}

/** The way to scores from a sum of products, where it is proven that these are values weighted by attention. */
function summedPath(
  index: GraphIndex,
  { summing, position, found }: { readonly summing: Product; readonly position: number; readonly found: Candidates },
  unasked: Map<number, NoAttention>,
): ScorePath | undefined {
  const { scores, projections, learned } = found;
  const pathTo = (
    step: Step,
    made: Pick<ScorePath, 'queries' | 'keys'> & Partial<ScorePath>,
  ): (ScorePath & { readonly summed: SummedValues }) | undefined => {
    const path = toScorePath(step, made);
    const summed = path && summedValues(index, summing, path);
    return summed && { ...path, summed };
  };
  if (scores !== undefined) {
    const path = pathTo(scores.step, { queries: '', keys: '' });
    const asked = path && askedAlong(index, scores.product, path.summed.scoreAxis);
    return asked && { ...path, ...asked };
  }
  for (const step of projections) {
    const terms = additiveTerms(index, projectedTensor(index, step.node ?? 0) ?? '');
    if (terms === undefined) continue;
    const path = pathTo(step, { queries: '', keys: '', isAdditive: true });
    const asked = path && askedOfSum(index, step.node ?? 0, terms, path.summed.scoreAxis);
    return asked && { ...path, ...asked };
  }
  for (const { step, scores: asked } of learned) {
    const path = pathTo(step, { queries: asked.queries, keys: asked.keys, isLearned: true });
    if (path === undefined) continue;
    const isSummed = path.summed.scoreAxis === asked.keyAxis;
    const values = summing.operands[1 - position];
    const reason = whyNotOfKeys(index, { keys: asked.keys, made: step.tensor, values, isSummed });
    if (reason === undefined) return path;
    const normalizer = path.steps[path.normalizerAt].node;
    if (normalizer !== undefined) unasked.set(normalizer, reason);
  }
  return undefined;
}

function toScorePath(
  end: Step,
  { queries, keys, isAdditive = false, isLearned = false }: Pick<ScorePath, 'queries' | 'keys'> & Partial<ScorePath>,
): ScorePath | undefined {
  const steps = pathOf(end);
  const normalizerAt = steps.findIndex((_, i) => steps[i + 1]?.normalizer !== undefined);
  const normalizer = end.normalizer;
  return normalizer === undefined || normalizerAt < 0
    ? undefined
    : { steps, normalizerAt, normalizer, queries, keys, isAdditive, isLearned };
}

const activations = new Set([
  'Tanh',
  'Relu',
  'LeakyRelu',
  'Gelu',
  'Elu',
  'Selu',
  'Softplus',
  'Sigmoid',
  'Identity',
  'Dropout',
  'Cast',
  'com.microsoft.Gelu',
  'com.microsoft.FastGelu',
]);
const broadcasting = new Set(['Unsqueeze', 'Expand', 'Reshape', 'Tile', 'Transpose']);

/** Query and key terms of scores that are a projection of their activated sum, each spread over the other's positions. */
function additiveTerms(index: GraphIndex, tensor: string): readonly [string, string] | undefined {
  let name = tensor;
  let isActivated = false;
  for (let i = 0; i < 8; i++) {
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const { opType, inputs } = index.nodes[node];
    if (activations.has(operatorOf(index, node))) {
      isActivated ||= opType !== 'Cast' && opType !== 'Identity' && opType !== 'Dropout';
      name = inputs[0];
      continue;
    }
    if (opType !== 'Add' || inputs.length !== 2) return undefined;
    const weight = inputs.findIndex((input) => index.weight(input) !== undefined);
    if (weight >= 0) {
      name = inputs[1 - weight]; // a bias
      continue;
    }
    const isSpread = (input: string): boolean => {
      const maker = index.producer(input);
      return maker !== undefined && broadcasting.has(index.nodes[maker].opType);
    };
    return isActivated && inputs.some(isSpread) ? [inputs[0], inputs[1]] : undefined;
  }
  return undefined;
}

/** Operators behind which the weights are the same numbers in the same order. */
const stripped = new Set([...converting, ...roundingOfBoth, 'DynamicQuantizeLinear']);

/** The site of a product, and which step of its path makes its weights. */
function toSite(
  index: GraphIndex,
  product: Product,
  position: number,
  path: ScorePath,
): { readonly site: FoundSite; readonly tap: number } | undefined {
  const { steps, normalizerAt, normalizer } = path;
  if (product.isFirstMoved[position]) return undefined; // no tool is known to write weights so
  const { at, axes } = path.summed === undefined ? findTap(index, product, position, path) : tapOf(path.summed);
  if (axes === undefined) return undefined;
  const tap = steps[at];
  const maker = tap.node ?? product.node;
  const isDivided = isNormalized(index, steps.slice(0, normalizerAt + 1), normalizer);
  // Scores that are a quantised operator's result are numbers only together with their scale.
  const isQuantized = operatorOf(index, maker).includes('.QLinear');
  const made = isQuantized
    ? dequantize(index.nodes[maker], tap.tensor, `${tap.tensor}/dequantized`)
    : { tensor: tap.tensor, suffix: undefined };
  const chain = steps
    .slice(at)
    .flatMap((step) =>
      step.node === undefined || index.nodes[step.node].opType === 'If' ? [] : [index.nodes[step.node].opType],
    )
    .reverse();
  const site: FoundSite = {
    node: product.node,
    method: !isDivided ? 'derived' : isQuantized ? 'rebuilt' : 'exposed',
    normalizer,
    rowSum: isDivided ? rowSum(index, steps.slice(at, normalizerAt + 1), steps[normalizerAt], normalizer) : 'one',
    ...made,
    needs: isQuantized ? [tap.tensor, ...index.nodes[maker].inputs] : [tap.tensor],
    isUndivided: !isDivided,
    ...axes,
    queries: path.queries,
    keys: path.keys,
    values: product.operands[position === 0 ? 1 : 0],
    namedBy: steps[normalizerAt].node ?? product.node,
    chain,
    numHeads: undefined,
    numKeyValueHeads: undefined,
    notes: notesOf(index, path),
    ...(path.isLearned ? { hasLearnedQueries: true } : {}),
  };
  return { site, tap: at };
}

/** The axes of positions in a tensor of weights. */
type WeightAxes = Pick<FoundSite, 'queryAxis' | 'keyAxis'>;

const tapOf = ({ at, queryAxis, keyAxis }: SummedValues): ReturnType<typeof findTap> => ({
  at,
  axes: { queryAxis, keyAxis },
});

/** The step whose tensor is tapped, as far from the product as only the last two axes are turned on the way, and which axes are those of positions there. */
function findTap(
  index: GraphIndex,
  product: Product,
  position: number,
  { steps, normalizerAt }: ScorePath,
): { readonly at: number; readonly axes: WeightAxes | undefined } {
  const isPlain = product.equation === undefined;
  let isSwapped = (position === 1) !== product.isTransposed[position];
  let at = 0;
  for (; at < normalizerAt; at++) {
    const { node } = steps[at];
    if (node === undefined) break;
    const operator = operatorOf(index, node);
    if (stripped.has(operator)) continue;
    // Within a loop, and of an equation, the axes are those of the product's own operand.
    if (index.outer !== undefined || !isPlain) break;
    if (operator === 'Transpose' && isLastTwoSwap(index.attributes(node).get('perm')?.integers)) isSwapped = !isSwapped;
    else if (!reshaping.includes(operator) || hasMoreAxes(index, node, steps[at + 1].tensor)) break;
  }
  if (index.nodes[product.node].opType === 'ReduceSum') {
    const keyAxis = reducedAxis(index, product.node);
    return { at, axes: keyAxis === undefined ? undefined : { queryAxis: 0, keyAxis } };
  }
  if (!isPlain) return { at, axes: einsumAxes(index, product, position) };
  return { at, axes: isSwapped ? { queryAxis: -1, keyAxis: -2 } : { queryAxis: -2, keyAxis: -1 } };
}

/**
 * Whether a reshape gives axes apart that were one: what a softmax over a flattened matrix, or one of all heads' rows, is brought back to;
 * or one that may have added an axis of the matrix, of one query.
 */
function hasMoreAxes(index: GraphIndex, node: number, before: string): boolean {
  const { opType, outputs } = index.nodes[node];
  const [rank, former] = [rankOf(index, outputs[0]), rankOf(index, before)];
  return former === undefined ? opType === 'Unsqueeze' : former <= 2 || (rank !== undefined && rank > former);
}

/** In an Einsum the key is what the product sums over, the query what only the weights bring to the result. */
function einsumAxes(index: GraphIndex, product: Product, position: number): WeightAxes {
  const { operands, result } = product.equation ?? { operands: [], result: '' };
  const letters = [...operands[position].replace('...', '')];
  const others = operands.filter((_, i) => i !== position).join('');
  const axis = (letter: string | undefined): number =>
    letter === undefined ? 0 : letters.indexOf(letter) - letters.length;
  const key = letters.findLast((letter) => !result.includes(letter));
  const query = letters.findLast((letter) => letter !== key && result.includes(letter) && !others.includes(letter));
  return { queryAxis: axis(query) || (index.outer === undefined ? -2 : 0), keyAxis: axis(key) || -1 };
}

/** Whether an exponential on a path has been divided by its sum before the values are weighted. */
function isNormalized(index: GraphIndex, after: readonly Step[], normalizer: Normalizer): boolean {
  if (normalizer !== 'exponential') return true;
  return after.slice(0, -1).some((step) => {
    if (step.node === undefined) return false;
    const operator = operatorOf(index, step.node);
    return (
      operator === 'Div' ||
      (operator === 'Mul' &&
        carriedInputs(index, step.node).some(
          (input) => index.nodes[index.producer(input) ?? -1]?.opType === 'Reciprocal',
        ))
    );
  });
}

/** Operators that mix heads, where they are on a path. */
const mixing = new Set(['MatMul', 'Gemm', 'Einsum', 'Conv', 'ReduceMean', 'ReduceSum']);

/** Operators that take a part of rows, multiply them, or make other numbers of them. */
const parting = new Set(['Slice', 'Split', 'Gather']);
const scaling = new Set(['Mul', 'Div']);
const changing = new Set([...mixing, ...scaling, 'Add', 'Sub', 'Concat']);

function rowSum(index: GraphIndex, after: readonly Step[], normalized: Step, normalizer: Normalizer): RowSum {
  if (normalizer === 'sigmoid' || normalizer === 'relu' || normalizer === 'power') return 'any';
  const operators = after
    .slice(0, -1)
    .flatMap((step) => (step.node === undefined ? [] : [index.nodes[step.node].opType]));
  let numDivisions = normalizer === 'exponential' ? 1 : 0;
  let result: RowSum = 'one';
  for (const operator of operators) {
    if (parting.has(operator)) result = 'atMostOne';
    else if (scaling.has(operator) && numDivisions > 0) numDivisions--;
    else if (changing.has(operator)) return 'any';
  }
  const isOfMore = normalizer === 'exponential' && normalized.node !== undefined && isAddedTo(index, normalized.node);
  return isOfMore ? 'atMostOne' : result;
}

/** Whether something is added to the sum of an exponential's rows: exp(s) / (1 + Σ exp(s)). */
function isAddedTo(index: GraphIndex, exponential: number): boolean {
  const sum = sumOf(index, index.nodes[exponential].outputs[0], 2);
  return (
    sum !== undefined &&
    index.consumers(index.nodes[sum].outputs[0]).some((consumer) => index.nodes[consumer].opType === 'Add')
  );
}

function notesOf(index: GraphIndex, { steps, normalizerAt, isAdditive, isLearned }: ScorePath): string[] {
  const notes: string[] = [];
  const before = steps
    .slice(normalizerAt + 1)
    .flatMap((step) => (step.node === undefined ? [] : [index.nodes[step.node].opType]));
  const after = steps
    .slice(0, normalizerAt)
    .flatMap((step) => (step.node === undefined ? [] : [index.nodes[step.node].opType]));
  if (isAdditive) notes.push('additive scores');
  if (isLearned) notes.push('queries that the model has learned');
  if ([...before.slice(0, -1), ...after].some((operator) => mixing.has(operator)))
    notes.push('heads are mixed with one another');
  if (before.includes('Tanh')) notes.push('soft-capped scores');
  if (before.includes('Concat') && after.includes('Slice')) notes.push('a sink logit takes part of each row');
  return notes;
}
