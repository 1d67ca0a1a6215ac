import { dataType } from './dataType';
import {
  attributeField,
  attributeType,
  dimensionField,
  nodeField,
  shapeField,
  tensorField,
  tensorTypeField,
  typeField,
  valueField,
} from './fields';
import type { Dimension, NodeInfo } from './onnxModel';
import { WireWriter } from './wireWriter';

/** An attribute value that a made node can have. */
export type AttributeValue =
  | { readonly integer: number }
  | { readonly integers: readonly number[] }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly raw: Uint8Array };

/** A node that is made. */
export interface MadeNode {
  /** Its type, behind its domain and a point where it has one. */
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly name?: string;
}

/** Bytes of a NodeProto without a name. */
export function encodeNode(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): Uint8Array {
  return encodeMadeNode({ operator, inputs, outputs, attributes });
}

/** Bytes of a NodeProto. */
export function encodeMadeNode({ operator, inputs, outputs, attributes = {}, name = '' }: MadeNode): Uint8Array {
  const node = new WireWriter();
  const parts = operator.split('.');
  const opType = parts.pop() ?? operator;
  for (const input of inputs) node.text(nodeField.input, input);
  for (const output of outputs) node.text(nodeField.output, output);
  if (name !== '') node.text(nodeField.name, name);
  node.text(nodeField.opType, opType);
  if (parts.length > 0) node.text(nodeField.domain, parts.join('.'));
  for (const [key, value] of Object.entries(attributes))
    node.bytes(nodeField.attribute, 'raw' in value ? value.raw : encodeAttribute(key, value));
  return node.toBytes();
}

/** A node that gives one tensor another name. */
export function identityNode(input: string, output: string, name = ''): NodeInfo {
  const opType = 'Identity';
  const bytes = encodeMadeNode({ operator: opType, inputs: [input], outputs: [output], name });
  return { opType, domain: '', inputs: [input], outputs: [output], bytes, range: { start: 0, end: bytes.length } };
}

function encodeAttribute(name: string, value: Exclude<AttributeValue, { raw: Uint8Array }>): Uint8Array {
  const attribute = new WireWriter().text(attributeField.name, name);
  if ('integer' in value)
    attribute.integer(attributeField.integer, value.integer).integer(attributeField.type, attributeType.integer);
  else if ('text' in value)
    attribute.text(attributeField.text, value.text).integer(attributeField.type, attributeType.text);
  else if ('float' in value)
    attribute.float(attributeField.float, value.float).integer(attributeField.type, attributeType.float);
  else {
    for (const integer of value.integers) attribute.integer(attributeField.integers, integer);
    attribute.integer(attributeField.type, attributeType.integers);
  }
  return attribute.toBytes();
}

/** Bytes of an int64 TensorProto of one dimension (none for a single number given as such). */
export function encodeIntegers(name: string, values: readonly number[] | number): Uint8Array {
  const tensor = new WireWriter();
  const list = typeof values === 'number' ? [values] : values;
  if (typeof values !== 'number') tensor.integer(tensorField.dims, values.length);
  tensor.integer(tensorField.dataType, dataType.int64);
  for (const value of list) tensor.integer(tensorField.int64s, value);
  return tensor.text(tensorField.name, name).toBytes();
}

/** Bytes of a ValueInfoProto that says an element type, and the dimensions, or only their number, where they are given. */
export function encodeTypedValue(name: string, type: number, dims?: readonly Dimension[] | number): Uint8Array {
  const tensor = new WireWriter().integer(tensorTypeField.elementType, type);
  if (dims !== undefined) {
    const shape = new WireWriter();
    for (const dim of typeof dims === 'number' ? new Array<Dimension>(dims).fill(undefined) : dims) {
      const written = new WireWriter();
      if (typeof dim === 'number') written.integer(dimensionField.value, dim);
      else if (dim !== undefined) written.text(dimensionField.parameter, dim);
      shape.message(shapeField.dim, written);
    }
    tensor.message(tensorTypeField.shape, shape);
  }
  return new WireWriter()
    .text(valueField.name, name)
    .message(valueField.type, new WireWriter().message(typeField.tensor, tensor))
    .toBytes();
}
