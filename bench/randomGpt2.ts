import { bool, float, int, int64, ints, RandomModel, type RandomWeights } from './randomModel';
import type { EncoderSize } from './randomBert';

/** The size of GPT-2 small (Radford et al. 2019): 124 million parameters. */
export const gpt2Small: EncoderSize = { numLayers: 12, numHeads: 12, width: 768, vocabulary: 50257, context: 1024 };

/**
 * Writes a causal decoder with random weights as ONNX (opset 17), with the node patterns of PyTorch's TorchScript exporter
 * (one projection for queries, keys and values; a causal mask chosen by Where; a head that shares the embeddings):
 * inputs `input_ids` and `attention_mask` (int64 [batch, sequence]), output `logits`.
 */
export function writeRandomGpt2(
  path: string,
  { numLayers, numHeads, width, vocabulary, context }: EncoderSize,
  weights: RandomWeights = {},
): void {
  const model = new RandomModel('random-gpt2');
  const headWidth = width / numHeads;
  const length = model.node('Gather', [model.node('Shape', ['input_ids']), model.integers(1)], [int('axis', 0n)]);
  const positions = model.node('Range', [model.integers(0), length, model.integers(1)]);
  const embeddings = model.weight('wte.weight', [vocabulary, width], 1);
  let hidden = model.node('Add', [
    model.node('Gather', [embeddings, 'input_ids']),
    model.node('Gather', [model.weight('wpe.weight', [context, width], 1), positions]),
  ]);
  const isBehind = model.node('LessOrEqual', [
    model.node('Unsqueeze', [positions, model.integers([0, 1, 2])]),
    model.node('Unsqueeze', [positions, model.integers([0, 1, 3])]),
  ]);
  const isVisible = model.node(
    'Cast',
    [model.node('Unsqueeze', ['attention_mask', model.integers([1, 2])])],
    [int('to', BigInt(bool))],
  );
  const mask = model.node('And', [isBehind, isVisible]);
  const heads = model.integers([0, 0, numHeads, headWidth]);
  const flat = model.integers([0, 0, width]);
  for (let layer = 0; layer < numLayers; layer++) {
    const name = `h.${layer}`;
    // Queries and keys are scaled up, so that attention is peaked as in a trained model.
    const projected = model.linear(
      model.normalize(hidden, `${name}.ln_1`, width),
      `${name}.attn.c_attn`,
      width,
      3 * width,
      2,
    );
    const parts = ['query', 'key', 'value'].map((part) => `${name}.attn.${part}`);
    model.node('Split', [projected, model.integers([width, width, width])], [int('axis', 2n)], parts);
    const split = (part: string, order: number[]): string =>
      model.node('Transpose', [model.node('Reshape', [part, heads])], [ints('perm', order)]);
    const scores = model.node('Div', [
      model.node('MatMul', [split(parts[0], [0, 2, 1, 3]), split(parts[1], [0, 2, 3, 1])]),
      model.scalar(Math.sqrt(headWidth)),
    ]);
    const probabilities = model.node(
      'Softmax',
      [model.node('Where', [mask, scores, model.scalar(-3.4028234663852886e38)])],
      [int('axis', -1n)],
    );
    const mixed = model.node('Reshape', [
      model.node(
        'Transpose',
        [model.node('MatMul', [probabilities, split(parts[2], [0, 2, 1, 3])])],
        [ints('perm', [0, 2, 1, 3])],
      ),
      flat,
    ]);
    const attended = model.node('Add', [model.linear(mixed, `${name}.attn.c_proj`, width, width, 1), hidden]);
    const inner = model.linear(
      model.normalize(attended, `${name}.ln_2`, width),
      `${name}.mlp.c_fc`,
      width,
      4 * width,
      1,
    );
    // GELU in its tanh form: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))).
    const cubic = model.node('Add', [
      inner,
      model.node('Mul', [model.node('Pow', [inner, model.scalar(3)]), model.scalar(0.044715)]),
    ]);
    const active = model.node('Mul', [
      model.node('Mul', [inner, model.scalar(0.5)]),
      model.node('Add', [
        model.node('Tanh', [model.node('Mul', [cubic, model.scalar(Math.sqrt(2 / Math.PI))])]),
        model.scalar(1),
      ]),
    ]);
    hidden = model.node('Add', [model.linear(active, `${name}.mlp.c_proj`, 4 * width, width, 1), attended]);
  }
  model.node(
    'MatMul',
    [model.normalize(hidden, 'ln_f', width), model.node('Transpose', [embeddings], [ints('perm', [1, 0])])],
    [],
    ['logits'],
  );
  model.input('input_ids', int64, ['batch', 'sequence']);
  model.input('attention_mask', int64, ['batch', 'sequence']);
  model.output('logits', float, ['batch', 'sequence', 'vocabulary']);
  model.write(path, weights);
}
