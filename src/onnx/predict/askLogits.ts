import { axesOf } from '../follow/axisInference';
import { projectedTensor } from '../follow/products';
import { dataType } from '../file/dataType';
import { encodeTypedValue } from '../file/nodeBytes';
import { SuffixBuilder } from '../find/suffixNodes';
import type { GraphIndex } from '../graph/graphIndex';
import { positionsFirst } from '../inputs/positionsFirst';
import type { Suffix } from '../name/site';
import type { Replacements } from '../rewrite/leanNodes';
import type { LogitsOutput } from './findLogits';
import { reduceInBlocks } from './rowBlocks';

/** Inputs that say what is asked of logits; all int64. */
export const askInputs = {
  /** `[rows]`: positions whose logits are computed. Of a tensor without an axis of items, rows of all items, one item after the other. */
  rows: 'attention-explorer-rows',
  /** `[items · rows, asked]`: ids whose probabilities are wanted in each row. */
  asked: 'attention-explorer-asked',
  /** `[told]`: those of all rows of which ranks and the strongest are wanted too. */
  told: 'attention-explorer-told',
};

/** What is added to a graph to ask its logits at some positions alone; tensors by their names. */
export interface AskedLogits {
  readonly suffix: Suffix;
  /** The last product, of the chosen rows alone, where nothing between it and the scores rearranges them. */
  readonly replacements: Replacements;
  /** ValueInfoProtos of inputs that are added. */
  readonly inputs: readonly Uint8Array[];
  /** The axis of what rows are chosen from that they are chosen along: the last but one, or, of [position, item, feature], the first. */
  readonly rowAxis: -2 | 0;
  readonly outputs: {
    /** int64: the dimensions of what rows are chosen from; see `rowAxis`. */
    readonly shape: string;
    /** int64 `[2]`: number of rows, and of scores in each. */
    readonly scores: string;
    /** float32 `[blocks, rows, asked]`: natural logarithms of probabilities; see {@link placeInBlocks} for where a row stands. */
    readonly logs: string;
    /** float32 `[told, asked]`: how many scores of the row are larger. */
    readonly larger: string;
    /** float32 and int64 `[told, count]`: the largest logarithms of probabilities, and their ids. */
    readonly strongest: string;
    readonly ids: string;
  };
}

/** Operators between a product and scores that leave every row by itself. */
const rowwise = new Set(['Cast', 'CastLike', 'Identity', 'Dropout', 'Tanh', 'Add', 'Sub', 'Mul', 'Div']);

/**
 * The axis of a tensor that counts positions; undefined where ids are [position, item] and nothing tells whether it is so, too.
 */
function rowAxisOf(index: GraphIndex, tensor: string): AskedLogits['rowAxis'] | undefined {
  const turned = positionsFirst(index);
  if (turned.size === 0) return -2;
  const axes = axesOf(index, tensor);
  if (axes === undefined || axes.length < 2) return undefined;
  // What is flattened has a row for each position of the one item.
  if (axes.length === 2) return -2;
  const positions = new Set([...turned].map((input) => axesOf(index, input)?.[0]));
  const [first, second] = axes.slice(-3);
  if (positions.has(first) || second.size === 1) return 0;
  return positions.has(second) || first.size === 1 ? -2 : undefined;
}

/**
 * Asks logits at some positions: only there are they computed, at temperature 1 and in single precision, and only what is asked leaves the graph.
 * @param asking.count tokens that are named of each row that is told, at most as many as there are scores.
 * @param asking.sum a tensor from which on every position is by itself up to the logits: see {@link lastSum}.
 * @returns in a clause, why that cannot be.
 */
