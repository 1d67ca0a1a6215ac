import type { Axis, Length } from './axes';
import type { GraphIndex } from '../graph/graphIndex';

/** What is known of tensors: the lengths that they hold, and their own axes. */
interface Known {
  readonly lengthsOf: (tensor: string) => readonly Length[] | undefined;
  readonly axesOf: (tensor: string) => readonly Axis[] | undefined;
}

const onOne = new Set(['Gather', 'Cast', 'Identity', 'Unsqueeze', 'Squeeze', 'Reshape', 'Floor']);
const onAll = new Set(['Concat', 'Mul', 'Div', 'Mod', 'Add', 'Sub']);

/** The inputs of a node that hold the lengths which its result is computed of; none of an operator that computes no shapes. */
export function lengthInputs(index: GraphIndex, node: number): readonly string[] {
  const { opType, domain, inputs } = index.nodes[node];
  if (domain !== '') return [];
  return onAll.has(opType)
    ? inputs
    : onOne.has(opType)
      ? inputs.slice(0, 1)
      : opType === 'Where'
        ? inputs.slice(1)
        : opType === 'Slice'
          ? inputs.slice(0, 3)
          : [];
}

/** The lengths that a node computes of lengths, each known by the axis that it is of; undefined where they are not known. */
export function computedLengths(
  index: GraphIndex,
  node: number,
  { lengthsOf, axesOf }: Known,
): readonly Length[] | undefined {
  const { opType, domain, inputs } = index.nodes[node];
  if (domain !== '') return undefined;
  const own = (at: number): readonly Length[] | undefined =>
    lengthsOf(inputs[at] ?? '') ?? index.constantIntegers(inputs[at] ?? '');
  switch (opType) {
    case 'Shape': {
      const [start, end] = [index.integerAttribute(node, 'start'), index.integerAttribute(node, 'end')];
      return axesOf(inputs[0])?.slice(start ?? 0, end);
    }
    case 'Gather': {
      const from = lengthsOf(inputs[0]);
      const at = from === undefined ? undefined : index.constantIntegers(inputs[1]);
      return from === undefined || at === undefined ? undefined : at.map((each) => from.at(each));
    }
    case 'Slice': {
      const from = lengthsOf(inputs[0]);
      if (from === undefined) return undefined;
      const [start, end] = [own(1), own(2)].map((at) => numberOf(at?.[0]));
      return start === undefined || end === undefined || inputs[4]
        ? undefined
        : from.slice(start, Math.min(end, from.length));
    }
    case 'Cast':
    case 'Identity':
    case 'Unsqueeze':
    case 'Squeeze':
    case 'Reshape':
    case 'Floor':
      return lengthsOf(inputs[0]);
    case 'Concat': {
      if (!inputs.some((input) => lengthsOf(input) !== undefined)) return undefined;
      return inputs.flatMap(
        (_, at) => own(at) ?? Array.from({ length: axesOf(inputs[at])?.[0]?.size ?? 1 }, () => undefined),
      );
    }
    case 'Mul':
    case 'Div':
    case 'Mod':
    case 'Add':
    case 'Sub': {
      // Where an axis is, counted from the front, is computed of constants alone.
      if (opType !== 'Mod' && lengthsOf(inputs[0]) === undefined && lengthsOf(inputs[1]) === undefined)
        return undefined;
      const [a, b] = [own(0), own(1)];
      if (a?.length !== 1 || b?.length !== 1) return undefined;
      return [computed(opType, a[0], b[0])];
    }
    case 'Where': {
      if (lengthsOf(inputs[1]) === undefined && lengthsOf(inputs[2]) === undefined) return undefined;
      const [yes, no] = [own(1), own(2)];
      return yes?.length === no?.length
        ? yes?.map((length, i) => (length === no?.[i] ? length : undefined))
        : undefined;
    }
    default:
      return undefined;
  }
}

/** A length as a number, where it is one. */
export const numberOf = (length: Length): number | undefined => (typeof length === 'object' ? length.size : length);

function computed(opType: string, a: Length, b: Length): Length {
  // An axis times one is that axis.
  if ((opType === 'Mul' || opType === 'Div') && b === 1) return a;
  if (opType === 'Mul' && a === 1) return b;
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left === undefined || right === undefined) return undefined;
  switch (opType) {
    case 'Mul':
      return left * right;
    case 'Add':
      return left + right;
    case 'Sub':
      return left - right;
    case 'Mod':
      return right > 0 ? ((left % right) + right) % right : undefined;
    default:
      return right === 0 ? undefined : Math.trunc(left / right);
  }
}
