import { dataType } from '../../../src/onnx/file/dataType';
import { encodeIntegers, encodeMadeNode, type MadeNode } from '../../../src/onnx/file/nodeBytes';
import { WireWriter } from '../../../src/onnx/file/wireWriter';

/** A node of a model made by hand. */
export type SmallNode = MadeNode;

/** A graph made by hand; inputs, outputs and weights are float tensors unless `types` says otherwise; weights can also be int64, and halves by their bits. */
export interface SmallGraph {
  readonly nodes: readonly SmallNode[];
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: readonly string[];
  readonly types?: Readonly<Record<string, number>>;
  readonly weights?: Readonly<Record<string, { readonly dims: readonly number[]; readonly values: readonly number[] }>>;
  /** Lists of integers: shapes, axes, indices. */
  readonly integers?: Readonly<Record<string, readonly number[]>>;
  readonly opset?: number;
}

const valueInfo = (name: string, type: number, dims: readonly (number | string)[] | undefined): WireWriter => {
  const tensor = new WireWriter().integer(1, type);
  if (dims !== undefined) {
    const shape = new WireWriter();
    for (const dim of dims)
      shape.message(1, typeof dim === 'number' ? new WireWriter().integer(1, dim) : new WireWriter().text(2, dim));
    tensor.message(2, shape);
  }
  return new WireWriter().text(1, name).message(2, new WireWriter().message(1, tensor));
};

/** The bytes of a GraphProto. */
export function smallGraph({
  nodes,
  inputs,
  outputs,
  types = {},
  weights = {},
  integers = {},
}: SmallGraph): WireWriter {
  const graph = new WireWriter();
  for (const node of nodes) graph.bytes(1, encodeMadeNode(node));
  graph.text(2, 'small');
  for (const [name, { dims, values }] of Object.entries(weights)) {
    const tensor = new WireWriter();
    for (const dim of dims) tensor.integer(1, dim);
    const type = types[name] ?? dataType.float32;
    const numbers =
      type === dataType.int64
        ? BigInt64Array.from(values, BigInt)
        : type === dataType.float16
          ? Uint16Array.from(values)
          : Float32Array.from(values);
    tensor.integer(2, type).text(8, name).bytes(9, new Uint8Array(numbers.buffer));
    graph.message(5, tensor);
  }
  for (const [name, values] of Object.entries(integers)) graph.bytes(5, encodeIntegers(name, values));
  for (const [name, dims] of Object.entries(inputs)) graph.message(11, valueInfo(name, types[name] ?? 1, dims));
  for (const name of outputs) graph.message(12, valueInfo(name, types[name] ?? 1, undefined));
  return graph;
}

/** The bytes of a ModelProto (IR 8); operators of another set are named `set.Operator`. */
export function smallModel(graph: SmallGraph): Uint8Array {
  const model = new WireWriter()
    .integer(1, 8)
    .message(7, smallGraph(graph))
    .message(8, new WireWriter().integer(2, graph.opset ?? 17));
  for (const set of new Set(graph.nodes.flatMap(({ operator }) => /^(.*)\.[^.]*$/.exec(operator)?.[1] ?? [])))
    model.message(8, new WireWriter().text(1, set).integer(2, 1));
  return model.toBytes();
}

/** softmax(q kᵀ) v on inputs of four dimensions. */
export const plainAttention: SmallGraph = {
  nodes: [
    { operator: 'MatMul', inputs: ['q', 'kt'], outputs: ['s'] },
    { operator: 'Softmax', inputs: ['s'], outputs: ['p'], attributes: { axis: { integer: -1 } } },
    { operator: 'MatMul', inputs: ['p', 'v'], outputs: ['y'] },
  ],
  inputs: { q: [1, 2, 'n', 4], kt: [1, 2, 4, 'n'], v: [1, 2, 'n', 4] },
  outputs: ['y'],
};

/** A node of a small graph. */
export function node(
  operator: string,
  inputs: string[],
  outputs: string[],
  attributes: SmallNode['attributes'] = {},
): SmallNode {
  return { operator, inputs, outputs, attributes };
}

/** A tensor of a small graph whose numbers are all alike. */
export function weight(...dims: number[]): { dims: number[]; values: number[] } {
  return { dims, values: new Array<number>(dims.reduce((product, dim) => product * dim, 1)).fill(0.5) };
}
