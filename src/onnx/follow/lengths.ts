import type { Axis, Length } from './axes';
import type { GraphIndex } from '../graph/graphIndex';

/** What is known of tensors: the lengths that they hold, and their own axes. */
interface Known {
  readonly lengthsOf: (tensor: string) => readonly Length[] | undefined;
  readonly axesOf: (tensor: string) => readonly Axis[] | undefined;
}

/** They hand lengths on as they are, or compute with them one by one. */
const handingOn = ['Cast', 'Identity', 'Unsqueeze', 'Squeeze', 'Reshape', 'Floor'];
const computing = ['Mul', 'Div', 'Mod', 'Add', 'Sub'];

/** The inputs of a node that hold the lengths which its result is computed of; none of an operator that computes no shapes. */
export function lengthInputs(index: GraphIndex, node: number): readonly string[] {
  const { opType, domain, inputs } = index.nodes[node];
  if (domain !== '') return [];
  if (opType === 'Concat' || computing.includes(opType)) return inputs;
  if (opType === 'Gather' || handingOn.includes(opType)) return inputs.slice(0, 1);
  return opType === 'Where' ? inputs.slice(1) : opType === 'Slice' ? inputs.slice(0, 3) : [];
}

/** The lengths that a node computes of lengths, each known by the axis that it is of; undefined where they are not known. */
export function computedLengths(index: GraphIndex, node: number, known: Known): readonly Length[] | undefined {
  const { opType, domain, inputs } = index.nodes[node];
  return domain === '' ? lengthRules.get(opType)?.({ index, node, inputs, ...known }) : undefined;
}

/** A node that computes lengths. */
interface AskedNode extends Known {
  readonly index: GraphIndex;
  readonly node: number;
  readonly inputs: readonly string[];
}

type LengthRule = (asked: AskedNode) => readonly Length[] | undefined;

/** What an input holds, computed or stated. */
function held({ index, inputs, lengthsOf }: AskedNode, at: number): readonly Length[] | undefined {
  return lengthsOf(inputs[at] ?? '') ?? index.constantIntegers(inputs[at] ?? '');
}

const isComputed = ({ inputs, lengthsOf }: AskedNode, positions: readonly number[]): boolean =>
  positions.some((at) => lengthsOf(inputs[at]) !== undefined);

const sliced: LengthRule = (asked) => {
  const from = asked.lengthsOf(asked.inputs[0]);
  const [start, end] = [1, 2].map((at) => numberOf(held(asked, at)?.[0]));
  return from === undefined || start === undefined || end === undefined || asked.inputs[4]
    ? undefined
    : from.slice(start, Math.min(end, from.length));
};

const joined: LengthRule = (asked) => {
  const { inputs, axesOf } = asked;
  if (!isComputed(asked, [...inputs.keys()])) return undefined;
  return inputs.flatMap(
    (input, at) => held(asked, at) ?? Array.from({ length: axesOf(input)?.[0]?.size ?? 1 }, () => undefined),
  );
};

const chosen: LengthRule = (asked) => {
  if (!isComputed(asked, [1, 2])) return undefined;
  const [yes, no] = [held(asked, 1), held(asked, 2)];
  return yes?.length === no?.length ? yes?.map((length, i) => (length === no?.[i] ? length : undefined)) : undefined;
};

const lengthRules: ReadonlyMap<string, LengthRule> = new Map<string, LengthRule>([
  [
    'Shape',
    ({ index, node, inputs, axesOf }) =>
      axesOf(inputs[0])?.slice(index.integerAttribute(node, 'start') ?? 0, index.integerAttribute(node, 'end')),
  ],
  [
    'Gather',
    ({ index, inputs, lengthsOf }) => {
      const from = lengthsOf(inputs[0]);
      return from && index.constantIntegers(inputs[1])?.map((each) => from.at(each));
    },
  ],
  ['Slice', sliced],
  ['Concat', joined],
  ['Where', chosen],
  ...handingOn.map((operator): [string, LengthRule] => [operator, ({ inputs, lengthsOf }) => lengthsOf(inputs[0])]),
  ...computing.map((operator): [string, LengthRule] => [
    operator,
    (asked) => {
      // Where an axis is, counted from the front, is computed of constants alone.
      if (operator !== 'Mod' && !isComputed(asked, [0, 1])) return undefined;
      const [a, b] = [held(asked, 0), held(asked, 1)];
      return a?.length === 1 && b?.length === 1 ? [computed(operator, a[0], b[0])] : undefined;
    },
  ]),
]);

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
