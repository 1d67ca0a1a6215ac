import { tensorField } from '../file/fields';
import { dataType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import type { NodeInfo } from '../file/onnxModel';
import type { Suffix } from '../name/site';
import { encodeBody, type MadeValue } from '../file/encodeModel';
import { encodeIntegers, encodeMadeNode, encodeNode, encodeTypedValue, type AttributeValue } from '../file/nodeBytes';
import { WireWriter } from '../file/wireWriter';

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
    const name = `${this.#prefix}${this.#nodes.length}`;
    this.#nodes.push(encodeMadeNode({ operator, inputs, outputs, attributes, name }));
    return outputs[0];
  }

  /** Adds a node whose output has a name of this site's own; returns that. */
  tensor(
    operator: string,
    inputs: readonly string[],
    part: string,
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    return this.add(operator, inputs, [this.name(part)], attributes);
  }

  /** Reduces a tensor along one axis, which the operator is given as an input from the opset `inputSince` on, before that as an attribute. */
  reduced(
    operator: string,
    tensor: string,
    part: string,
    { axis, keeps, inputSince }: { readonly axis: number; readonly keeps: boolean; readonly inputSince: number },
  ): string {
    const keepdims = { integer: Number(keeps) };
    return (this.#index.model.opsets.get('') ?? 1) >= inputSince
      ? this.tensor(operator, [tensor, this.integers(`${part}-axis`, [axis])], part, { keepdims })
      : this.tensor(operator, [tensor], part, { axes: { integers: [axis] }, keepdims });
  }

  /** Adds a copy of a node with other inputs and outputs, as another operator where one is named; its attributes are carried over (all, or those named) unless given anew. */
  copy(
    node: number,
    inputs: readonly string[],
    outputs: readonly string[],
    {
      attributes,
      operator,
      carried,
    }: {
      readonly attributes?: Readonly<Record<string, AttributeValue>>;
      readonly operator?: string;
      readonly carried?: readonly string[];
    } = {},
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

  /** Adds a node that was made elsewhere. */
  made(node: Uint8Array): void {
    this.#nodes.push(node);
  }

  /** Adds a loop of so many turns around the nodes of another builder, whose constants stand beside it; what comes of its turns is put together along an axis before all others. */
  loop(
    trips: string,
    results: readonly string[],
    body: {
      readonly inside: SuffixBuilder;
      /** What the first turn has of what each turn hands on to the next. */
      readonly first?: readonly string[];
      readonly inputs: readonly MadeValue[];
      readonly outputs: readonly MadeValue[];
    },
  ): void {
    const { nodes, initializers, valueInfos } = body.inside.build();
    this.#initializers.push(...initializers);
    this.#valueInfos.push(...valueInfos);
    this.add('Loop', [trips, '', ...(body.first ?? [])], results, { body: { raw: encodeBody('body', nodes, body) } });
  }

  /** Adds an int64 constant: a list, or a single number without dimensions. */
  integers(part: string, values: readonly number[] | number): string {
    const name = this.name(part);
    this.#initializers.push(encodeIntegers(name, values));
    return name;
  }

  /** Adds a single-precision number, with so many axes of length one. */
  float(part: string, value: number, rank = 0): string {
    const name = this.name(part);
    const tensor = new WireWriter();
    for (let axis = 0; axis < rank; axis++) tensor.integer(tensorField.dims, 1);
    this.#initializers.push(
      tensor
        .integer(tensorField.dataType, dataType.float32)
        .bytes(tensorField.raw, new Uint8Array(Float32Array.of(value).buffer))
        .text(tensorField.name, name)
        .toBytes(),
    );
    return name;
  }

  /** Adds a byte. */
  byte(part: string, value: number): string {
    const name = this.name(part);
    this.#initializers.push(
      new WireWriter()
        .integer(tensorField.dataType, dataType.uint8)
        .bytes(tensorField.raw, Uint8Array.of(value))
        .text(tensorField.name, name)
        .toBytes(),
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
