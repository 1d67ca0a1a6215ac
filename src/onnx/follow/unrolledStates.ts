import type { GraphIndex } from '../graph/graphIndex';
import { pathOfNode } from '../graph/nodePath';
import { rearranging } from './trace';

/** A state of one module that is changed again and again, written out step by step. */
export interface UnrolledState {
  /** The last change. */
  readonly node: number;
  readonly path: string;
  readonly numSteps: number;
}

/** So many changes in a row are no gate and no polynomial any more. */
const fewestSteps = 4;
const mostHops = 3;

/**
 * Recurrent layers that an exporter has written out position by position (Mamba, RWKV, linear attention with decay), one for each module:
 * sums s' = a · s + b in a row, in which a and b are activations. Residual streams, which are such sums over the layers, change modules.
 */
export function unrolledStates(index: GraphIndex): UnrolledState[] {
  const steps = new Map<number, number>();
  const longest = new Map<string, UnrolledState>();
  index.nodes.forEach(({ opType, domain }, node) => {
    if (opType !== 'Add' || domain !== '') return;
    const before = changedState(index, node);
    if (before === undefined) return;
    const path = pathOfNode(index, node);
    if (path === undefined || pathOfNode(index, before) !== path) return;
    const numSteps = (steps.get(before) ?? 1) + 1;
    steps.set(node, numSteps);
    if (numSteps >= fewestSteps && numSteps > (longest.get(path)?.numSteps ?? 0))
      longest.set(path, { node, path, numSteps });
  });
  return [...longest.values()];
}

/** The sum that a sum decays and adds to; undefined for other sums. */
function changedState(index: GraphIndex, node: number): number | undefined {
  const { inputs } = index.nodes[node];
  if (inputs.some((input) => index.weight(input) !== undefined)) return undefined;
  for (const input of inputs) {
    const maker = index.nodes[index.producer(input) ?? -1];
    if (maker?.opType !== 'Mul' || maker.inputs.some((factor) => index.weight(factor) !== undefined)) continue;
    for (const factor of maker.inputs) {
      const sum = sumBehind(index, factor);
      if (sum !== undefined && index.nodes[sum].inputs.every((each) => index.weight(each) === undefined)) return sum;
    }
  }
  return undefined;
}

/** The sum that a tensor is, at most in another arrangement. */
function sumBehind(index: GraphIndex, tensor: string): number | undefined {
  let name = tensor;
  for (let i = 0; i < mostHops; i++) {
    const node = index.producer(name);
    if (node === undefined || index.nodes[node].opType === 'Concat') return undefined;
    if (index.nodes[node].opType === 'Add') return node;
    if (!rearranging.has(index.nodes[node].opType)) return undefined;
    name = index.nodes[node].inputs[0];
  }
  return undefined;
}
