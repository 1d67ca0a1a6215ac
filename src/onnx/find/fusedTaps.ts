import { dataType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import { operatorOf } from '../follow/products';
import type { FoundSite } from '../name/site';
import type { HeadTensor, ScoreTensor, SiteTaps } from '../name/taps';
import type { SuffixBuilder } from './suffixNodes';

/** What an operator that computes attention inside itself is made of. */
export type FusedTaps = Pick<SiteTaps, 'queries' | 'keys' | 'scores' | 'values'>;

type Recipe = (index: GraphIndex, site: FoundSite, made: SuffixBuilder) => FusedTaps;

const recipes = new Map<string, Recipe>([
  ['Attention', standardAttention],
  ['com.microsoft.GroupQueryAttention', groupQueryAttention],
  ['com.microsoft.MultiHeadAttention', multiHeadAttention],
  ['com.microsoft.Attention', packedAttention],
  ['com.microsoft.QAttention', packedAttention],
]);

/** The parts of an attention that is computed inside one operator; undefined for other nodes. */
export function fusedTaps(index: GraphIndex, site: FoundSite, made: SuffixBuilder): FusedTaps | undefined {
  const operator = operatorOf(index, site.node);
  const recipe = recipes.get(operator);
  if (recipe !== undefined) return recipe(index, site, made);
  if (operator !== 'com.microsoft.DecoderMaskedMultiHeadAttention') return undefined;
  const reason = 'its operator does not tell it apart';
  return { queries: reason, keys: reason, scores: reason, values: reason };
}

const has = (inputs: readonly string[], position: number): boolean => (inputs[position] ?? '') !== '';

const separate = (tensor: string): HeadTensor => ({ tensor, positionAxis: -2, featureAxis: -1 });
/** Features of all heads side by side, or, where the tensor has four dimensions, each head by itself. */
const together = (tensor: string, numHeads: number, first = 0, all = numHeads): HeadTensor => ({
  ...separate(tensor),
  merged: { numHeads, first, all },
});
const scoresOf = (tensor: string, isZeroWhereMasked = false): ScoreTensor => ({
  tensor,
  queryAxis: -2,
  keyAxis: -1,
  isZeroWhereMasked,
});

/** Names that the site's own suffix has given. */
const suffixName = (index: GraphIndex, site: FoundSite, part: string): string =>
  `attention-explorer/${index.scope}${site.node}/${part}`;

/** Mode 2 of the fourth output is what the softmax is given. */
function standardAttention(index: GraphIndex, site: FoundSite, made: SuffixBuilder): FusedTaps {
  const { inputs, outputs } = index.nodes[site.node];
  const [numHeads, numValueHeads] = ['q_num_heads', 'kv_num_heads'].map((name) =>
    index.integerAttribute(site.node, name),
  );
  const plain = (tensor: string, count: number | undefined): HeadTensor =>
    count === undefined ? separate(tensor) : together(tensor, count);
  const scores = made.name('scores');
  const present = has(inputs, 4) ? [made.name('key'), made.name('value')] : ['', ''];
  made.copy(site.node, inputs, [made.name('result'), ...present, scores], {
    attributes: { qk_matmul_output_mode: { integer: 2 } },
  });
  const given = (position: number, input: string): HeadTensor =>
    has(outputs, position)
      ? separate(outputs[position])
      : has(inputs, 4)
        ? separate(present[position - 1])
        : plain(input, numValueHeads);
  return {
    queries: plain(inputs[0], numHeads),
    keys: given(1, inputs[1]),
    values: given(2, inputs[2]),
    scores: scoresOf(scores),
  };
}

function groupQueryAttention(index: GraphIndex, site: FoundSite, made: SuffixBuilder): FusedTaps {
  const { inputs } = index.nodes[site.node];
  const numHeads = index.integerAttribute(site.node, 'num_heads') ?? 1;
  const numValueHeads = index.integerAttribute(site.node, 'kv_num_heads') ?? numHeads;
  const all = has(inputs, 1) ? numHeads : numHeads + 2 * numValueHeads;
  const [key, value, scores] = ['key', 'value', 'scores'].map((part) => made.name(part));
  made.copy(site.node, inputs, [made.name('result'), key, value, scores], {
    attributes: { qk_output: { integer: 1 } },
  });
  const queries = together(inputs[0], numHeads, 0, all);
  return {
    queries:
      index.integerAttribute(site.node, 'do_rotary') !== 1
        ? queries
        : all === numHeads
          ? rotated(index, site.node, made, numHeads)
          : 'its operator rotates queries inside itself, out of a tensor of queries, keys and values',
    // What it hands on are the keys as it multiplies them: rotated, behind those of before.
    keys: separate(key),
    values: separate(value),
    scores: scoresOf(scores, true),
  };
}

/** Queries rotated as the operator does it: behind what was read before, or from the first position on. */
function rotated(index: GraphIndex, node: number, made: SuffixBuilder, numHeads: number): HeadTensor {
  const { inputs } = index.nodes[node];
  const [queries, lengths] = [inputs[0], inputs[5]];
  let positions = inputs[9] ?? '';
  if (positions === '') {
    const int64 = { to: { integer: dataType.int64 } };
    const [zero, one] = [made.integers('zero', 0), made.integers('one', 1)];
    const shape = made.tensor('Shape', [queries], 'shape');
    const length = made.tensor('Gather', [shape, one], 'length');
    const last = made.tensor('Cast', [lengths], 'last', int64);
    const column = made.tensor('Reshape', [last, made.integers('column', [-1, 1])], 'last-column');
    const before = made.tensor('Sub', [made.tensor('Add', [column, one], 'total'), length], 'before');
    const start = made.tensor('Max', [before, zero], 'start');
    const range = made.tensor('Range', [zero, length, one], 'range');
    positions = made.tensor('Add', [start, range], 'positions');
  }
  const tensor = made.tensor('com.microsoft.RotaryEmbedding', [queries, positions, inputs[7], inputs[8]], 'rotated', {
    num_heads: { integer: numHeads },
    interleaved: { integer: index.integerAttribute(node, 'rotary_interleaved') ?? 0 },
  });
  return together(tensor, numHeads);
}

function multiHeadAttention(index: GraphIndex, site: FoundSite, made: SuffixBuilder): FusedTaps {
  const { inputs, outputs } = index.nodes[site.node];
  const numHeads = index.integerAttribute(site.node, 'num_heads') ?? 1;
  const scores = scoresOf(suffixName(index, site, 'scores'));
  if (!has(inputs, 1) || !has(inputs, 2)) {
    const reason = 'its operator is given queries, keys and values in one tensor';
    return { queries: reason, keys: reason, values: reason, scores };
  }
  const hasPast = has(inputs, 6) && has(inputs, 7) && has(outputs, 1) && has(outputs, 2);
  const part = (position: number): HeadTensor => {
    if (!has(inputs, 3)) return together(inputs[position], numHeads);
    // The bias of queries, keys and values, one behind the other.
    const thirds = made.tensor('Reshape', [inputs[3], made.integers('thirds', [3, -1])], `biases-${position}`);
    const bias = made.tensor('Gather', [thirds, made.integers(`third-${position}`, position)], `bias-${position}`);
    return together(made.tensor('Add', [inputs[position], bias], `biased-${position}`), numHeads);
  };
  return {
    queries: part(0),
    keys: hasPast ? separate(outputs[1]) : part(1),
    values: hasPast ? separate(outputs[2]) : part(2),
    scores,
  };
}

/** What the site's suffix has made anew; with what was read before, the operator in it hands keys and values on. */
function packedAttention(index: GraphIndex, site: FoundSite): FusedTaps {
  const { inputs } = index.nodes[site.node];
  const numHeads = index.integerAttribute(site.node, 'num_heads') ?? 1;
  const past = inputs[operatorOf(index, site.node) === 'com.microsoft.QAttention' ? 8 : 4] ?? '';
  const made = (part: string): string => suffixName(index, site, part);
  return {
    queries: together(made('query'), numHeads),
    keys: past === '' ? together(made('keys'), numHeads) : separate(made('key')),
    values: past === '' ? together(made('values'), numHeads) : separate(made('value')),
    scores: scoresOf(made('scores')),
  };
}
