import type { GraphIndex } from '../graph/graphIndex';
import { missedAt, withPositions, type AxisOf, type SiteAxes } from './definition';
import { maskForMultiHead } from './fusedMask';
import { rankOf } from '../follow/axisInference';
import { isOfWeights } from '../follow/positionShapes';
import { operatorOf } from '../follow/products';
import type { FoundSite, MissedSite, RowSum, WeightedValues } from '../name/site';
import { floatTypeOf } from '../graph/tensorFacts';
import { SuffixBuilder } from './suffixNodes';

/** Operators that compute attention inside themselves and cannot be asked for it, each with the reason. */
const refused = new Map([
  ['com.microsoft.SparseAttention', 'block-sparse attention does not give its weights'],
  [
    'com.microsoft.PagedAttention',
    'paged attention does not give its weights, and the runtime has no such operator for the processor',
  ],
  ['com.microsoft.PackedAttention', 'the runtime has no such operator for the processor'],
  ['com.microsoft.PackedMultiHeadAttention', 'the runtime has no such operator for the processor'],
  ['com.microsoft.LongformerAttention', 'the runtime has no such operator for the processor'],
  ['com.microsoft.DecoderAttention', 'the runtime has no such operator for the processor'],
  ['com.microsoft.DecoderMaskedSelfAttention', 'the runtime has no such operator for the processor'],
  ['com.microsoft.QOrderedAttention', 'the runtime has no such operator for the processor'],
  ['com.microsoft.LinearAttention', 'linear attention: no matrix of weights exists'],
  ['LinearAttention', 'linear attention: no matrix of weights exists'],
  ['com.microsoft.GatedDeltaNet', 'linear attention: no matrix of weights exists'],
]);

type Recipe = (index: GraphIndex, node: number) => FoundSite | string;

const recipes = new Map<string, Recipe>([
  ['Attention', standardAttention],
  ['com.microsoft.GroupQueryAttention', groupQueryAttention],
  ['com.microsoft.MultiHeadAttention', multiHeadAttention],
  ['com.microsoft.DecoderMaskedMultiHeadAttention', decoderMaskedAttention],
  ['com.microsoft.Attention', packedAttention],
  ['com.microsoft.QAttention', quantizedAttention],
]);

/** Finds operators that compute attention inside themselves; each is asked for its weights in a copy beside the original. */
export function findFusedSites(index: GraphIndex): {
  readonly sites: readonly FoundSite[];
  readonly missed: readonly MissedSite[];
} {
  const sites: FoundSite[] = [];
  const missed: MissedSite[] = [];
  index.nodes.forEach((_, node) => {
    const operator = operatorOf(index, node);
    const made = recipes.get(operator)?.(index, node) ?? refused.get(operator);
    if (made === undefined) return;
    const found = typeof made === 'string' ? { reason: made } : withPositions(index, made, axesOfSite(index, made));
    if ('reason' in found) missed.push(missedAt(index, node, found, operator));
    else sites.push(found);
  });
  return { sites, missed };
}

/** The axes of an operator's queries and keys: [item, position, feature] or [item, head, position, feature]; it may be given features in place of positions, as for attention between channels. */
function axesOfSite(index: GraphIndex, { queries, keys }: FoundSite): SiteAxes {
  const axisOf = (tensor: string): AxisOf => ({
    tensor,
    axis: [3, 4].includes(rankOf(index, tensor) ?? 0) ? -2 : 0,
  });
  return {
    query: axisOf(queries),
    key: axisOf(keys),
    // Queries, or a memory, that the model has learned.
    isOfWeights: () => isOfWeights(index, queries) || isOfWeights(index, keys),
  };
}

/** What all recipes say alike: rank-4 weights [batch, head, query, key]. */
function fusedSite(
  index: GraphIndex,
  node: number,
  site: Pick<FoundSite, 'method' | 'tensor' | 'suffix'> & Partial<FoundSite>,
): FoundSite {
  const { inputs } = index.nodes[node];
  return {
    node,
    normalizer: 'softmax',
    rowSum: 'one',
    needs: inputs.filter((input) => input !== ''),
    isUndivided: false,
    queryAxis: -2,
    keyAxis: -1,
    queries: inputs[0] ?? '',
    keys: inputs[1] || (inputs[0] ?? ''),
    values: inputs[2] || inputs[1] || (inputs[0] ?? ''),
    namedBy: node,
    chain: [],
    numHeads: index.integerAttribute(node, 'num_heads'),
    numKeyValueHeads: undefined,
    notes: [],
    ...site,
  };
}

