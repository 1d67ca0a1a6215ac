import type { GraphIndex } from '../graph/graphIndex';
import { ofMicrosoft } from '../graph/operatorKinds';
import { broadcast, mergedKind, reshaped, someAxis, type Axis, type Length } from './axes';
import { numberOf } from './lengths';
import { axisAt, joinedAxes, squeezedAxes } from './operatorAxes';

/** The axes of a tensor; undefined where they are not known. */
type Axes = readonly Axis[] | undefined;

/** A node whose results are asked for, with what is known of its inputs, by their position. */
interface AskedNode {
  readonly index: GraphIndex;
  readonly node: number;
  /** The axes of its first input. */
  readonly first: Axes;
  readonly axesOf: (input: number) => Axes;
  readonly lengthsOf: (input: number) => readonly Length[] | undefined;
}

/** The axes of each of a node's results. */
type AxisRule = (asked: AskedNode) => readonly Axes[];

const axisOfLength = (length: Length): Axis => (typeof length === 'object' ? length : someAxis('unknown', length));

/** Axes that are cut, padded or scaled keep what they count. */
export const sameKinds = (axes: Axes): Axes => axes?.map((axis) => someAxis(axis.kind));

const transposed: AxisRule = ({ index, node, first }) => {
  const perm = index.attributes(node).get('perm')?.integers ?? [];
  if (perm.length === 0) return [first?.toReversed()];
  return [first?.length === perm.length ? perm.map((axis) => first[axis]) : undefined];
};

const flattened: AxisRule = ({ index, node, first }) => {
  const at = index.integerAttribute(node, 'axis') ?? 1;
  if (first === undefined) return [[someAxis(), someAxis()]];
  const from = at < 0 ? at + first.length : at;
  return [
    [first.slice(0, from), first.slice(from)].map((axes) => (axes.length === 1 ? axes[0] : someAxis(mergedKind(axes)))),
  ];
};

const split: AxisRule = ({ index, node, first, lengthsOf }) => {
  const { outputs } = index.nodes[node];
  const at = axisAt(index.integerAttribute(node, 'axis') ?? 0, first);
  const size = first?.[at]?.size;
  const sizes = index.attributes(node).get('split')?.integers ?? lengthsOf(1);
  const even =
    sizes === undefined && size !== undefined && size % outputs.length === 0 ? size / outputs.length : undefined;
  return outputs.map((_, i) =>
    first?.map((axis, k) => (k === at ? someAxis(axis.kind, numberOf(sizes?.[i]) ?? even) : axis)),
  );
};

const gathered: AxisRule = ({ index, node, first, axesOf }) => {
  const indices = axesOf(1);
  if (first === undefined || indices === undefined) return [undefined];
  const at = axisAt(index.integerAttribute(node, 'axis') ?? 0, first);
  return [[...first.slice(0, at), ...indices, ...first.slice(at + 1)]];
};

const gatheredByPlace: AxisRule = ({ index, node, first, axesOf }) => {
  const indices = axesOf(1);
  const depth = indices?.at(-1)?.size;
  if (first === undefined || indices === undefined || depth === undefined) return [undefined];
  return [[...indices.slice(0, -1), ...first.slice((index.integerAttribute(node, 'batch_dims') ?? 0) + depth)]];
};

const topOf: AxisRule = ({ index, node, first }) => {
  const at = axisAt(index.integerAttribute(node, 'axis') ?? -1, first);
  const axes = first?.map((axis, i) => (i === at ? someAxis(axis.kind) : axis));
  return [axes, axes];
};

/** Their states: of each step [step, direction, item, feature], and the last ones [direction, item, feature]; items stand first in the other layout. */
const recurrent: AxisRule = ({ index, node, first }) => {
  if (first?.length !== 3) return [];
  const directions = someAxis('unknown', index.attributes(node).get('direction')?.text === 'bidirectional' ? 2 : 1);
  const state = someAxis('feature', index.integerAttribute(node, 'hidden_size'));
  if (index.integerAttribute(node, 'layout') === 1) {
    const [item, step] = first;
    const last = [item, directions, state];
    return [[item, step, directions, state], last, last];
  }
  const [step, item] = first;
  const last = [directions, item, state];
  return [[step, directions, item, state], last, last];
};

/** What operators make of axes that neither keep them nor compute with them. */
export const axisRules: ReadonlyMap<string, AxisRule> = new Map<string, AxisRule>([
  ['Transpose', transposed],
  [
    'Reshape',
    ({ first, lengthsOf }) => {
      const shape = lengthsOf(1);
      return [shape && reshaped(first ?? [], shape)];
    },
  ],
  ['Flatten', flattened],
  ['Squeeze', ({ index, node, first }) => [squeezedAxes(index, node, 'Squeeze', first)]],
  ['Unsqueeze', ({ index, node, first }) => [squeezedAxes(index, node, 'Unsqueeze', first)]],
  [
    'Expand',
    ({ first, lengthsOf }) => {
      const shape = lengthsOf(1);
      return [first && shape && broadcast(first, shape.map(axisOfLength))];
    },
  ],
  ['ConstantOfShape', ({ lengthsOf }) => [lengthsOf(0)?.map(axisOfLength)]],
  [
    'Tile',
    ({ first, lengthsOf }) => {
      const repeats = lengthsOf(1);
      return [first?.map((axis, i) => (repeats?.[i] === 1 ? axis : someAxis(axis.kind)))];
    },
  ],
  ...['Pad', 'Resize', 'Upsample'].map((operator): [string, AxisRule] => [operator, ({ first }) => [sameKinds(first)]]),
  [
    'Concat',
    ({ index, node, axesOf }) => [
      joinedAxes(
        index.nodes[node].inputs.map((_, input) => axesOf(input)),
        index.integerAttribute(node, 'axis') ?? 0,
      ),
    ],
  ],
  ['Split', split],
  ['Gather', gathered],
  ['GatherElements', ({ axesOf }) => [axesOf(1)]],
  ['GatherND', gatheredByPlace],
  ['TopK', topOf],
  ['OneHot', ({ first }) => [first && [...first, someAxis()]]],
  ['Shape', ({ first }) => [[someAxis('unknown', first?.length)]]],
  ['Size', () => [[]]],
  ['Range', () => [[someAxis('position')]]],
  ...ofMicrosoft(['MatMulNBits', 'MatMulBnb4']).map((operator): [string, AxisRule] => [
    operator,
    ({ index, node, first }) => [
      first && [...first.slice(0, -1), someAxis('feature', index.integerAttribute(node, 'N'))],
    ],
  ]),
  ...['LSTM', 'GRU', 'RNN'].map((operator): [string, AxisRule] => [operator, recurrent]),
  ['com.microsoft.EmbedLayerNormalization', ({ first }) => [first && [...first, someAxis('feature')]]],
]);
