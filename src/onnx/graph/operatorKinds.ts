// Operators by what they do with the numbers that they are given: what a search passes is put together of these.

/** They give the same numbers, at most in another precision. */
export const converting: readonly string[] = ['Cast', 'CastLike', 'Identity', 'Dropout'];
/** They give the same numbers, in the same order, other axes. */
export const reshaping: readonly string[] = ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'];

/** Operators as the runtime's own set has them. */
export const ofMicrosoft = (names: readonly string[]): string[] => names.map((name) => `com.microsoft.${name}`);

/** They round to few bits by a scale that is given, or make numbers of such. */
export const rounding: readonly string[] = ['QuantizeLinear', 'DequantizeLinear'];
/** … in either set. */
export const roundingOfBoth: readonly string[] = [...rounding, ...ofMicrosoft(rounding)];

/** Functions of one number, for each by itself. */
export const functions: readonly string[] = [
  ...['Abs', 'Ceil', 'Clip', 'Cos', 'Erf', 'Exp', 'Floor', 'Log', 'Neg', 'Reciprocal', 'Round', 'Sign', 'Sin', 'Sqrt'],
  ...['Celu', 'Elu', 'Gelu', 'HardSigmoid', 'HardSwish', 'LeakyRelu', 'Mish', 'Relu', 'Selu', 'Sigmoid', 'Softplus'],
  ...['Softsign', 'Tanh'],
];
/** They join numbers, their operands stretched to each other. */
export const arithmetic: readonly string[] = ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Sum'];
/** They tell of numbers, stretched likewise, whether something holds. */
export const comparing: readonly string[] = [
  ...['And', 'Or', 'Xor', 'Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'],
];

export const norms: readonly string[] = [
  ...['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization', 'BatchNormalization'],
  ...['InstanceNormalization', 'GroupNormalization', 'LpNormalization'],
];
/** They take axes together. */
export const reductions: readonly string[] = [
  ...['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare', 'ReduceProd'],
  'ReduceLogSumExp',
];
