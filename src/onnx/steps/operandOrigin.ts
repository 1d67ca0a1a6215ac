import type { GraphIndex } from '../graph/graphIndex';
import { scaledOperand } from '../follow/innerProduct';
import { linearMap, type LinearMap } from '../follow/outputProjection';
import { operatorOf, projectedTensor } from '../follow/products';
import { namedNode, type NamedNode } from './cellPlan';
import { operandNorm, type OperandNorm } from './operandNorm';

/** A number that queries or keys are multiplied or divided by before their product. */
interface OperandScale {
  readonly node: NamedNode;
  readonly factor: string;
  readonly isDivided: boolean;
}

/** A rotation by positions in single operators: after = before · cos + turned · sin, where turned has the other of each pair of features. */
interface Turn {
  readonly before: string;
  readonly cos: string;
  readonly turned: string;
  readonly sin: string;
  readonly after: string;
  /** Axis of positions in these, counted from the end; features are last. */
  readonly positionAxis: number;
}

/** A norm on the way, and where its tensors have positions. */
interface NormOfOperand extends OperandNorm {
  /** Axis of positions, counted from the end; features are last. */
  readonly positionAxis: number;
  /** Whether the features are those of all heads, which are told apart behind it. */
  readonly isOfAllHeads: boolean;
  /** Whether it is nearer to the product than a rotation. */
  readonly isBehindRotation: boolean;
}

/** Where queries or keys come from. */
export interface OperandOrigin {
  /** From the product back. */
  readonly scales: readonly OperandScale[];
  /** The node that rotates them by their positions, or the last of those that do. */
  readonly rotation: NamedNode | undefined;
  /** … in single operators; undefined inside one operator, or where it is written otherwise. */
  readonly turn: Turn | undefined;
  /** What normalises them. */
  readonly norm: NamedNode | undefined;
  /** … with what it is given and gives; undefined where it is written otherwise. */
  readonly normed: NormOfOperand | undefined;
  /** The linear map that makes them, and what it is given: x. */
  readonly projection: NamedNode | undefined;
  readonly source: string | undefined;
  readonly map: LinearMap | undefined;
}

/** Where positions and features are, counted from the end. */
interface Layout {
  readonly position: number;
  readonly feature: number;
  /** Whether heads are told apart behind: features are those of all of them, and positions the axis before. */
  readonly isOfAllHeads: boolean;
}

/** Nodes that lie between a projection and a product: more are not searched. */
const mostNodes = 200;
const normOperators = /(?:^|\.)(?:(?:Simplified|Skip)*(?:Layer|RMS)Normalization|LpNormalization|ReduceMean)$/;

/**
 * Follows queries or keys back to the linear map that makes them.
 * @param positionAxis of the operand, whose features are the other of its last two axes.
 * @param hasPositions whether its tensors have positions, and are not those of one position each.
 */
export function operandOrigin(
  index: GraphIndex,
  operand: string,
  positionAxis: -1 | -2,
  hasPositions: boolean,
): OperandOrigin {
  const found: Found = { scales: [], hasPositions };
  const pending: { readonly tensor: string; readonly layout: Layout }[] = [
    { tensor: operand, layout: { position: positionAxis, feature: -3 - positionAxis, isOfAllHeads: false } },
  ];
  const seen = new Set<string>();
  for (let at = 0; at < pending.length && seen.size < mostNodes; at++) {
    const { tensor, layout } = pending[at];
    if (seen.has(tensor) || index.weight(tensor) !== undefined) continue;
    seen.add(tensor);
    const node = index.producer(tensor);
    if (node === undefined) continue;
    index.spend(1);
    const before = layoutBefore(index, node, layout);
    pending.push(...behind(index, { tensor, node, layout }, found).map((each) => ({ tensor: each, layout: before })));
  }
  const { scales, rotation, turn, norm, normed, projection, source, map } = found;
  return { scales, rotation, turn, norm, normed, projection, source, map };
}

/** Where axes were before a node; operators that split or join others leave the last ones where they are. */
function layoutBefore(index: GraphIndex, node: number, layout: Layout): Layout {
  const { position, feature } = layout;
  const operator = operatorOf(index, node);
  // Between positions and features stood heads.
  if (operator === 'Reshape' && feature === -1 && position < -2) return { ...layout, isOfAllHeads: true };
  const perm = operator === 'Transpose' ? index.attributes(node).get('perm')?.integers : undefined;
  if (perm === undefined) return layout;
  const of = (axis: number): number => (perm[perm.length + axis] ?? 0) - perm.length;
  return { ...layout, position: of(position), feature: of(feature) };
}

/** What was found so far: the nearest to the product counts. */
interface Found {
  readonly hasPositions: boolean;
  readonly scales: OperandScale[];
  rotation?: NamedNode;
  turn?: Turn;
  norm?: NamedNode;
  normed?: NormOfOperand;
  projection?: NamedNode;
  source?: string;
  map?: LinearMap;
}

