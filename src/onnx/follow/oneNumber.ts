import type { Dimension } from '../file/onnxModel';
import type { GraphIndex } from '../graph/graphIndex';
import { arithmetic, functions } from '../graph/operatorKinds';

/** They give as many numbers as they are given, of operands with one number each, one. */
const keepingCount = new Set([...arithmetic, ...functions, 'Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);
/** … of which only the first input counts. */
const ofFirst = new Set(['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Clip']);
/** Longer ways are not followed. */
const mostSteps = 32;

/** Whether a tensor is sure to hold one number, whatever the model is fed: a constant, a length of some tensor, what is computed of these. */
export function isOneNumber(index: GraphIndex, tensor: string): boolean {
  const pending = [tensor];
  for (let steps = 0; pending.length > 0; steps++) {
    const name = pending.pop() ?? '';
    const dims = statedDims(index, name);
    if (dims?.every((dim) => dim === 1) === true) continue;
    const made = dims === undefined && steps < mostSteps ? madeOf(index, name) : undefined;
    if (made === undefined) return false;
    pending.push(...made);
  }
  return true;
}

function statedDims(index: GraphIndex, tensor: string): readonly Dimension[] | undefined {
  return index.initializers.get(tensor)?.dims ?? index.weight(tensor)?.dims ?? index.valueInfo(tensor)?.dims;
}

/** Tensors of which a tensor is one number if they are; undefined where it may be more in any case. */
function madeOf(index: GraphIndex, tensor: string): readonly string[] | undefined {
  const node = index.producer(tensor);
  if (node === undefined || index.nodes[node].domain !== '') return undefined;
  const { opType, inputs } = index.nodes[node];
  if (keepingCount.has(opType)) return ofFirst.has(opType) ? inputs.slice(0, 1) : inputs;
  if (opType === 'Gather' && isShape(index, inputs[0])) return inputs.slice(1);
  return opType === 'Slice' && isShape(index, inputs[0]) && isOneWide(index, inputs) ? [] : undefined;
}

/** Whether a tensor is a list of lengths. */
function isShape(index: GraphIndex, tensor: string): boolean {
  const node = index.producer(tensor);
  return node !== undefined && index.nodes[node].opType === 'Shape';
}

/** Whether a slice of a list is its last element, or one in it. */
function isOneWide(index: GraphIndex, [, from, to]: readonly string[]): boolean {
  const [start, end] = [from, to].map((bound) => index.constantIntegers(bound ?? '')?.[0]);
  return start !== undefined && end !== undefined && (end - start === 1 || (start === -1 && end > 0));
}
