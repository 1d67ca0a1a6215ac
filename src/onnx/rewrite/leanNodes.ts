import { dataType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import type { TensorInfo } from '../file/onnxModel';
import { operatorOf } from '../follow/products';
import { encodeNode } from '../file/nodeBytes';
import { WireWriter } from '../file/wireWriter';

/** Nodes that others stand in for: the index of each with NodeProtos in its place, and TensorProtos that these use. */
export interface Replacements {
  readonly nodes: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly initializers: readonly Uint8Array[];
}

/** A number so far below any score that a score added to it is lost in its last place. */
const lowest = -1e30;

/**
 * What gives the same weights with fewer matrices at a time, as long as all scores are finite: choosing takes four of the size of
 * the scores. A score that is put down to the lowest number becomes a sum with a mask of its own small shape; and weights that are
 * not numbers, which come from rows without any key, are not looked for. A run tells whether there are any: then a row's sum is none.
 */
export function leanReplacements(index: GraphIndex): Replacements {
  const nodes = new Map<number, readonly Uint8Array[]>();
  const zero = unusedName(index, 'attention-explorer-zero');
  let needsZero = false;
  index.nodes.forEach(({ opType, domain, inputs, outputs }, node) => {
    if (opType !== 'Where' || domain !== '') return;
    const [condition, chosen, other] = inputs;
    const test = index.producer(condition);
    const maker = makerOf(index, chosen);
    if (
      test !== undefined &&
      operatorOf(index, test) === 'IsNaN' &&
      index.nodes[test].inputs[0] === other &&
      makerOf(index, other) === 'Softmax' &&
      scalarOf(index, chosen) === 0
    ) {
      if (index.consumers(condition).length === 1) nodes.set(test, []);
      nodes.set(node, [encodeNode('Identity', [other], [outputs[0]])]);
    } else if (
      maker !== undefined &&
      scoreMakers.has(maker) &&
      (scalarOf(index, other) ?? 0) <= lowest &&
      isFloat(index, chosen)
    ) {
      needsZero = true;
      const mask = unusedName(index, `attention-explorer-mask-${node}`);
      nodes.set(node, [
        encodeNode('Where', [condition, zero, other], [mask]),
        encodeNode('Add', [chosen, mask], [outputs[0]]),
      ]);
    }
  });
  const initializers = needsZero
    ? [new WireWriter().integer(2, dataType.float32).bytes(9, new Uint8Array(4)).text(8, zero).toBytes()]
    : [];
  return { nodes, initializers };
}

/** Operators whose results, before a mask, are scores. */
const scoreMakers = new Set(['MatMul', 'Mul', 'Div']);

function makerOf(index: GraphIndex, tensor: string): string | undefined {
  const node = index.producer(tensor);
  return node === undefined ? undefined : operatorOf(index, node);
}

/** Whether nothing says that a tensor is of another type than single precision: its mask is. */
function isFloat(index: GraphIndex, tensor: string): boolean {
  const type = index.valueInfo(tensor)?.dataType ?? 0;
  return (
    type === dataType.float32 ||
    (type === 0 &&
      index.graph.initializers.every(
        (each) => each.dataType !== dataType.float16 && each.dataType !== dataType.float64,
      ))
  );
}

/** The value of a constant of one single-precision number. */
function scalarOf(index: GraphIndex, tensor: string): number | undefined {
  const node = index.producer(tensor);
  const constant: TensorInfo | undefined =
    index.initializers.get(tensor) ??
    (node !== undefined && index.nodes[node].opType === 'Constant'
      ? index.attributes(node).get('value')?.tensor
      : undefined);
  if (
    constant?.dataType !== dataType.float32 ||
    constant.external !== undefined ||
    constant.dims.some((dim) => dim !== 1) ||
    constant.data === undefined
  )
    return undefined;
  const { bytes, data } = constant;
  return data.end - data.start === 4
    ? new DataView(bytes.buffer, bytes.byteOffset + data.start, 4).getFloat32(0, true)
    : undefined;
}

function unusedName(index: GraphIndex, wished: string): string {
  let name = wished;
  while (index.hasTensor(name)) name += '_';
  return name;
}
