import {
  arithmetic,
  comparing,
  converting,
  functions,
  norms,
  ofMicrosoft,
  reductions,
  roundingOfBoth,
} from '../graph/operatorKinds';

/** Operators whose result has the shape of their first input. */
export const shapeKeeping = new Set([
  ...[...converting, ...functions, ...norms, ...roundingOfBoth, 'DynamicQuantizeLinear'],
  ...['LogSoftmax', 'Hardmax', 'Not', 'IsNaN', 'IsInf', 'CumSum', 'Trilu', 'ScatterND', 'ScatterElements'],
  ...['RotaryEmbedding', 'ReverseSequence'],
  ...ofMicrosoft(['QuickGelu', 'Gelu', 'FastGelu', 'BiasGelu', 'BiasSoftmax', 'BiasAdd', 'QLinearSoftmax']),
  ...ofMicrosoft(['QLinearSigmoid', 'QLinearLeakyRelu', 'SkipLayerNormalization', 'SkipSimplifiedLayerNormalization']),
  ...ofMicrosoft(['RotaryEmbedding', 'Trilu', 'MultiHeadAttention']),
]);
/** Operators whose operands are stretched to each other. */
export const broadcasting = new Set([...arithmetic, ...comparing, 'Mod', 'Mean', 'PRelu', 'Where']);
/** Operators that take axes together. */
export const reducing = new Set([...reductions, 'ReduceLogSum', 'ArgMax', 'ArgMin']);
/** They change how long axes of space are, not which there are. */
export const overSpace = new Set([
  'Conv',
  'ConvInteger',
  'QLinearConv',
  'com.microsoft.FusedConv',
  'ConvTranspose',
  'MaxPool',
  'AveragePool',
  'LpPool',
  'GlobalAveragePool',
  'GlobalMaxPool',
]);

/** Others whose result's axes their first input tells. */
const ofFirst = new Set([
  'Softmax',
  'Transpose',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Pad',
  'Resize',
  'Upsample',
  'TopK',
  'OneHot',
  'Shape',
  'LSTM',
  'GRU',
  'RNN',
  'com.microsoft.MatMulNBits',
  'com.microsoft.MatMulBnb4',
  'com.microsoft.EmbedLayerNormalization',
]);
/** Whether the axes of an operator's result are told by those of its first input alone. */
export const isOfFirst = (operator: string): boolean =>
  shapeKeeping.has(operator) || ofFirst.has(operator) || reducing.has(operator) || overSpace.has(operator);
