import { dataType } from '../file/dataType';
import { encodeTypedValue } from '../file/nodeBytes';
import { SuffixBuilder } from '../find/suffixNodes';
import type { GraphIndex } from '../graph/graphIndex';
import type { Suffix } from '../name/site';
import { RowGraph } from './eachRow';
import type { LogitsOutput } from './findLogits';

/** The input that names the token that each row of the logits is asked about: int64 `[rows]`, or longer. */
export const targetsInput = 'attention-explorer-targets';

/** Reductions are written with operators that came with this opset. */
export const leastPredictionOpset = 11;

/** What is added to a graph to reduce its logits, row by row; tensors by their names. */
export interface ReducedLogits {
  readonly suffix: Suffix;
  /** ValueInfoProtos of inputs that are added. */
  readonly inputs: readonly Uint8Array[];
  readonly outputs: {
    /** int64 `[2]`: number of rows, and of scores in each. */
    readonly shape: string;
    /** float32 `[rows, 1]`: natural logarithm of the probability of the row's target. */
    readonly targets: string;
    /** float32 `[rows, 1]`: how many scores are larger than the target's. */
    readonly larger: string;
    /** float32 `[rows, 1]`: Σ p ln p, the entropy in nats with its sign turned. */
    readonly negentropy: string;
    /** float32 and int64 `[rows, count]`: the largest logarithms of probabilities, and their ids. */
    readonly strongest: string;
    readonly ids: string;
  };
}

/**
 * Reduces logits to what is shown of them, at temperature 1 and in single precision: `[row, count]` leaves the graph, never `[row, vocabulary]`.
 * @param count tokens that are named of each row, at most as many as there are scores.
 */
export function reduceLogits(index: GraphIndex, { tensor, product }: LogitsOutput, count: number): ReducedLogits {
  const opset = index.model.opsets.get('') ?? 1;
  const builder = new SuffixBuilder(index, product, 'predictions/');
  const add = (
    operator: string,
    inputs: readonly string[],
    part: string,
    attributes: Parameters<SuffixBuilder['add']>[3] = {},
  ): string => builder.add(operator, inputs, [builder.name(part)], attributes);
  const toFloat = { to: { integer: dataType.float32 } };
  const flat = add('Flatten', [add('Cast', [tensor], 'scores', toFloat)], 'rows', { axis: { integer: -1 } });
  const shape = add('Shape', [flat], 'shape');
  const first = builder.integers('first', [0]);
  const numRows = add('Gather', [shape, first], 'numRows', { axis: { integer: 0 } });
  const targets = add(
    'Reshape',
    [add('Slice', [targetsInput, first, numRows], 'ownTargets'), builder.integers('column', [-1, 1])],
    'targets',
  );
  const row = new RowGraph(builder);
  const [scores, target] = [row.name('scores'), row.name('target')];
  const alongRow = { axis: { integer: 0 } };
  const make = (
    operator: string,
    inputs: readonly string[],
    part: string,
    attributes: Parameters<SuffixBuilder['add']>[3] = {},
  ): string => row.add(operator, inputs, [row.name(part)], attributes);
  const sum = (summed: string, part: string): string =>
    opset >= 13
      ? make('ReduceSum', [summed, row.integers(`${part}Axes`, [0])], part)
      : make('ReduceSum', [summed], part, { axes: { integers: [0] } });
  const [highest, ids] = [row.name('highest'), row.name('ids')];
  row.add('TopK', [scores, row.integers('count', [count])], [highest, ids], alongRow);
  const top = row.integers('top', [0]);
  const largest = make('Gather', [highest, top], 'largest', alongRow);
  // Logarithms of probabilities: scores less the largest one, and the logarithm of its probability, which is no small number.
  const below = make('Sub', [scores, largest], 'below');
  const probabilities = make('Softmax', [below], 'probabilities', alongRow);
  const ofLargest = make(
    'Log',
    [make('GatherElements', [probabilities, make('Gather', [ids, top], 'largestId', alongRow)], 'share', alongRow)],
    'logOfLargest',
  );
  const ofTarget = make('Add', [make('GatherElements', [below, target], 'belowOfTarget', alongRow), ofLargest], 'log');
  // Ranks are those of the scores: logarithms of two of them may be rounded to the same number.
  const isLarger = make('Greater', [scores, make('GatherElements', [scores, target], 'score', alongRow)], 'isLarger');
  const larger = sum(make('Cast', [isLarger], 'ones', toFloat), 'larger');
  const negentropy = make(
    'Add',
    [sum(make('Mul', [probabilities, below], 'weighed'), 'weighedSum'), ofLargest],
    'negentropy',
  );
  const strongest = make('Add', [make('Sub', [highest, largest], 'highestBelow'), ofLargest], 'strongest');
  const outputs = {
    targets: builder.name('ofTargets'),
    larger: builder.name('larger'),
    negentropy: builder.name('negentropy'),
    strongest: builder.name('strongest'),
    ids: builder.name('ids'),
  };
  row.run(
    [
      { name: scores, of: flat },
      { name: target, of: targets, isInteger: true },
    ],
    [
      { name: ofTarget, all: outputs.targets },
      { name: larger, all: outputs.larger },
      { name: negentropy, all: outputs.negentropy },
      { name: strongest, all: outputs.strongest },
      { name: ids, all: outputs.ids, isInteger: true },
    ],
  );
  return {
    suffix: builder.build(),
    inputs: [encodeTypedValue(targetsInput, dataType.int64, 1)],
    outputs: { shape, ...outputs },
  };
}
