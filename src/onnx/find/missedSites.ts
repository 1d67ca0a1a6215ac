import { axesOf } from '../follow/axisInference';
import { missedAt, refused, type NoAttention, type Refusal } from './definition';
import { bodiesOf, type Body, type GraphIndex } from '../graph/graphIndex';
import { innerProduct } from '../follow/innerProduct';
import type { OnnxModel } from '../file/onnxModel';
import { activationProduct, operatorOf } from '../follow/products';
import { readSubgraph } from '../file/readModel';
import type { FoundSite, MissedSite } from '../name/site';
import { carriedInputs, rearranging, walkBack } from '../follow/trace';
import { unrolledStates } from '../follow/unrolledStates';

/** Softmax nodes by what becomes of them where they are no attention: told apart by where their values go. */
const choosing = new Set(['TopK', 'ArgMax', 'Multinomial']);

/** Layers that mix positions without a matrix of weights, each with the reason why there is none to draw. */
const otherMixers = new Map([
  ...['LSTM', 'GRU', 'RNN', 'com.microsoft.DynamicQuantizeLSTM', 'com.microsoft.AttnLSTM'].map(
    (name): [string, string] => [
      name,
      'it is recurrent: what was read is carried on in a state, and no matrix of weights exists',
    ],
  ),
  ...['CausalConvWithState', 'com.microsoft.CausalConvWithState', 'com.microsoft.VarlenCausalConvWithState'].map(
    (name): [string, string] => [
      name,
      'it mixes each position with the few before it by fixed weights of a kernel, whatever they hold',
    ],
  ),
  [
    'GridSample',
    'it samples at places that the model computes (deformable attention, or a picture that is warped): no matrix of queries and keys exists',
  ],
  [
    'DeformConv',
    'it samples at places that the model computes (a deformable kernel): no matrix of queries and keys exists',
  ],
]);

/** What of a graph is known when the rest is told. */
interface KnownOfMissed {
  readonly known: readonly MissedSite[];
  /** Why normalisers of products with a weight are none of an attention's, by their nodes. */
  readonly unasked?: ReadonlyMap<number, NoAttention>;
  /** Nodes whose bodies were looked into, which are left out. */
  readonly lookedInto?: ReadonlySet<number>;
}

/** What looks like attention and was not extracted, each with its reason. */
export function findMissedSites(
  index: GraphIndex,
  sites: readonly FoundSite[],
  { known, unasked = new Map(), lookedInto = new Set() }: KnownOfMissed,
): MissedSite[] {
  const explained = new Set(known.map((missed) => missed.node));
  const missed: MissedSite[] = [];
  const used = normalizersOf(index, sites);
  const say = (node: number, said: Refusal): void => {
    missed.push(missedAt(index, node, said));
  };
  const taken = new Set(sites.map((site) => site.node));
  index.nodes.forEach((node, at) => {
    if (explained.has(at)) return;
    const operator = operatorOf(index, at);
    if (
      (operator === 'Softmax' ||
        operator === 'com.microsoft.QLinearSoftmax' ||
        operator === 'com.microsoft.BiasSoftmax') &&
      !used.has(at)
    )
      say(at, softmaxReason(index, at, unasked.get(at)));
    else if (otherMixers.has(operator)) say(at, { reason: otherMixers.get(operator) ?? '', isOther: true });
    else if (!taken.has(at)) {
      const reason = tripleProductReason(index, at, taken);
      if (reason !== undefined) say(at, { reason });
    }
    if (lookedInto.has(at)) return;
    const numInside = bodiesOf(index.model, node).reduce((sum, body) => sum + countSoftmax(index.model, body, 1), 0);
    if (numInside > 0)
      say(at, {
        reason: `${numInside} softmax ${numInside === 1 ? 'is' : 'are'} inside a ${node.opType} body, whose tensors cannot be made outputs`,
      });
  });
  if (index.outer !== undefined) return missed;
  for (const { node, path, numSteps } of unrolledStates(index))
    missed.push({
      node,
      path,
      operator: index.nodes[node].opType,
      reason: `a recurrent layer, written out for ${numSteps} positions: what was read is a state that every position changes, so no matrix of weights exists`,
      isOther: true,
    });
  for (const defined of index.model.functions) {
    const numInside = defined.nodes.filter((node) => node.opType === 'Softmax' || node.opType === 'Attention').length;
    if (numInside > 0)
      missed.push({
        node: undefined,
        path: `${defined.domain}.${defined.name}`,
        operator: defined.name,
        reason: 'it is inside a function that the model defines in another version of the operators',
      });
  }
  return missed;
}

