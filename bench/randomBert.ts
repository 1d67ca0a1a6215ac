import { float, int, int64, ints, RandomModel, type RandomWeights } from './randomModel';

/** Sizes of an encoder; BERT-base is 12 layers, 12 heads, width 768, vocabulary 30522, context 512. */
export interface EncoderSize {
  readonly numLayers: number;
  readonly numHeads: number;
  readonly width: number;
  readonly vocabulary: number;
  readonly context: number;
}

/** The size of BERT-base (Devlin et al. 2019). */
export const bertBase: EncoderSize = { numLayers: 12, numHeads: 12, width: 768, vocabulary: 30522, context: 512 };

/**
 * Writes an encoder with random weights as ONNX (opset 17), with the node patterns of PyTorch's TorchScript exporter:
 * inputs `input_ids` and `attention_mask` (int64 [batch, sequence]), output `last_hidden_state`.
 * @param hasHead whether it has the head of a masked language model, and gives `logits` instead.
 */
export function writeRandomBert(
  path: string,
  { numLayers, numHeads, width, vocabulary, context }: EncoderSize,
  weights: RandomWeights = {},
  hasHead = false,
): void {
  const model = new RandomModel('random-bert');
  const headWidth = width / numHeads;
  const positions = model.node('Slice', [
    model.weight('positions', [context, width], 1),
    model.integers([0]),
    model.node('Gather', [model.node('Shape', ['input_ids']), model.integers([1])], [int('axis', 0n)]),
    model.integers([0]),
  ]);
  let hidden = model.normalize(
    model.node('Add', [
      model.node('Gather', [model.weight('embeddings', [vocabulary, width], 1), 'input_ids']),
      positions,
    ]),
    'norm',
    width,
  );
  const visible = model.node(
    'Cast',
    [model.node('Unsqueeze', ['attention_mask', model.integers([1, 2])])],
    [int('to', BigInt(float))],
  );
  const mask = model.node('Mul', [model.node('Sub', [model.scalar(1), visible]), model.scalar(-3.4e38)]);
  const heads = model.integers([0, 0, numHeads, headWidth]);
  const flat = model.integers([0, 0, width]);
  for (let layer = 0; layer < numLayers; layer++) {
    const name = `encoder.layer.${layer}`;
    const split = (part: string, order: number[], scale: number): string =>
      model.node(
        'Transpose',
        [model.node('Reshape', [model.linear(hidden, `${name}.attention.${part}`, width, width, scale), heads])],
        [ints('perm', order)],
      );
    // Queries and keys are scaled up, so that attention is peaked as in a trained model.
    const scores = model.node('Mul', [
      model.node('MatMul', [split('query', [0, 2, 1, 3], 2), split('key', [0, 2, 3, 1], 2)]),
      model.scalar(1 / Math.sqrt(headWidth)),
    ]);
    const probabilities = model.node('Softmax', [model.node('Add', [scores, mask])], [int('axis', -1n)]);
    const mixed = model.node('Reshape', [
      model.node(
        'Transpose',
        [model.node('MatMul', [probabilities, split('value', [0, 2, 1, 3], 1)])],
        [ints('perm', [0, 2, 1, 3])],
      ),
      flat,
    ]);
    const attended = model.normalize(
      model.node('Add', [model.linear(mixed, `${name}.attention.output`, width, width, 1), hidden]),
      `${name}.norm1`,
      width,
    );
    const inner = model.linear(attended, `${name}.intermediate`, width, 4 * width, 1);
    const active = gelu(model, inner);
    hidden = model.normalize(
      model.node('Add', [model.linear(active, `${name}.output`, 4 * width, width, 1), attended]),
      `${name}.norm2`,
      width,
    );
  }
  if (hasHead) {
    const transformed = model.normalize(gelu(model, model.linear(hidden, 'head', width, width, 1)), 'head.norm', width);
    const scores = model.node('MatMul', [transformed, model.node('Transpose', ['embeddings'], [ints('perm', [1, 0])])]);
    model.node('Add', [scores, model.weight('head.decoder.bias', [vocabulary], 0.02)], [], ['logits']);
  } else model.node('Identity', [hidden], [], ['last_hidden_state']);
  model.input('input_ids', int64, ['batch', 'sequence']);
  model.input('attention_mask', int64, ['batch', 'sequence']);
  model.output(hasHead ? 'logits' : 'last_hidden_state', float, [
    'batch',
    'sequence',
    hasHead ? 'vocabulary' : 'width',
  ]);
  model.write(path, weights);
}

function gelu(model: RandomModel, inner: string): string {
  return model.node('Mul', [
    model.node('Mul', [
      inner,
      model.node('Add', [model.node('Erf', [model.node('Div', [inner, model.scalar(Math.SQRT2)])]), model.scalar(1)]),
    ]),
    model.scalar(0.5),
  ]);
}
