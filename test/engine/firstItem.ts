import type { ModelInput } from '../../src/onnx/inputs/inputs';

/** A stored input with the first of its two items alone: long texts are read one at a time. */
export function firstItem(input: ModelInput): ModelInput {
  return input.dims[0] === 2
    ? { ...input, dims: [1, ...input.dims.slice(1)], data: input.data.subarray(0, input.data.length / 2) }
    : input;
}
