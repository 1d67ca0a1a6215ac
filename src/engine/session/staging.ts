import { bytesOfTensor } from '../../onnx/file/dataType';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import type { Runtime } from '../runtime/runtime';

/** Which models are run layer by layer. */
export type Staging = 'all' | 'large' | 'none';

/** A model with fewer bytes of weights reads a text of usual length so quickly that sessions of its stages would cost more than they give. */
const leastStagedBytes = 1.6e7;

/** Whether a model is run layer by layer. On WebGPU what passes from one stage to the next would leave the device each time. */
export function isStaged({ backend }: Pick<Runtime, 'backend'>, { graph }: GraphIndex, staging: Staging): boolean {
  if (staging !== 'large') return staging === 'all';
  const weightBytes = graph.initializers.reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0);
  return backend !== 'webgpu' && weightBytes >= leastStagedBytes;
}