/** Values that an operator is given with all heads side by side, or each by itself; where it hands on what it read, that is what it weighted. */
function weightedBy(
  index: GraphIndex,
  node: number,
  {
    values,
    numHeads,
    hasBias = false,
  }: { readonly values: string; readonly numHeads: number | undefined; readonly hasBias?: boolean },
): Pick<FoundSite, 'weighted'> {
  const [result = '', , present = ''] = index.nodes[node].outputs;
  if (present !== '')
    return {
      weighted: {
        values: present,
        layout: 'plain',
        numValueHeads: undefined,
        from: 0,
        result,
        resultLayout: 'merged',
        hasBias: false,
      },
    };
  return values === '' || numHeads === undefined
    ? {}
    : {
        weighted: {
          values,
          layout: 'merged',
          numValueHeads: numHeads,
          from: 0,
          result,
          resultLayout: 'merged',
          hasBias,
        },
      };
}

const has = (inputs: readonly string[], position: number): boolean => (inputs[position] ?? '') !== '';

/** ai.onnx Attention: mode 3 of its fourth output is what comes after the softmax, in every version of the operator. */
function standardAttention(index: GraphIndex, node: number): FoundSite | string {
  const { inputs, outputs } = index.nodes[node];
  const afterSoftmax = 3;
  const notes = [...(index.integerAttribute(node, 'is_causal') === 1 ? ['causal'] : []), ...softCap(index, node)];
  const heads = {
    numHeads: index.integerAttribute(node, 'q_num_heads'),
    numKeyValueHeads: index.integerAttribute(node, 'kv_num_heads'),
  };
  // Without numbers of heads its tensors have an axis of heads.
  const weighted =
    heads.numHeads === undefined
      ? {
          weighted: {
            values: outputs[2] || (inputs[2] ?? ''),
            layout: 'plain',
            numValueHeads: undefined,
            from: 0,
            result: outputs[0] ?? '',
            resultLayout: 'plain',
            hasBias: false,
          } as const,
        }
      : weightedBy(index, node, { values: inputs[2] ?? '', numHeads: heads.numKeyValueHeads });
  const suffix = new SuffixBuilder(index, node);
  if (has(outputs, 3) && index.integerAttribute(node, 'qk_matmul_output_mode') === afterSoftmax)
    return {
      ...fusedSite(index, node, {
        method: 'exposed',
        tensor: outputs[3],
        suffix: undefined,
        ...heads,
        notes,
        ...weighted,
      }),
      needs: [outputs[3]],
    };
  const weights = suffix.name('weights');
  // With a cache, the operator insists on giving the new one.
  const present = has(inputs, 4) ? [suffix.name('key'), suffix.name('value')] : ['', ''];
  suffix.copy(node, inputs, [suffix.name('result'), ...present, weights], {
    attributes: { qk_matmul_output_mode: { integer: afterSoftmax } },
  });
  return fusedSite(index, node, {
    method: 'probed',
    tensor: weights,
    suffix: suffix.build(),
    ...heads,
    notes,
    ...weighted,
  });
}