/** Takes note of a node on the way, and gives the tensors behind it; none behind a projection. */
function behind(
  index: GraphIndex,
  { tensor, node, layout }: { readonly tensor: string; readonly node: number; readonly layout: Layout },
  found: Found,
): readonly string[] {
  const operator = operatorOf(index, node);
  const { inputs, outputs } = index.nodes[node];
  // Scales of what is quantised as the model runs are no way that numbers come.
  if (shapesOnly.has(operator) || (operator === quantizer && tensor !== outputs[0])) return [];
  const projected = projectedTensor(index, node);
  if (projected !== undefined && operator !== 'ReduceSum') {
    found.projection ??= namedNode(index, node);
    if (found.hasPositions && found.source === undefined) {
      found.source = projected;
      const map = linearMap(index, node, projected);
      if (typeof map !== 'string') found.map = map;
    }
    return [];
  }
  const turn = found.rotation === undefined && operator === 'Add' ? turnOf(index, node) : undefined;
  if (/(?:^|\.)RotaryEmbedding$/.test(operator) || turn !== undefined) found.rotation ??= namedNode(index, node);
  if (turn !== undefined && layout.feature === -1) found.turn = { ...turn, positionAxis: layout.position };
  if (normOperators.test(operator)) found.norm ??= namedNode(index, node);
  noteNorm(index, { node, layout }, found);
  noteScale(index, node, found);
  return carried(operator, inputs);
}

/** Takes note of a norm along the features. */
function noteNorm(
  index: GraphIndex,
  { node, layout }: { readonly node: number; readonly layout: Layout },
  found: Found,
): void {
  const norm =
    found.normed === undefined && layout.feature === -1 && found.hasPositions ? operandNorm(index, node) : undefined;
  if (norm === undefined) return;
  const { position, isOfAllHeads } = layout;
  found.normed = {
    ...norm,
    positionAxis: isOfAllHeads ? -2 : position,
    isOfAllHeads,
    isBehindRotation: found.rotation === undefined,
  };
}

/** Whether a tensor is what a product of bytes came to, as numbers that have yet to be multiplied by their scales. */
function isOfBytes(index: GraphIndex, tensor: string): boolean {
  const cast = index.producer(tensor);
  if (cast === undefined || index.nodes[cast].opType !== 'Cast') return false;
  const product = index.producer(index.nodes[cast].inputs[0]);
  return product !== undefined && /Integer$/.test(index.nodes[product].opType);
}

/** Takes note of a number that a node multiplies or divides by; scales of bytes are none. */
function noteScale(index: GraphIndex, node: number, found: Found): void {
  const { opType, inputs } = index.nodes[node];
  const scaled = scaledOperand(index, node);
  if (scaled === undefined || isOfBytes(index, scaled)) return;
  if (inputs.some((input) => isMadeBy(index, input, quantizer))) return;
  found.scales.push({
    node: namedNode(index, node),
    factor: inputs.find((input) => input !== scaled) ?? '',
    isDivided: opType === 'Div',
  });
}

const quantizer = 'DynamicQuantizeLinear';
const isMadeBy = (index: GraphIndex, tensor: string, operator: string): boolean => {
  const node = index.producer(tensor);
  return node !== undefined && index.nodes[node].opType === operator;
};

const shapesOnly = new Set(['Shape', 'Size', 'Range', 'ConstantOfShape', 'Cos', 'Sin']);

/** Inputs that numbers come through; others say of an operator what it does. */
function carried(operator: string, inputs: readonly string[]): readonly string[] {
  return [
    'Reshape',
    'Slice',
    'Split',
    'Gather',
    'Expand',
    'Tile',
    'Unsqueeze',
    'Squeeze',
    'Transpose',
    'Cast',
  ].includes(operator)
    ? inputs.slice(0, 1)
    : inputs;
}

/** Operators between the other of each pair of features and the halves, or neighbours, that it is made of. */
const arranging = new Set(['Reshape', 'Flatten', 'Cast', 'Identity', 'Unsqueeze', 'Squeeze', 'Slice', 'Transpose']);

/** A sum of a tensor times cosines and of its turned halves, or turned neighbours, times sines: both terms are products. */
function turnOf(index: GraphIndex, node: number): Omit<Turn, 'positionAxis'> | undefined {
  const { inputs: terms, outputs } = index.nodes[node];
  if (terms.length !== 2) return undefined;
  const makers = terms.map((term) => index.producer(term));
  if (makers.some((maker) => maker === undefined || index.nodes[maker].opType !== 'Mul')) return undefined;
  const factors = makers.map((maker) => index.nodes[maker ?? 0].inputs);
  for (const at of [0, 1])
    for (const turned of factors[at]) {
      const joined = through(index, turned);
      if (joined === undefined || index.nodes[joined].opType !== 'Concat') continue;
      const isTurned = index.nodes[joined].inputs.some((part) => {
        const maker = through(index, part);
        return maker !== undefined && index.nodes[maker].opType === 'Neg';
      });
      if (!isTurned) continue;
      const { tensors } = index.ancestors([turned]);
      const before = factors[1 - at].find((factor) => tensors.has(factor));
      const [cos, sin] = [
        factors[1 - at].find((factor) => factor !== before),
        factors[at].find((factor) => factor !== turned),
      ];
      if (before !== undefined && cos !== undefined && sin !== undefined)
        return { before, cos, turned, sin, after: outputs[0] };
    }
  return undefined;
}

/** The node that makes a tensor, but for how its numbers are arranged. */
function through(index: GraphIndex, tensor: string): number | undefined {
  let node = index.producer(tensor);
  for (let i = 0; i < 4 && node !== undefined && arranging.has(operatorOf(index, node)); i++)
    node = index.producer(index.nodes[node].inputs[0]);
  return node;
}
