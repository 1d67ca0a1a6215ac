import { closeSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';

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

const float = 1;
const int64 = 7;
const opset = 17;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}
const key = (field: number, wire: number): Buffer => varint(field * 8 + wire);
const integer = (field: number, value: number): Buffer => Buffer.concat([key(field, 0), varint(value)]);
const message = (field: number, ...parts: Buffer[]): Buffer => {
  const payload = Buffer.concat(parts);
  return Buffer.concat([key(field, 2), varint(payload.length), payload]);
};
const text = (field: number, value: string): Buffer => message(field, Buffer.from(value));

/** Deterministic normal-ish noise (xorshift; sum of uniforms), so that the file is the same on every machine. */
function noise(seed: number): () => number {
  let state = seed | 1;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return () => (uniform() + uniform() + uniform() - 1.5) * 2;
}

/** How weights are made and where they lie. */
export interface RandomWeights {
  readonly seed?: number;
  /** Whether they lie in a file beside the model. */
  readonly isExternal?: boolean;
  /** Whether large tensors repeat a million numbers: a file of gigabytes is then written in seconds. */
  readonly isRepeated?: boolean;
}

/**
 * Writes an encoder with random weights as ONNX (opset 17), with the node patterns of PyTorch's TorchScript exporter:
 * inputs `input_ids` and `attention_mask` (int64 [batch, sequence]), output `last_hidden_state`.
 */