function groupQueryAttention(index: GraphIndex, node: number): FoundSite | string {
  const { inputs } = index.nodes[node];
  if (index.integerAttribute(node, 'sliding_window_cache') === 1)
    return 'its cache slides, and then it does not give its weights';
  if (has(inputs, 14) || has(inputs, 15))
    return 'it normalises queries and keys inside itself, which the runtime does not do on the processor';
  const afterSoftmax = 2;
  const suffix = new SuffixBuilder(index, node);
  const weights = suffix.name('weights');
  suffix.copy(node, inputs, [suffix.name('result'), suffix.name('key'), suffix.name('value'), weights], {
    attributes: { qk_output: { integer: afterSoftmax } },
  });
  const hasSink = has(inputs, 11) || index.integerAttribute(node, 'smooth_softmax') === 1;
  const rowSum: RowSum = hasSink ? 'atMostOne' : 'one';
  const numKeyValueHeads = index.integerAttribute(node, 'kv_num_heads');
  const window = index.integerAttribute(node, 'local_window_size') ?? -1;
  const notes = [
    ...(window > 0 ? [`window of ${window} positions`] : []),
    ...softCap(index, node),
    ...(index.integerAttribute(node, 'do_rotary') === 1 ? ['rotary positions'] : []),
    ...(hasSink ? ['a sink takes part of each row'] : []),
  ];
  return fusedSite(index, node, {
    method: 'probed',
    tensor: weights,
    suffix: suffix.build(),
    rowSum,
    numKeyValueHeads,
    notes,
    ...weightedBy(index, node, { values: inputs[2] ?? '', numHeads: numKeyValueHeads }),
  });
}

function softCap(index: GraphIndex, node: number): string[] {
  const cap = index.attributes(node).get('softcap')?.float ?? 0;
  return cap > 0 ? [`scores capped at ±${Number(cap.toPrecision(6))}`] : [];
}

/**
 * MultiHeadAttention gives its masked, scaled scores; a softmax makes them the weights. A cache that is given and not handed on is
 * one that the runtime does not read, without a word (1.30, processor): its copy is not given it either.
 */
function multiHeadAttention(index: GraphIndex, node: number): FoundSite | string {
  const { inputs, outputs } = index.nodes[node];
  const suffix = new SuffixBuilder(index, node);
  const scores = suffix.name('scores');
  const hasPast = has(inputs, 6) || has(inputs, 7);
  const isHandedOn = has(outputs, 1) && has(outputs, 2);
  if (hasPast && !isHandedOn) {
    if (has(outputs, 1) || has(outputs, 2))
      return 'it hands on only one of keys and values, and then the runtime does not read the others';
    if (has(inputs, 4) || has(inputs, 5))
      return 'it is given keys of before and does not hand them on: the runtime then reads the new keys alone, and takes a mask that is made for all of them';
  }
  // Fed a cache without naming the new one, the operator gives wrong scores.
  const present = hasPast && isHandedOn ? [suffix.name('key'), suffix.name('value')] : ['', ''];
  const read = hasPast && !isHandedOn ? inputs.slice(0, 4) : inputs;
  suffix.copy(node, read, [suffix.name('result'), ...present, scores]);
  const notes =
    hasPast && !isHandedOn ? ['keys of before are given and not handed on: the runtime reads the new ones alone'] : [];
  return {
    ...fusedSite(index, node, {
      method: 'probed',
      ...weightsOfScores(suffix, scores, floatTypeOf(index, inputs[0])),
      notes,
      ...(has(inputs, 2)
        ? weightedBy(index, node, {
            values: inputs[2],
            numHeads: index.integerAttribute(node, 'num_heads'),
            hasBias: has(inputs, 3),
          })
        : {}),
    }),
    needs: read.filter((input) => input !== ''),
  };
}

function decoderMaskedAttention(index: GraphIndex, node: number): FoundSite | string {
  const { inputs } = index.nodes[node];
  if (has(inputs, 3)) return 'it gives its scores only without a mask';
  const suffix = new SuffixBuilder(index, node);
  const scores = suffix.name('scores');
  suffix.copy(node, inputs, [suffix.name('result'), suffix.name('key'), suffix.name('value'), scores], {
    attributes: { output_qk: { integer: 1 } },
  });
  return fusedSite(index, node, {
    method: 'probed',
    ...weightsOfScores(suffix, scores, floatTypeOf(index, inputs[0])),
  });
}

/** The weights that a softmax makes of scores. The operator's schema does not tell the scores' type, so it is stated; their rank is four. */
function weightsOfScores(suffix: SuffixBuilder, scores: string, type: number): Pick<FoundSite, 'tensor' | 'suffix'> {
  suffix.declare(scores, type);
  const weights = suffix.name('weights');
  suffix.add('Softmax', [scores], [weights], { axis: { integer: 3 } });
  return { tensor: weights, suffix: suffix.build() };
}

