import { axesOf } from '../follow/axisInference';
import type { GraphIndex } from '../graph/graphIndex';
import { originOf } from '../follow/origin';
import { operatorOf, projectedTensor } from '../follow/products';
import type { FoundSite } from '../name/site';
import { SuffixBuilder } from './suffixNodes';

/** Operators that a head's result goes through before it is joined with the others, and what they are joined to before it is projected. */
const arranging = new Set(['Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Cast', 'Identity', 'Dropout']);

/**
 * Heads that are modules of their own are one layer: sites whose results one Concat joins, as features, before one projection. Their
 * weights are joined as well, in that order, along an axis of heads.
 */
export function joinHeads(index: GraphIndex, found: readonly FoundSite[]): FoundSite[] {
  const joins = new Map<number, Map<number, FoundSite>>();
  for (const site of found) {
    const place = isPlain(site) ? joinOf(index, site) : undefined;
    if (place === undefined) continue;
    const heads = joins.get(place.node) ?? new Map<number, FoundSite>();
    heads.set(place.position, site);
    joins.set(place.node, heads);
  }
  const joined = new Map<FoundSite, FoundSite | undefined>();
  for (const [node, byPosition] of joins) {
    const { inputs } = index.nodes[node];
    const heads = inputs.flatMap((_, position) => byPosition.get(position) ?? []);
    const layer = heads.length === inputs.length && heads.length > 1 ? oneLayer(index, node, heads) : undefined;
    if (layer !== undefined) heads.forEach((head, i) => joined.set(head, i === 0 ? layer : undefined));
  }
  return found.flatMap((site) => (joined.has(site) ? (joined.get(site) ?? []) : site));
}

const isPlain = ({ loop, suffix, method, isUndivided, queryAxis, keyAxis }: FoundSite): boolean =>
  loop === undefined &&
  suffix === undefined &&
  method === 'exposed' &&
  !isUndivided &&
  queryAxis === -2 &&
  keyAxis === -1;

/** The Concat that a site's result alone goes to, and where it stands there. */
function joinOf(index: GraphIndex, site: FoundSite): { readonly node: number; readonly position: number } | undefined {
  let [tensor] = index.nodes[site.node].outputs;
  for (let i = 0; i < 8; i++) {
    const [node, ...others] = index.consumers(tensor);
    if (node === undefined || others.length > 0) return undefined;
    const operator = operatorOf(index, node);
    if (operator === 'Concat') return { node, position: index.nodes[node].inputs.indexOf(tensor) };
    if (!arranging.has(operator)) return undefined;
    [tensor] = index.nodes[node].outputs;
  }
  return undefined;
}

function oneLayer(index: GraphIndex, node: number, heads: readonly FoundSite[]): FoundSite | undefined {
  const [first] = heads;
  const alike = heads.every(
    (head) => head.normalizer === first.normalizer && head.rowSum === first.rowSum && asksSame(index, first, head),
  );
  if (!alike || !joinsFeatures(index, node) || !isProjected(index, index.nodes[node].outputs[0])) return undefined;
  const axes = heads.map((head) => axesOf(index, head.tensor));
  const numEach = axes.map((each) => (each?.length === 3 ? 1 : each?.length === 4 ? each[1].size : undefined));
  if (axes.some((each) => each === undefined || each.length < 3 || each.length > 4 || each.length !== axes[0]?.length))
    return undefined;
  const suffix = new SuffixBuilder(index, node);
  const opset = index.model.opsets.get('') ?? 1;
  const parts = heads.map(({ tensor }, i) => {
    if (axes[i]?.length === 4) return tensor;
    return opset >= 13
      ? suffix.tensor('Unsqueeze', [tensor, suffix.integers(`axes-${i}`, [1])], `head-${i}`)
      : suffix.tensor('Unsqueeze', [tensor], `head-${i}`, { axes: { integers: [1] } });
  });
  const tensor = suffix.tensor('Concat', parts, 'weights', { axis: { integer: 1 } });
  const numHeads = numEach.every((each) => each !== undefined)
    ? numEach.reduce((sum, each) => sum + each, 0)
    : undefined;
  return {
    ...first,
    node,
    tensor,
    suffix: suffix.build(),
    needs: heads.flatMap((head) => head.needs),
    numHeads,
    notes: [...first.notes, 'each head is a module of its own'],
    heads,
  };
}

/** Whether heads ask and read the same stream: what several streams read may be joined too. */
function asksSame(index: GraphIndex, a: FoundSite, b: FoundSite): boolean {
  const isShared = (left: string, right: string): boolean => {
    const [one, other] = [originOf(index, left).projected, originOf(index, right).projected];
    return left === right || (one.size === 0 && other.size === 0) || [...one].some((tensor) => other.has(tensor));
  };
  return isShared(a.queries, b.queries) && isShared(a.values, b.values);
}

/** Whether a Concat joins along the last axis, or along one of which each part has length one. */
function joinsFeatures(index: GraphIndex, node: number): boolean {
  const axis = index.integerAttribute(node, 'axis') ?? 0;
  const axes = index.nodes[node].inputs.map((input) => axesOf(index, input));
  const rank = axes.find((each) => each !== undefined)?.length;
  if (axis === -1 || axis + 1 === rank) return true;
  return axes.every((each) => each?.at(axis)?.size === 1);
}

function isProjected(index: GraphIndex, tensor: string): boolean {
  let name = tensor;
  for (let i = 0; i < 8; i++) {
    const [node, ...others] = index.consumers(name).filter((consumer) => index.nodes[consumer].opType !== 'Shape');
    if (node === undefined || others.length > 0) return false;
    if (projectedTensor(index, node) === name) return true;
    if (
      !arranging.has(operatorOf(index, node)) &&
      index.nodes[node].opType !== 'DynamicQuantizeLinear' &&
      index.nodes[node].opType !== 'QuantizeLinear' &&
      index.nodes[node].opType !== 'DequantizeLinear'
    )
      return false;
    [name] = index.nodes[node].outputs;
  }
  return false;
}