export function writeRandomBert(path: string, { numLayers, numHeads, width, vocabulary, context }: EncoderSize, { seed = 7, isExternal = false, isRepeated = false }: RandomWeights = {}): void {
  const nodes: Buffer[] = [];
  const tensors: { readonly name: string; readonly dims: readonly number[]; readonly scale: number; readonly offset: number }[] = [];
  const constants: Buffer[] = [];
  const headWidth = width / numHeads;
  let counter = 0;

  const weight = (name: string, dims: number[], scale: number, offset = 0): string => (tensors.push({ name, dims, scale, offset }), name);
  const shape = (values: number[]): string => {
    const name = `shape_${counter++}`;
    const raw = Buffer.alloc(values.length * 8);
    values.forEach((value, i) => raw.writeBigInt64LE(BigInt(value), i * 8));
    constants.push(message(5, integer(1, values.length), integer(2, int64), text(8, name), message(9, raw)));
    return name;
  };
  const scalar = (value: number): string => {
    const name = `scalar_${counter++}`;
    const raw = Buffer.alloc(4);
    raw.writeFloatLE(value);
    constants.push(message(5, integer(2, float), text(8, name), message(9, raw)));
    return name;
  };
  const node = (op: string, inputs: string[], attributes: Buffer[] = [], output = `${op}_${counter++}`): string => {
    nodes.push(message(1, ...inputs.map((input) => text(1, input)), text(2, output), text(3, `/node_${counter}/${op}`), text(4, op), ...attributes));
    return output;
  };
  const ints = (name: string, values: number[]): Buffer => message(5, text(1, name), ...values.map((value) => integer(8, value)), integer(20, 7));
  const int = (name: string, value: bigint): Buffer => {
    const raw: number[] = [];
    for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
      if (rest < 128n) {
        raw.push(Number(rest));
        break;
      }
      raw.push(Number(rest & 127n) | 128);
    }
    return message(5, text(1, name), Buffer.concat([key(3, 0), Buffer.from(raw)]), integer(20, 2));
  };
  const linear = (input: string, name: string, from: number, to: number, scale: number): string => node('Add', [weight(`${name}.bias`, [to], 0.02), node('MatMul', [input, weight(`${name}.weight`, [from, to], scale / Math.sqrt(from))])]);
  const normalize = (input: string, name: string): string => node('LayerNormalization', [input, weight(`${name}.weight`, [width], 0, 1), weight(`${name}.bias`, [width], 0)], [int('axis', -1n)]);

  const positions = node('Slice', [weight('positions', [context, width], 1), shape([0]), node('Gather', [node('Shape', ['input_ids']), shape([1])], [int('axis', 0n)]), shape([0])]);
  let hidden = normalize(node('Add', [node('Gather', [weight('embeddings', [vocabulary, width], 1), 'input_ids']), positions]), 'norm');
  const visible = node('Cast', [node('Unsqueeze', ['attention_mask', shape([1, 2])])], [int('to', BigInt(float))]);
  const mask = node('Mul', [node('Sub', [scalar(1), visible]), scalar(-3.4e38)]);
  const heads = shape([0, 0, numHeads, headWidth]);
  const flat = shape([0, 0, width]);
  for (let layer = 0; layer < numLayers; layer++) {
    const name = `encoder.layer.${layer}`;
    const split = (part: string, order: number[], scale: number): string => node('Transpose', [node('Reshape', [linear(hidden, `${name}.attention.${part}`, width, width, scale), heads])], [ints('perm', order)]);
    // Queries and keys are scaled up, so that attention is peaked as in a trained model.
    const scores = node('Mul', [node('MatMul', [split('query', [0, 2, 1, 3], 2), split('key', [0, 2, 3, 1], 2)]), scalar(1 / Math.sqrt(headWidth))]);
    const probabilities = node('Softmax', [node('Add', [scores, mask])], [int('axis', -1n)]);
    const mixed = node('Reshape', [node('Transpose', [node('MatMul', [probabilities, split('value', [0, 2, 1, 3], 1)])], [ints('perm', [0, 2, 1, 3])]), flat]);
    const attended = normalize(node('Add', [linear(mixed, `${name}.attention.output`, width, width, 1), hidden]), `${name}.norm1`);
    const inner = linear(attended, `${name}.intermediate`, width, 4 * width, 1);
    const active = node('Mul', [node('Mul', [inner, node('Add', [node('Erf', [node('Div', [inner, scalar(Math.SQRT2)])]), scalar(1)])]), scalar(0.5)]);
    hidden = normalize(node('Add', [linear(active, `${name}.output`, 4 * width, width, 1), attended]), `${name}.norm2`);
  }
  node('Identity', [hidden], [], 'last_hidden_state');

  const value = (field: number, name: string, type: number, dims: string[]): Buffer => message(field, text(1, name), message(2, message(1, integer(1, type), message(2, ...dims.map((dim) => message(1, text(2, dim)))))));
  const head = [...nodes, text(2, 'encoder'), ...constants, value(11, 'input_ids', int64, ['batch', 'sequence']), value(11, 'attention_mask', int64, ['batch', 'sequence']), value(12, 'last_hidden_state', float, ['batch', 'sequence', 'width'])];
  const count = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
  const tensorHead = ({ name, dims }: (typeof tensors)[number]): Buffer => Buffer.concat([...dims.map((dim) => integer(1, dim)), integer(2, float), text(8, name)]);
  const entry = (name: string, value: string): Buffer => message(13, text(1, name), text(2, value));
  const weightsName = `${basename(path)}.data`;
  let offset = 0;
  const places = new Map(tensors.map((tensor) => {
    const length = count(tensor.dims) * 4;
    const place = Buffer.concat([entry('location', weightsName), entry('offset', String(offset)), entry('length', String(length)), integer(14, 1)]);
    offset += length;
    return [tensor, place];
  }));
  const tensorLength = (tensor: (typeof tensors)[number]): number => {
    const bytes = count(tensor.dims) * 4;
    return tensorHead(tensor).length + (isExternal ? (places.get(tensor)?.length ?? 0) : key(9, 2).length + varint(bytes).length + bytes);
  };
  const graphLength = head.reduce((sum, part) => sum + part.length, 0) + tensors.reduce((sum, tensor) => sum + key(5, 2).length + varint(tensorLength(tensor)).length + tensorLength(tensor), 0);

  const file = openSync(path, 'w');
  const weights = isExternal ? openSync(`${path}.data`, 'w') : file;
  try {
    const writeTo = (to: number, part: Buffer): void => {
      for (let at = 0; at < part.length; ) at += writeSync(to, part, at, Math.min(2 ** 28, part.length - at));
    };
    const write = (...parts: Buffer[]): void => parts.forEach((part) => writeTo(file, part));
    write(integer(1, 8), text(2, 'random-bert'), message(8, integer(2, opset)), key(7, 2), varint(graphLength), ...head);
    const next = noise(seed);
    for (const tensor of tensors) {
      const values = new Float32Array(count(tensor.dims));
      const numMade = isRepeated ? Math.min(values.length, 2 ** 20) : values.length;
      for (let i = 0; i < numMade; i++) values[i] = tensor.offset + (tensor.scale === 0 ? 0 : tensor.scale * next());
      for (let i = numMade; i < values.length; i += numMade) values.copyWithin(i, 0, Math.min(numMade, values.length - i));
      write(key(5, 2), varint(tensorLength(tensor)), tensorHead(tensor), ...(isExternal ? [places.get(tensor) ?? Buffer.alloc(0)] : [key(9, 2), varint(values.byteLength)]));
      writeTo(weights, Buffer.from(values.buffer));
    }
  } finally {
    closeSync(file);
    if (weights !== file) closeSync(weights);
  }
}