/** com.microsoft Attention projects by itself: its queries, keys and values are made anew and given to MultiHeadAttention. */
function packedAttention(index: GraphIndex, node: number): FoundSite | string {
  const [input, weight, bias, mask, past, attentionBias, pastLength] = index.nodes[node].inputs;
  if (pastLength) return 'its cache shares a buffer with the result, and then its weights cannot be made anew';
  if (index.integerAttribute(node, 'do_rotary') === 1)
    return 'it rotates positions inside itself, which the runtime does not do on the processor';
  return rebuiltAttention(index, node, new SuffixBuilder(index, node), {
    input,
    weight,
    bias,
    mask,
    past,
    attentionBias,
  });
}

function quantizedAttention(index: GraphIndex, node: number): FoundSite | string {
  const [input, weight, bias, inputScale, weightScale, mask, inputZero, weightZero, past] = index.nodes[node].inputs;
  if (index.integerAttribute(node, 'do_rotary') === 1)
    return 'it rotates positions inside itself, which the runtime does not do on the processor';
  const suffix = new SuffixBuilder(index, node);
  const numbers = 'com.microsoft.DequantizeLinear';
  return rebuiltAttention(index, node, suffix, {
    input: suffix.tensor(numbers, [input, inputScale, ...(inputZero ? [inputZero] : [])], 'input'),
    weight: suffix.tensor(numbers, [weight, weightScale, ...(weightZero ? [weightZero] : [])], 'weight', {
      axis: { integer: 1 },
    }),
    bias,
    mask,
    past,
    attentionBias: undefined,
  });
}

interface PackedInputs {
  readonly input: string;
  readonly weight: string;
  readonly bias: string | undefined;
  readonly mask: string | undefined;
  readonly past: string | undefined;
  readonly attentionBias: string | undefined;
}

/** MatMul, Add and Split make queries, keys and values as the operator does; `past` holds keys and values in its first axis. */
function rebuiltAttention(
  index: GraphIndex,
  node: number,
  suffix: SuffixBuilder,
  { input, weight, bias, mask, past, attentionBias }: PackedInputs,
): FoundSite {
  let projected = suffix.tensor('MatMul', [input, weight], 'projected');
  if (bias) projected = suffix.tensor('Add', [projected, bias], 'biased');
  const parts = ['query', 'keys', 'values'].map((part) => suffix.name(part));
  suffix.split(projected, parts, index.attributes(node).get('qkv_hidden_sizes')?.integers);
  const cacheOf = (part: string, at: number): string =>
    suffix.tensor('Gather', [past ?? '', suffix.integers(`at-${part}`, at)], part, { axis: { integer: 0 } });
  const caches = past ? ['past-key', 'past-value'].map(cacheOf) : [];
  const scores = suffix.name('scores');
  const keyMask = mask ? maskForMultiHead(index, suffix, { mask, queries: parts[0], past: caches[0] }) : '';
  const inputs = [...parts, '', keyMask, attentionBias ?? '', ...caches];
  while (inputs.at(-1) === '') inputs.pop();
  suffix.copy(
    node,
    inputs,
    [suffix.name('result'), ...(past ? [suffix.name('key'), suffix.name('value')] : ['', '']), scores],
    {
      operator: 'com.microsoft.MultiHeadAttention',
      carried: ['num_heads', 'unidirectional', 'scale', 'mask_filter_value'],
    },
  );
  const type = floatTypeOf(index, index.nodes[node].outputs[0]);
  const numHeads = index.integerAttribute(node, 'num_heads');
  const weighted: WeightedValues = {
    values: past ? suffix.name('value') : parts[2],
    layout: past ? 'plain' : 'merged',
    numValueHeads: numHeads,
    from: 0,
    result: index.nodes[node].outputs[0],
    resultLayout: 'merged',
    hasBias: false,
  };
  return {
    ...fusedSite(index, node, { method: 'rebuilt', ...weightsOfScores(suffix, scores, type), weighted }),
    keys: index.nodes[node].inputs[0],
    values: index.nodes[node].inputs[0],
  };
}
