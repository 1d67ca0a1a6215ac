import { bytesOfTensor } from '../../onnx/file/dataType';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import type { Runtime } from '../runtime/runtime';

/** Which models are run layer by layer. */
export type Staging = 'all' | 'large' | 'none';

/** Whether a model is run layer by layer, and where it was to be and is not, the reason in a clause. */
export interface StagePlan {
  readonly isStaged: boolean;
  readonly whyWhole?: string;
}

/** A model with fewer bytes of weights reads a text of usual length so quickly that sessions of its stages would cost more than they give. */
const leastStagedBytes = 1.6e7;

/**
 * Plans how a model is run.
 * @param isWriting whether it writes a text of its own.
 */
export function planStages(
  { traits: { isOnDevice, title } }: Pick<Runtime, 'traits'>,
  { graph }: GraphIndex,
  staging: Staging,
  isWriting = false,
): StagePlan {
  if (staging === 'none') return { isStaged: false };
  const asWhole = (whyWhole: string): StagePlan => ({ isStaged: false, whyWhole });
  if (isWriting) return asWhole('it writes a text of its own, and each token of that is a run');
  if (staging === 'all') return { isStaged: true };
  if (isOnDevice) return asWhole(`on ${title} what passes between stages would leave the device each time`);
  const weightBytes = graph.initializers.reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0);
  return weightBytes >= leastStagedBytes
    ? { isStaged: true }
    : asWhole(`it has less than ${leastStagedBytes / 1e6} MB of weights, and is read at once`);
}
