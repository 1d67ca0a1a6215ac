import { linearMap, type LinearMap } from '../follow/outputProjection';
import { activationProduct, operatorOf, projectedTensor } from '../follow/products';
import type { GraphIndex } from '../graph/graphIndex';
import type { ValuesInParts } from '../name/site';
import { carriedInputs } from './elementTrace';
import { operandOrigin, type OperandOrigin } from './operandOrigin';

/** What of a graph an attention in parts is followed through. */
export interface PartsRegion {
  /** Tensors that a run is asked for: numbers on the way, and the indices that move them. */
  readonly tensors: ReadonlySet<string>;
  /** Products of activations on the way, by their node: where each of their operands comes from. */
  readonly products: ReadonlyMap<number, readonly OperandOrigin[]>;
  /** Projections that the way begins with, by their node. */
  readonly maps: ReadonlyMap<number, LinearMap>;
}

/** More tensors are on the way of no attention that is known. */
const mostTensors = 4000;

/** From what all parts come to, against the flow, to the projections of values, queries and keys. */
export function partsRegion(index: GraphIndex, { joined }: ValuesInParts): PartsRegion | string {
  const tensors = new Set([joined]);
  const products = new Map<number, readonly OperandOrigin[]>();
  const maps = new Map<number, LinearMap>();
  const pending = new Set([joined]);
  for (const tensor of pending) {
    const node = index.producer(tensor);
    if (node === undefined) continue;
    index.spend(1);
    const projected = projectedTensor(index, node);
    if (projected !== undefined) {
      const map = linearMap(index, node, projected);
      if (typeof map !== 'string' && map.resultScale === undefined) maps.set(node, map);
      continue;
    }
    const carried = carriedInputs(index, node).filter((input) => input !== '');
    for (const input of carried) pending.add(input);
    for (const input of carried.length === 0 ? [] : [...carried, ...indicesOf(index, node)]) tensors.add(input);
    const operands = activationProduct(index, node)?.operands;
    if (operands !== undefined)
      products.set(
        node,
        operands.map((operand) => operandOrigin(index, operand, -2, true)),
      );
    if (tensors.size > mostTensors) return 'it is computed in more parts than are followed';
  }
  const ofMaps = [...maps.values()].flatMap(({ context, output, added }) => [context, output, added ?? output]);
  const scales = [...products.values()].flat().flatMap((origin) => origin.scales.map(({ factor }) => factor));
  for (const tensor of [...ofMaps, ...scales]) tensors.add(tensor);
  return { tensors, products, maps };
}

/** Inputs of a node beside those that numbers come through: where it moves them to. Another shape moves none. */
function indicesOf(index: GraphIndex, node: number): readonly string[] {
  return operatorOf(index, node) === 'Reshape' ? [] : index.nodes[node].inputs.filter((input) => input !== '');
}
