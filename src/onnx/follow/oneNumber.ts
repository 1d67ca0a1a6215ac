import type { GraphIndex } from '../graph/graphIndex';
import { arithmetic, functions, roundingOfBoth } from '../graph/operatorKinds';
import { operatorOf } from './products';

/** They give as many numbers as they are given. */
const ofFirst = new Set([...['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Clip'], ...roundingOfBoth]);
/** … and, of operands with one number each, one. */
const ofAll = new Set([...arithmetic, ...functions]);
/** Longer ways are not followed. */
const mostSteps = 32;

/** What may be one number. */
interface Counted {
  /**
   * Whether what the model computes of its text counts, where the file states that it is one number. Where scales are looked for it does not: of an
   * attention with one query, what its row is divided by is one number as well.
   */
  readonly withActivations: boolean;
}

/** Whether a tensor is sure to hold one number, whatever the model is fed: a constant, a length of some tensor, a scale of rounding, what is computed of these. */
export function isOneNumber(index: GraphIndex, tensor: string, { withActivations }: Counted): boolean {
  const pending = [tensor];
  for (let steps = 0; pending.length > 0; steps++) {
    const name = pending.pop() ?? '';
    const weight = index.initializers.get(name) ?? index.weight(name);
    const dims = weight?.dims ?? (withActivations ? index.valueInfo(name)?.dims : undefined);
    if (dims?.every((dim) => dim === 1) === true) continue;
    const made = dims === undefined && steps < mostSteps ? madeOf(index, name) : undefined;
    if (made === undefined) return false;
    index.spend(1);
    pending.push(...made);
  }
  return true;
}

/** Tensors of which a tensor is one number if they are; undefined where it may be more in any case. */
function madeOf(index: GraphIndex, tensor: string): readonly string[] | undefined {
  const node = index.producer(tensor);
  if (node === undefined) return undefined;
  const { inputs, outputs } = index.nodes[node];
  const operator = operatorOf(index, node);
  if (ofFirst.has(operator)) return inputs.slice(0, 1);
  if (ofAll.has(operator)) return inputs;
  switch (operator) {
    case 'Size':
      return [];
    case 'DynamicQuantizeLinear':
      return tensor === outputs[0] ? undefined : [];
    case 'Gather':
      return isShape(index, inputs[0]) ? inputs.slice(1) : undefined;
    case 'Slice':
      return isShape(index, inputs[0]) && isOneWide(index, inputs) ? [] : undefined;
    default:
      return undefined;
  }
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
