import { dataType } from '../file/dataType';
import { encodeTypedValue } from '../file/nodeBytes';
import { SuffixBuilder } from '../find/suffixNodes';
import type { GraphIndex } from '../graph/graphIndex';
import type { Suffix } from '../name/site';
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
    /** float32 `[rows, 1, 1]`: Σ p ln p, the entropy in nats with its sign turned. */
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
  const builder = new SuffixBuilder(index, product, 'predictions/');
  const add: SuffixBuilder['tensor'] = (...node) => builder.tensor(...node);
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
  const alongRow = { axis: { integer: 1 } };
  const logs = add('LogSoftmax', [flat], 'logs', alongRow);
  const ofTargets = add('GatherElements', [logs, targets], 'ofTargets', alongRow);
  // Ranks are those of the scores: logarithms of two of them may be rounded to the same number.
  const isLarger = add(
    'Greater',
    [flat, add('GatherElements', [flat, targets], 'scoresOfTargets', alongRow)],
    'isLarger',
  );
  const ones = add('Cast', [isLarger], 'ones', toFloat);
  const larger = builder.reduced('ReduceSum', ones, 'larger', { axis: 1, keeps: true, inputSince: 13 });
  const probabilities = add('Exp', [logs], 'probabilities');
  const negentropy = add(
    'MatMul',
    [
      add('Reshape', [probabilities, builder.integers('asRow', [0, 1, -1])], 'probabilityRows'),
      add('Reshape', [logs, builder.integers('asColumn', [0, -1, 1])], 'logColumns'),
    ],
    'negentropy',
  );
  const [strongest, ids] = [builder.name('strongest'), builder.name('ids')];
  builder.add('TopK', [logs, builder.integers('count', [count])], [strongest, ids], { axis: { integer: 1 } });
  return {
    suffix: builder.build(),
    inputs: [encodeTypedValue(targetsInput, dataType.int64, 1)],
    outputs: { shape, targets: ofTargets, larger, negentropy, strongest, ids },
  };
}