function normalizersOf(index: GraphIndex, sites: readonly FoundSite[]): ReadonlySet<number> {
  const used = new Set<number>();
  for (const site of sites) {
    used.add(site.namedBy);
    for (const operand of activationProduct(index, site.node)?.operands ?? []) {
      walkBack(index, operand, (step) => {
        if (
          step.node !== undefined &&
          step.normalizer === undefined &&
          operatorOf(index, step.node).endsWith('Softmax')
        )
          used.add(step.node);
        return step.normalizer !== undefined;
      });
    }
  }
  return used;
}

function softmaxReason(index: GraphIndex, node: number, unasked: NoAttention | undefined): Refusal {
  const outputs = new Set(index.graph.outputs.map((output) => output.name));
  const seen = new Set<string>();
  const pending = [...index.nodes[node].outputs];
  for (let tensor = pending.pop(); tensor !== undefined && seen.size < 200; tensor = pending.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    if (outputs.has(tensor))
      return {
        reason:
          index.outer === undefined
            ? 'its result is an output of the model, not a weighting of values'
            : 'its result leaves the loop, it weights no values there',
        isOther: true,
      };
    for (const consumer of index.consumers(tensor)) {
      const operator = operatorOf(index, consumer);
      if (choosing.has(operator))
        return { reason: 'it chooses among alternatives (a router), it does not weight positions', isOther: true };
      if (operator === 'Pad')
        return {
          reason:
            'its weights lie in bands around each position (a sliding window), not in a matrix of queries and keys',
        };
      if (rearranging.has(operator) || operator === 'Where' || operator === 'Mul' || operator === 'ScatterND')
        pending.push(...index.nodes[consumer].outputs.slice(0, 4));
    }
  }
  if (
    index.outer === undefined &&
    axesOf(index, index.nodes[node].outputs[0])?.at(axisOf(index, node))?.kind === 'alternative'
  )
    return {
      reason:
        'it weighs alternatives that a weight scores (a router, or the kernel of a convolution), it does not weight positions',
      isOther: true,
    };
  return unasked === undefined
    ? { reason: 'the way from its result to a product with values is not one that is known' }
    : refused(unasked);
}

/** The axis that a softmax works along. */
function axisOf(index: GraphIndex, node: number): number {
  return index.integerAttribute(node, 'axis') ?? ((index.model.opsets.get('') ?? 1) < 13 ? 1 : -1);
}

/** Why a product of three activations is no attention that is drawn; undefined for other nodes. */
function tripleProductReason(index: GraphIndex, node: number, taken: ReadonlySet<number>): string | undefined {
  const product = activationProduct(index, node);
  if (product === undefined || index.nodes[node].opType === 'ReduceSum') return undefined;
  const position = product.operands.findIndex((operand) => {
    const inner = innerProduct(index, operand)?.product;
    return inner !== undefined && !taken.has(inner.node);
  });
  if (position < 0)
    return product.operands.some((operand) => isMasked(index, operand, taken)) ? unnormalized : undefined;
  return position === 0
    ? unnormalized
    : 'linear attention: keys and values are multiplied first, so no matrix of weights exists in the graph';
}

/** Whether an operand is scores between positions, as they are but for a mask or a decay that they are multiplied by (RetNet's retention). */
function isMasked(index: GraphIndex, operand: string, taken: ReadonlySet<number>): boolean {
  let tensors = [operand];
  for (let i = 0; i < 4; i++) {
    for (const tensor of tensors) {
      const node = index.producer(tensor);
      if (i === 0 || node === undefined || index.nodes[node].opType === 'ReduceSum' || taken.has(node)) continue;
      if (activationProduct(index, node) === undefined) continue;
      const axes = axesOf(index, tensor);
      return axes?.at(-1)?.kind === 'position' && axes.at(-2)?.kind === 'position';
    }
    tensors = tensors.flatMap((tensor) => {
      const node = index.producer(tensor);
      return node !== undefined && masking.has(operatorOf(index, node)) ? carriedInputs(index, node) : [];
    });
  }
  return false;
}

const masking = new Set(['Mul', 'Where', 'Cast', 'Div']);
const unnormalized = 'scores weight values without any normalisation between';

function countSoftmax(model: OnnxModel, within: Body, depth: number): number {
  const body = readSubgraph(model, within, depth);
  return body.nodes.reduce(
    (sum, node) =>
      sum +
      (node.opType === 'Softmax' ? 1 : 0) +
      bodiesOf(model, node).reduce((inner, each) => inner + countSoftmax(model, each, depth + 1), 0),
    0,
  );
}