export function askLogits(
  index: GraphIndex,
  logits: LogitsOutput,
  { count, sum }: { readonly count: number; readonly sum: string | undefined },
): AskedLogits | string {
  const { product } = logits;
  const builder = new SuffixBuilder(index, product, 'asked/');
  const add: SuffixBuilder['tensor'] = (...node) => builder.tensor(...node);
  const nodes = new Map<number, readonly Uint8Array[]>();
  const maker = sum === undefined ? undefined : index.producer(sum);
  const early = sum ?? chosenBefore(index, logits);
  let whole = early ?? logits.tensor;
  const rowAxis = rowAxisOf(index, whole);
  if (rowAxis === undefined) return 'where the positions of its logits stand beside the items of a batch is not known';
  const alongRows = { axis: { integer: rowAxis } };
  const rowsOf = (tensor: string, made: SuffixBuilder, result: string): string =>
    made.add('Gather', [tensor, askInputs.rows], [result], alongRows);
  const instead = new SuffixBuilder(index, product, 'rows/');
  if (sum !== undefined && maker !== undefined) {
    whole = instead.name('all');
    const { inputs, outputs } = index.nodes[maker];
    instead.copy(
      maker,
      inputs,
      outputs.map((output) => (output === sum ? whole : output)),
    );
    rowsOf(whole, instead, sum);
    nodes.set(maker, instead.build().nodes);
  } else if (early !== undefined) {
    const chosen = rowsOf(early, instead, instead.name('states'));
    const { inputs, outputs } = index.nodes[product];
    instead.copy(
      product,
      inputs.map((input) => (input === early ? chosen : input)),
      outputs,
    );
    nodes.set(product, instead.build().nodes);
  }
  const scores = early === undefined ? rowsOf(logits.tensor, builder, builder.name('rows')) : logits.tensor;
  const flat = add('Flatten', [add('Cast', [scores], 'scores', { to: { integer: dataType.float32 } })], 'flat', {
    axis: { integer: -1 },
  });
  const alongRow = { axis: { integer: 1 } };
  const size = add('Shape', [flat], 'size');
  const inside = new SuffixBuilder(index, product, 'asked/block/');
  const own = (operator: string, inputs: readonly string[], part: string): string =>
    inside.add(operator, inputs, [inside.name(part)], alongRow);
  const numRows = add('Gather', [size, builder.integers('first', [0])], 'numRows', { axis: { integer: 0 } });
  const [logs] = reduceInBlocks({ builder, inside, numRows }, [flat, askInputs.asked], ([scores, ids]) => [
    { tensor: own('GatherElements', [own('LogSoftmax', [scores], 'logs'), ids], 'ofAsked'), type: dataType.float32 },
  ]);
  const told = add('Gather', [flat, askInputs.told], 'told', { axis: { integer: 0 } });
  const toldAsked = add('Gather', [askInputs.asked, askInputs.told], 'toldAsked', { axis: { integer: 0 } });
  const scoresOfAsked = add('GatherElements', [told, toldAsked], 'scoresOfAsked', alongRow);
  const isLarger = add(
    'Greater',
    [
      add('Reshape', [told, builder.integers('spread', [0, 1, -1])], 'eachScore'),
      add('Reshape', [scoresOfAsked, builder.integers('column', [0, -1, 1])], 'eachAsked'),
    ],
    'isLarger',
  );
  const ones = add('Cast', [isLarger], 'ones', { to: { integer: dataType.float32 } });
  const larger = builder.reduced('ReduceSum', ones, 'larger', { axis: 2, keeps: false, inputSince: 13 });
  const [strongest, ids] = [builder.name('strongest'), builder.name('ids')];
  builder.add(
    'TopK',
    [add('LogSoftmax', [told], 'toldLogs', alongRow), builder.integers('count', [count])],
    [strongest, ids],
    { axis: { integer: 1 } },
  );
  return {
    replacements: { nodes, initializers: [] },
    rowAxis,
    inputs: [
      encodeTypedValue(askInputs.rows, dataType.int64, 1),
      encodeTypedValue(askInputs.asked, dataType.int64, 2),
      encodeTypedValue(askInputs.told, dataType.int64, 1),
    ],
    outputs: {
      shape: add('Shape', [whole], 'shape'),
      scores: size,
      logs,
      larger,
      strongest,
      ids,
    },
    suffix: builder.build(),
  };
}

/** What the last product is given, where its rows can be chosen there; undefined where something behind it rearranges them. */
function chosenBefore(index: GraphIndex, { tensor, product }: LogitsOutput): string | undefined {
  const given = projectedTensor(index, product);
  const pending = [tensor];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = index.producer(name);
    if (node === product) continue;
    if (node === undefined || !rowwise.has(index.nodes[node].opType)) return undefined;
    const made = index.nodes[node].inputs.filter((input) => input !== '' && index.weight(input) === undefined);
    if (made.length !== 1) return undefined;
    pending.push(...made);
  }
  // What other nodes are given of the product's operand stays as it was.
  return given !== undefined && /Conv|Einsum|ReduceSum/.test(index.nodes[product].opType) ? undefined : given;
}
