import type { GraphIndex } from '../graph/graphIndex';

/** Whether nothing that is fed goes into a tensor. */
export function isConstant(index: GraphIndex, tensor: string): boolean {
  if (index.weight(tensor) !== undefined) return true;
  if (index.producer(tensor) === undefined) return false;
  const { tensors } = index.ancestors([tensor]);
  return !index.inputs.some(({ name }) => tensors.has(name));
}
