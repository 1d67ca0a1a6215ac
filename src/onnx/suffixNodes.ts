import { dataType } from './dataType';
import type { GraphIndex } from './graphIndex';
import type { Dimension, NodeInfo } from './onnxModel';
import type { Suffix } from './site';
import { WireWriter } from './wireWriter';

/** An attribute value that a made node can have. */
export type AttributeValue =
  | { readonly integer: number }
  | { readonly integers: readonly number[] }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly raw: Uint8Array };

/** Bytes of a NodeProto. */
export function encodeNode(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  name = '',
): Uint8Array {
  const node = new WireWriter();
  const parts = operator.split('.');
  const opType = parts.pop() ?? operator;
  for (const input of inputs) node.text(1, input);
  for (const output of outputs) node.text(2, output);
  if (name !== '') node.text(3, name);
  node.text(4, opType);
  if (parts.length > 0) node.text(7, parts.join('.'));
  for (const [key, value] of Object.entries(attributes))
    node.bytes(5, 'raw' in value ? value.raw : encodeAttribute(key, value));
  return node.toBytes();
}

const attributeType = { float: 1, integer: 2, text: 3, integers: 7 } as const;

function encodeAttribute(name: string, value: Exclude<AttributeValue, { raw: Uint8Array }>): Uint8Array {
  const attribute = new WireWriter().text(1, name);
  if ('integer' in value) attribute.integer(3, value.integer).integer(20, attributeType.integer);
  else if ('text' in value) attribute.text(4, value.text).integer(20, attributeType.text);
  else if ('float' in value) attribute.float(2, value.float).integer(20, attributeType.float);
  else {
    for (const integer of value.integers) attribute.integer(8, integer);
    attribute.integer(20, attributeType.integers);
  }
  return attribute.toBytes();
}

/** Bytes of an int64 TensorProto of one dimension (none for a single number given as such). */
export function encodeIntegers(name: string, values: readonly number[] | number): Uint8Array {
  const tensor = new WireWriter();
  const list = typeof values === 'number' ? [values] : values;
  if (typeof values !== 'number') tensor.integer(1, values.length);
  tensor.integer(2, dataType.int64);
  for (const value of list) tensor.integer(7, value);
  return tensor.text(8, name).toBytes();
}

/** Bytes of a ValueInfoProto that says an element type, and the dimensions, or only their number, where they are given. */
export function encodeTypedValue(name: string, type: number, dims?: readonly Dimension[] | number): Uint8Array {
  const tensor = new WireWriter().integer(1, type);
  if (dims !== undefined) {
    const shape = new WireWriter();
    for (const dim of typeof dims === 'number' ? new Array<Dimension>(dims).fill(undefined) : dims) {
      const written = new WireWriter();
      if (typeof dim === 'number') written.integer(1, dim);
      else if (dim !== undefined) written.text(2, dim);
      shape.message(1, written);
    }
    tensor.message(2, shape);
  }
  return new WireWriter().text(1, name).message(2, new WireWriter().message(1, tensor)).toBytes();
}

/** Makes a quantised operator's result numbers again: its last two inputs are scale and zero point. */
export function dequantize(
  maker: NodeInfo,
  tensor: string,
  result: string,
): { readonly tensor: string; readonly suffix: Suffix } {
  const [scale, zeroPoint] = maker.inputs.slice(-2);
  return {
    tensor: result,
    suffix: {
      nodes: [encodeNode('DequantizeLinear', [tensor, scale, zeroPoint], [result])],
      initializers: [],
      valueInfos: [],
    },
  };
}

/** Builds what is added to a graph for one site, in the model's own opset. */
export class SuffixBuilder {
  readonly #index: GraphIndex;
  readonly #prefix: string;
  readonly #nodes: Uint8Array[] = [];
  readonly #initializers: Uint8Array[] = [];
  readonly #valueInfos: Uint8Array[] = [];

  /** @param part tells builders for one node apart. */
  constructor(index: GraphIndex, node: number, part = '') {
    this.#index = index;
    this.#prefix = `attention-explorer/${index.scope}${node}/${part}`;
  }

  /** A tensor name of this site's own. */
  name(part: string): string {
    let name = this.#prefix + part;
    while (this.#index.hasTensor(name)) name += '_';
    return name;
  }

  /** Adds a node; returns its first output. */
  add(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    this.#nodes.push(encodeNode(operator, inputs, outputs, attributes, `${this.#prefix}${this.#nodes.length}`));
    return outputs[0];
  }

  /** Adds a copy of a node with other inputs and outputs; its attributes are carried over (all, or those named) unless given anew. */
  copy(
    node: number,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    operator?: string,
    carried?: readonly string[],
  ): void {
    const { opType, domain, bytes } = this.#index.nodes[node];
    const copied: Record<string, AttributeValue> = {};
    for (const [name, { range }] of this.#index.attributes(node))
      if (carried?.includes(name) ?? true) copied[name] = { raw: bytes.subarray(range.start, range.end) };
    this.add(operator ?? (domain === '' ? opType : `${domain}.${opType}`), inputs, outputs, {
      ...copied,
      ...attributes,
    });
  }

  /** Adds an int64 constant: a list, or a single number without dimensions. */
  integers(part: string, values: readonly number[] | number): string {
    const name = this.name(part);
    this.#initializers.push(encodeIntegers(name, values));
    return name;
  }

  /** Adds a single-precision number. */
  float(part: string, value: number): string {
    const name = this.name(part);
    this.#initializers.push(
      new WireWriter()
        .integer(2, dataType.float32)
        .bytes(9, new Uint8Array(Float32Array.of(value).buffer))
        .text(8, name)
        .toBytes(),
    );
    return name;
  }

  /** Adds a byte. */
  byte(part: string, value: number): string {
    const name = this.name(part);
    this.#initializers.push(
      new WireWriter().integer(2, dataType.uint8).bytes(9, Uint8Array.of(value)).text(8, name).toBytes(),
    );
    return name;
  }

  /** Splits the last axis of a tensor of three dimensions, equally where no sizes are given. */
  split(tensor: string, parts: readonly string[], sizes: readonly number[] | undefined): void {
    const opset = this.#index.model.opsets.get('') ?? 1;
    const isEqual = sizes === undefined || sizes.length !== parts.length;
    const axis = { integer: 2 };
    if (isEqual)
      this.add('Split', [tensor], parts, opset >= 18 ? { axis, num_outputs: { integer: parts.length } } : { axis });
    else if (opset >= 13) this.add('Split', [tensor, this.integers('sizes', sizes)], parts, { axis });
    else this.add('Split', [tensor], parts, { axis, split: { integers: sizes } });
  }

  /** States a tensor's element type. */
  declare(tensor: string, type: number): void {
    this.#valueInfos.push(encodeTypedValue(tensor, type));
  }

  build(): Suffix {
    return { nodes: this.#nodes, initializers: this.#initializers, valueInfos: this.#valueInfos };
  }
}
