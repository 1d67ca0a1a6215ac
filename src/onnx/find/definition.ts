import type { Axis } from '../follow/axes';
import { axesOf } from '../follow/axisInference';
import { isOfKeys } from '../follow/origin';
import { operatorOf } from '../follow/products';
import { isLastTwoSwap, type Step } from '../follow/trace';
import type { GraphIndex } from '../graph/graphIndex';
import { pathOfNode } from '../graph/nodePath';
import type { FoundSite, MissedSite } from '../name/site';
import type { LearnedScores } from './learnedQueries';

/**
 * What makes a product an attention, in whatever form it is found: written out, additive, linear, inside an operator, in a loop.
 *
 * 1. What is normalised is indexed by a position that asks and a position that is read, of token streams (words, patches, frames, variables of a
 *    series): neither of the two axes counts features, nor alternatives that a weight scores, and what is read are not the items of a batch.
 * 2. The result is summed over the positions that are read, and over nothing else.
 * 3. What is summed is an activation. A weight, and the part of one that a router gathers, slices or mixes (an expert's matrix), is a weight in
 *    a product: {@link activationProduct} passes over it.
 * 4. Queries are activations too, or what the model has learned; then the values must be of the stream of the keys, and the scores be normalised in no other way.
 *
 * All finders go through the functions here, which give a reason where it does not hold. They go by shapes, symbolic ones where a length is open. An axis
 * of which these tell nothing passes as `isUntold`: its site is checked by the reader of a run (`src/engine/stages/siteReader.ts`) and, before a text is first
 * read, by a run of another length (`src/engine/session/positionProofs.ts`).
 */
export const noAttention = {
  keysAreFeatures: 'it weights features, not positions',
  queriesAreFeatures: 'its rows are features, not positions',
  sumsOthers:
    'it sums over something else than the positions that its weight scores (experts, features), so it weights no keys',
  valuesAreOthers: 'a weight scores one stream, and values of another are weighted by that',
  keysAreItems:
    'its keys are the items of a batch (texts or pictures beside one another), not positions of one of them',
  normalizedTwice:
    'its scores are normalised the other way too: positions are handed to experts and taken back from them',
} as const;

export type NoAttention = (typeof noAttention)[keyof typeof noAttention];

/** Why something is no attention that is drawn. */
export type Refusal = Pick<MissedSite, 'reason' | 'isOther'>;

/** What is said of a node that is no attention that is drawn. */
export function missedAt(
  index: GraphIndex,
  node: number,
  said: Refusal,
  operator = index.nodes[node].opType,
): MissedSite {
  return { node, path: pathOfNode(index, node) ?? index.nodes[node].outputs[0] ?? '', operator, ...said };
}

/** An axis of a tensor, counted from the end; 0 where there is none. */
export interface AxisOf {
  readonly tensor: string;
  readonly axis: number;
}

/** Where it shows what the queries and the keys of a site count. */
export interface SiteAxes {
  readonly query: AxisOf;
  readonly key: AxisOf;
  /** Whether the queries are the model's own: they count what a weight has. */
  readonly isLearned?: boolean;
  /** Whether one of the axes is a weight's own, which may count anything. */
  readonly isOfWeights?: () => boolean;
}

/** A site whose weights may be attention by what their axes count (1), told where shapes leave that open; else why they are none. */
export function withPositions(index: GraphIndex, site: FoundSite, axes: SiteAxes): FoundSite | Refusal {
  const { isLearned = false } = axes;
  const [ofQueries, ofKeys] = [axes.query, axes.key].map((of) => axisOf(index, of));
  const reason = whyNoPositions(ofQueries, ofKeys, isLearned);
  if (reason !== undefined && axes.isOfWeights?.() !== true) return refused(reason);
  const isTold = ofKeys?.kind === 'position' && (isLearned || ofQueries?.kind === 'position');
  return isTold ? site : { ...site, isUntold: true };
}

function whyNoPositions(
  ofQueries: Axis | undefined,
  ofKeys: Axis | undefined,
  isLearned: boolean,
): NoAttention | undefined {
  // A softmax makes alternatives of features.
  const isFeature = (axis: Axis | undefined): boolean => axis?.kind === 'feature' || axis?.kind === 'alternative';
  if (isFeature(ofKeys)) return noAttention.keysAreFeatures;
  // Of one item an export may make a constant.
  if (ofKeys?.isOfItems === true || (ofKeys?.size === 1 && ofQueries?.isOfItems === true))
    return noAttention.keysAreItems;
  return !isLearned && isFeature(ofQueries) ? noAttention.queriesAreFeatures : undefined;
}

const axisOf = (index: GraphIndex, { tensor, axis }: AxisOf): Axis | undefined =>
  axis === 0 ? undefined : axesOf(index, tensor)?.at(axis);

/**
 * Why a normalised product of a weight with an activation is no attention (2, 4): what is summed must be the keys' axis, not the weight's own
 * (the experts that a router weighs), and the values must be of the keys' stream.
 * @param steps the way from the operand of the product with the values back to the scores.
 * @param summed the axis of that operand that the product sums over, counted from the end.
 */
export function whyNotAsked(
  index: GraphIndex,
  { keys, keyAxis }: LearnedScores,
  { steps, summed, values }: { readonly steps: readonly Step[]; readonly summed: number; readonly values: string },
): NoAttention | undefined {
  const made = steps[steps.length - 1].tensor;
  return whyNotOfKeys(index, {
    keys,
    made,
    values,
    isSummed: isSummedOver(index, { made, keyAxis }, { steps, summed }),
  });
}

/** Whether what is summed over is the keys' axis of scores. */
function isSummedOver(
  index: GraphIndex,
  { made, keyAxis }: { readonly made: string; readonly keyAxis: number },
  { steps, summed }: { readonly steps: readonly Step[]; readonly summed: number },
): boolean {
  const scores = axesOf(index, made);
  const over = axesOf(index, steps[0].tensor)?.at(summed);
  const key = scores?.at(keyAxis);
  if (over !== undefined && over === key) return true;
  return over !== undefined && isOther(scores, over, key) ? false : turned(index, steps, keyAxis) === summed;
}

/**
 * Why scores that a weight gives keys are none of an attention to these values (2, 4).
 * @param read `made` are the scores, `isSummed` says whether the sum is over the keys.
 */
export function whyNotOfKeys(
  index: GraphIndex,
  {
    keys,
    made,
    values,
    isSummed,
  }: { readonly keys: string; readonly made: string; readonly values: string; readonly isSummed: boolean },
): NoAttention | undefined {
  if (!isSummed) return noAttention.sumsOthers;
  if (!isOfKeys(index, keys, values)) return noAttention.valuesAreOthers;
  return isAlsoRouter(index, made) ? noAttention.normalizedTwice : undefined;
}

/**
 * Whether a reason says that something is surely else than attention: of values of another stream that is not sure, and items of a batch
 * are attended to, though nothing of one text or picture is.
 */
export function refused(reason: NoAttention): Refusal {
  return reason === noAttention.valuesAreOthers || reason === noAttention.keysAreItems
    ? { reason }
    : { reason, isOther: true };
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
