import type { EncoderSize } from './randomBert';
import { float, RandomModel } from './randomModel';

/**
 * Writes the products with weights that an encoder's attention needs, and nothing else, as ONNX (opset 17): of every layer queries,
 * keys, values, the output and the two products of its feed-forward part; of the last one queries and keys. Input `hidden` and output
 * `last`, both float32 [batch, sequence, width]. No way of computing that attention with the same products is faster than this.
 */
export function writeRandomProducts(path: string, { numLayers, width }: EncoderSize): void {
  const model = new RandomModel('random-products');
  const product = (input: string, name: string, from: number, to: number): string =>
    model.node('MatMul', [input, model.weight(`${name}.weight`, [from, to], 1 / Math.sqrt(from))]);
  let hidden = 'hidden';
  for (let layer = 0; layer < numLayers; layer++) {
    const of = (part: string): string => product(hidden, `layer.${layer}.${part}`, width, width);
    const scored = model.node('Add', [of('query'), of('key')]);
    if (layer === numLayers - 1) hidden = scored;
    else
      hidden = product(
        product(
          product(model.node('Add', [scored, of('value')]), `layer.${layer}.attention`, width, width),
          `layer.${layer}.intermediate`,
          width,
          4 * width,
        ),
        `layer.${layer}.output`,
        4 * width,
        width,
      );
  }
  model.node('Identity', [hidden], [], ['last']);
  model.input('hidden', float, ['batch', 'sequence', 'width']);
  model.output('last', float, ['batch', 'sequence', 'width']);
  model.write(path);
}
