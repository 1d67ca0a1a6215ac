import { dataType } from '../file/dataType';
import type { GraphIndex } from './graphIndex';

/** The rank of a tensor, where the file states it or a few simple operators tell it. */
export function rankOf(index: GraphIndex, tensor: string): number | undefined {
  let name = tensor;
  for (let i = 0; i < 8; i++) {
    const stated = index.valueInfo(name)?.dims?.length ?? index.initializers.get(name)?.dims.length;
    if (stated !== undefined) return stated;
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const { opType, inputs, outputs } = index.nodes[node];
    if (opType === 'ReduceSum' || opType === 'ArgMax') {
      const rank = rankOf(index, inputs[0]);
      return index.integerAttribute(node, 'keepdims') === 0 && rank !== undefined ? rank - 1 : rank;
    }
    if (opType === 'EmbedLayerNormalization') return outputs.indexOf(name) === 1 ? 1 : 3;
    if (opType === 'Reshape') return index.weight(inputs[1])?.dims[0];
    if (opType !== 'Cast' && opType !== 'Identity') return undefined;
    name = inputs[0];
  }
  return undefined;
}

/** The float type of a tensor, as far as the file states it; a graph whose weights are of half precision computes in it. */
export function floatTypeOf(index: GraphIndex, tensor: string): number {
  const stated = index.valueInfo(tensor)?.dataType ?? 0;
  if (stated === dataType.float16 || stated === dataType.float32) return stated;
  const node = index.producer(tensor);
  if (node !== undefined) {
    for (const input of index.nodes[node].inputs) {
      const type = index.weight(input)?.dataType;
      if (type === dataType.float16 || type === dataType.float32) return type;
    }
  }
  return index.graph.initializers.some((each) => each.dataType === dataType.float16)
    ? dataType.float16
    : dataType.float32;
}
