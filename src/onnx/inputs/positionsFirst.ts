import { isFloatType } from '../file/dataType';
import type { ValueInfo } from '../file/onnxModel';
import type { Axis } from '../follow/axes';
import { axesOf } from '../follow/axisInference';
import { operatorOf } from '../follow/products';
import type { GraphIndex } from '../graph/graphIndex';

const caches = new WeakMap<GraphIndex, ReadonlySet<string>>();

/**
 * Inputs of ids that are [position, item], as PyTorch's own Transformer takes them unless it is told otherwise: all that is normalised is so along
 * what their first axes count, or along features.
 */
export function positionsFirst(index: GraphIndex): ReadonlySet<string> {
  let found = caches.get(index);
  if (found === undefined) caches.set(index, (found = findPositionsFirst(index)));
  return found;
}

function findPositionsFirst(index: GraphIndex): ReadonlySet<string> {
  const tables = index.inputs.filter(
    ({ name, dims, dataType }) =>
      dims?.length === 2 && dims[0] !== 1 && !isFloatType(dataType) && axesOf(index, name)?.[0].isOfItems !== true,
  );
  const firstAxes = new Map(tables.map(({ name }) => [name, axesOf(index, name)?.[0]]));
  const normalized = new Set<Axis | undefined>();
  for (let node = 0; node < index.nodes.length && tables.length > 0; node++) {
    if (!isNormalizing(index, node)) continue;
    const axis = normalizedAxis(index, node);
    const isOfFeatures = axis?.kind === 'feature' || axis?.kind === 'alternative';
    if (!isOfFeatures && ![...firstAxes.values()].includes(axis)) return new Set();
    normalized.add(axis);
  }
  const first = tables.filter(({ name }) => normalized.has(firstAxes.get(name)));
  // Masks are as their ids are where they are told to be as large.
  const isLike = (input: ValueInfo): boolean =>
    first.some(({ dims }) => [0, 1].every((axis) => dims?.[axis] !== undefined && dims[axis] === input.dims?.[axis]));
  return new Set([...first, ...tables.filter(isLike)].map(({ name }) => name));
}

/** Whether an operator normalises scores, or has attention inside itself. */
function isNormalizing(index: GraphIndex, node: number): boolean {
  const operator = operatorOf(index, node);
  return operator === 'Softmax' || operator.endsWith('Attention');
}

/** What such an operator normalises along; where that is not known, as of lengths that an export made constants, what asks. */
function normalizedAxis(index: GraphIndex, node: number): Axis | undefined {
  const {
    inputs: [first = '', second = ''],
    opType,
  } = index.nodes[node];
  if (opType !== 'Softmax') {
    const [queries, keys] = [first, second || first].map((input) => axesOf(index, input)?.at(-2));
    return known(keys) ?? queries;
  }
  const axes = axesOf(index, first);
  const axis = index.integerAttribute(node, 'axis') ?? -1;
  const isLast = axis === -1 || axis + 1 === axes?.length;
  return known(axes?.at(axis)) ?? (isLast ? axes?.at(-2) : undefined);
}

const known = (axis: Axis | undefined): Axis | undefined => (axis?.kind === 'unknown' ? undefined : axis);
