import { dataType } from '../file/dataType';
import { encodeTypedValue } from '../file/nodeBytes';
import { SuffixBuilder } from '../find/suffixNodes';
import type { GraphIndex } from '../graph/graphIndex';
import type { Suffix } from '../name/site';
import type { LogitsOutput } from './findLogits';
import { reduceInBlocks } from './rowBlocks';

/** The input that names the token that each row of the logits is asked about: int64 `[rows]`, or longer. */
export const targetsInput = 'attention-explorer-targets';

/** Reductions are written with operators that came with this opset. */
export const leastPredictionOpset = 11;

/** Scores that lie further below the largest come to nothing, e⁻⁷⁵; what they came to would be too small for a number of full precision, which takes processors a hundred times as long. */
const leastScore = -75;

/** What is added to a graph to reduce its logits, row by row; tensors by their names. */
export interface ReducedLogits {
  readonly suffix: Suffix;
  /** ValueInfoProtos of inputs that are added. */
  readonly inputs: readonly Uint8Array[];
  readonly outputs: {
    /** int64 `[2]`: number of rows, and of scores in each. */
    readonly shape: string;
    /** float32 `[blocks, rows, 1]`: how much larger the row's largest score is than its target's, with the sign turned; see {@link placeInBlocks} for where a row stands. */
    readonly targets: string;
    /** float32 `[blocks, rows, 1]`: how many scores are larger than the target's. */
    readonly larger: string;
    /** float32 `[blocks, rows, 1]`: Σ e^(score − largest score), of which the largest has the part 1. */
    readonly sums: string;
    /** float32 `[blocks, rows, 1]`: Σ e^(score − largest score) · (score − largest score); divided by `sums`, and less its logarithm, the entropy in nats with its sign turned. */
    readonly weighted: string;
    /** float32 and int64 `[blocks, rows, count]`: the largest scores, less the largest one, and their ids. */
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
  const ofRows = add(
    'Reshape',
    [add('Slice', [targetsInput, first, numRows], 'ownTargets'), builder.integers('column', [-1, 1])],
    'targets',
  );
  const [one, numStrongest] = [builder.integers('second', [1]), builder.integers('count', [count])];
  const least = builder.float('least', leastScore);
  const alongRow = { axis: { integer: 1 } };
  const inside = new SuffixBuilder(index, product, 'predictions/block/');
  const own: SuffixBuilder['tensor'] = (...node) => inside.tensor(...node);
  const reduced = reduceInBlocks({ builder, inside, numRows }, [flat, ofRows], ([scores, targets]) => {
    const [strongest, ids] = [inside.name('largest'), inside.name('ids')];
    inside.add('TopK', [scores, numStrongest], [strongest, ids], alongRow);
    const largest = own('Slice', [strongest, first, one, one], 'most');
    // Scores may all lie far from zero: what is left of them is as precise as it can be.
    const rest = own('Clip', [own('Sub', [scores, largest], 'differences'), least], 'rest');
    const powers = own('Exp', [rest], 'powers');
    const ofTargets = own('GatherElements', [scores, targets], 'scoresOfTargets', alongRow);
    const ones = own('Cast', [own('Greater', [scores, ofTargets], 'isLarger')], 'ones', toFloat);
    // A product of matrices of one row and one column takes several times as long.
    const weighted = own('Mul', [powers, rest], 'weighted');
    const sum = (tensor: string, part: string): string =>
      inside.reduced('ReduceSum', tensor, part, { axis: 1, keeps: true, inputSince: 13 });
    return [
      { tensor: own('Sub', [ofTargets, largest], 'ofTargets'), type: dataType.float32 },
      { tensor: sum(ones, 'larger'), type: dataType.float32 },
      { tensor: sum(powers, 'sums'), type: dataType.float32 },
      { tensor: sum(weighted, 'sumOfWeighted'), type: dataType.float32 },
      { tensor: own('Sub', [strongest, largest], 'strongest'), type: dataType.float32 },
      { tensor: ids, type: dataType.int64 },
    ];
  });
  const [targets, larger, sums, weighted, strongest, ids] = reduced;
  return {
    suffix: builder.build(),
    inputs: [encodeTypedValue(targetsInput, dataType.int64, 1)],
    outputs: { shape, targets, larger, sums, weighted, strongest, ids },
  };
}
