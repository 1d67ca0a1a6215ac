import { dataType } from './dataType';
import type { Dimension } from './onnxModel';
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
