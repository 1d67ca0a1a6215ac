import type { GraphIndex } from './graphIndex';

/** How a model cuts its picture into patches: the convolution that its pixels go through first. */
export interface PatchEmbedding {
  /** [vertical, horizontal] */
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Padding above, left, below, right. */
  readonly pads: readonly [number, number, number, number];
  /** Channels of the picture, from the convolution's weight. */
  readonly numChannels: number | undefined;
  /** Where the patches stand among the tokens that join them: behind all others, before them, or not known. */
  readonly place: 'last' | 'first' | 'unknown';
}

/** Operators that a picture goes through on its way to the patches, and patches on their way to the tokens. */
const passing = new Set(['Cast', 'CastLike', 'Identity', 'Transpose', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Mul', 'Div', 'Add', 'Sub', 'QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Slice', 'Dropout', 'LayerNormalization']);
const convolutions = new Set(['Conv', 'ConvInteger', 'QLinearConv', 'FusedConv']);

/** Follows a picture input to the convolution that makes patches of it; undefined where there is none. */
export function patchEmbedding(index: GraphIndex, input: string): PatchEmbedding | undefined {
  const node = follow(index, input, (type) => convolutions.has(type))?.node;
  if (node === undefined) return undefined;
  const { opType, inputs } = index.nodes[node];
  const weight = index.weight(inputs[opType === 'QLinearConv' ? 3 : 1]);
  const attributes = index.attributes(node);
  const [height, width] = attributes.get('kernel_shape')?.integers ?? weight?.dims.slice(2) ?? [];
  if (!(height > 0 && width > 0) || (attributes.get('auto_pad')?.text ?? 'NOTSET') !== 'NOTSET') return undefined;
  const [down = 1, right = 1] = attributes.get('strides')?.integers ?? [];
  const [top = 0, left = 0, bottom = 0, end = 0] = attributes.get('pads')?.integers ?? [];
  return { kernel: [height, width], strides: [down, right], pads: [top, left, bottom, end], numChannels: weight?.dims[1], place: placeOf(index, index.nodes[node].outputs[0]) };
}

/** Rows and columns of patches that a picture is cut into. */
export function patchCount({ kernel, strides, pads }: Pick<PatchEmbedding, 'kernel' | 'strides' | 'pads'>, width: number, height: number): { readonly rows: number; readonly columns: number } {
  return { rows: Math.floor((height + pads[0] + pads[2] - kernel[0]) / strides[0]) + 1, columns: Math.floor((width + pads[1] + pads[3] - kernel[1]) / strides[1]) + 1 };
}

/** The first node of a kind that a tensor reaches through operators that only rearrange, scale or convert, and the input by which it does. */
function follow(index: GraphIndex, tensor: string, isWanted: (opType: string) => boolean): { readonly node: number; readonly input: string } | undefined {
  const pending = [tensor];
  const seen = new Set(pending);
  for (let next = pending.shift(); next !== undefined && seen.size < 256; next = pending.shift()) {
    for (const consumer of index.consumers(next)) {
      const { opType, outputs } = index.nodes[consumer];
      if (isWanted(opType)) return { node: consumer, input: next };
      if (!passing.has(opType) || outputs[0] === undefined || seen.has(outputs[0])) continue;
      seen.add(outputs[0]);
      pending.push(outputs[0]);
    }
  }
  return undefined;
}

function placeOf(index: GraphIndex, patches: string): PatchEmbedding['place'] {
  const joined = follow(index, patches, (type) => type === 'Concat');
  if (joined === undefined) return 'unknown';
  // A class token may depend on the patches too: on how many pictures they are of.
  const { inputs } = index.nodes[joined.node];
  const own = inputs.indexOf(joined.input);
  return own === inputs.length - 1 ? 'last' : own === 0 ? 'first' : 'unknown';
}
