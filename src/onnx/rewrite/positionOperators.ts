import type { GraphIndex } from '../graph/graphIndex';
import {
  arithmetic,
  converting,
  functions,
  norms,
  ofMicrosoft,
  reductions,
  reshaping,
  roundingOfBoth,
} from '../graph/operatorKinds';

/** Operators that only move what they are given first. */
export const moving = new Set([
  ...[...reshaping, 'Transpose', 'Slice', 'Split', 'Expand', 'Tile', 'DepthToSpace', 'SpaceToDepth'],
  ...['Gather', 'GatherElements', 'GatherND'],
]);
/** Operators that compute something else for each place, from what stands there or from its features. */
export const pointwise = new Set([
  ...[...converting, ...functions, ...norms, ...roundingOfBoth, 'Softmax', 'LogSoftmax', 'RotaryEmbedding'],
  ...ofMicrosoft(['Gelu', 'FastGelu', 'QuickGelu', 'BiasGelu', 'BiasSoftmax', 'RotaryEmbedding', 'GroupNorm']),
  ...ofMicrosoft(['MultiHeadAttention']),
]);
export const summing = new Set([...arithmetic, 'Mean', 'PRelu', 'com.microsoft.BiasAdd']);
export const convolving = new Set(['Conv', 'ConvInteger', 'com.microsoft.FusedConv']);
export const pooling = new Set(['MaxPool', 'AveragePool', 'LpPool']);
export const poolingAll = new Set(['GlobalAveragePool', 'GlobalMaxPool']);
export const reducing = new Set(reductions);
export const packedProducts = new Set(['com.microsoft.MatMulNBits', 'com.microsoft.MatMulBnb4']);

/** Attributes of what steps over a picture that the convolution which moves its places does without. */
export const windowAttributes = [
  'group',
  'kernel_shape',
  'ceil_mode',
  'count_include_pad',
  'storage_order',
  'p',
  'activation',
  'activation_params',
  'alpha',
  'beta',
] as const;

/** Whether a Pad fills up with one value. */
export function padsWithConstant(index: GraphIndex, node: number): boolean {
  return (index.attributes(node).get('mode')?.text ?? 'constant') === 'constant';
}
