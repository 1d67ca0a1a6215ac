/** Operators whose result has the shape of their first input. */
export const shapeKeeping = new Set([
  ...['LogSoftmax', 'Hardmax', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Relu', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'Gelu', 'Mish', 'Exp', 'Log', 'Softplus', 'Softsign', 'Tanh', 'Erf', 'Clip', 'Cast', 'CastLike', 'Identity', 'Dropout', 'Neg', 'Abs', 'Sqrt', 'Reciprocal', 'Sin', 'Cos', 'Floor', 'Ceil', 'Round', 'Sign', 'Not', 'IsNaN', 'IsInf', 'CumSum', 'Trilu'],
  ...['LayerNormalization', 'RMSNormalization', 'InstanceNormalization', 'GroupNormalization', 'BatchNormalization', 'LpNormalization', 'SimplifiedLayerNormalization', 'QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'ScatterND', 'ScatterElements', 'RotaryEmbedding', 'ReverseSequence'],
  ...['QuickGelu', 'Gelu', 'FastGelu', 'BiasGelu', 'BiasSoftmax', 'QLinearSoftmax', 'QLinearSigmoid', 'QLinearLeakyRelu', 'SkipLayerNormalization', 'SkipSimplifiedLayerNormalization', 'RotaryEmbedding', 'QuantizeLinear', 'DequantizeLinear', 'Trilu', 'BiasAdd', 'MultiHeadAttention'].map((name) => `com.microsoft.${name}`),
]);
/** Operators whose operands are stretched to each other. */
export const broadcasting = new Set(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Max', 'Min', 'Sum', 'Mean', 'PRelu', 'And', 'Or', 'Xor', 'Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual', 'Where']);
/** Operators that take axes together. */
export const reducing = new Set(['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceSumSquare', 'ArgMax', 'ArgMin']);
/** They change how long axes of space are, not which there are. */
export const overSpace = new Set(['Conv', 'ConvInteger', 'QLinearConv', 'com.microsoft.FusedConv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'LpPool', 'GlobalAveragePool', 'GlobalMaxPool']);

/** Others whose result's axes their first input tells. */
const ofFirst = new Set(['Softmax', 'Transpose', 'Flatten', 'Squeeze', 'Unsqueeze', 'Pad', 'Resize', 'Upsample', 'TopK', 'OneHot', 'Shape', 'com.microsoft.MatMulNBits', 'com.microsoft.MatMulBnb4', 'com.microsoft.EmbedLayerNormalization']);
/** Whether the axes of an operator's result are told by those of its first input alone. */
export const isOfFirst = (operator: string): boolean => shapeKeeping.has(operator) || ofFirst.has(operator) || reducing.has(operator) || overSpace.has(operator);
