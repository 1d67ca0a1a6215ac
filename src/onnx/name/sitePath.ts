import type { GraphIndex } from '../graph/graphIndex';
import { pathOfNode } from '../graph/nodePath';
import { isWeight, operatorOf, productOf } from '../follow/products';
import type { FoundSite } from './site';

/** The module path of a site, in dotted form: from its nodes' names or the exporter's metadata, from its own weights, or from a neighbour. */
export function pathOfSite(index: GraphIndex, site: FoundSite, position: number): string {
  const { loop, heads } = site;
  if (heads !== undefined) return sharedPath(heads.map((head) => namedPath(index, head))) ?? `attention ${position}`;
  if (loop === undefined) return namedPath(index, site) ?? `attention ${position}`;
  const path = namedPath(loop.index, loop.site) ?? pathOfNode(index, site.node) ?? `attention ${position}`;
  return loop.iteration === undefined ? path : `${path}.${loop.iteration}`;
}

function namedPath(index: GraphIndex, site: FoundSite): string | undefined {
  for (const node of [site.namedBy, site.node]) {
    const path = pathOfNode(index, node);
    if (path !== undefined) return path;
  }
  const [result] = index.nodes[site.node].outputs;
  for (const path of [
    projectionPath(index, site.queries),
    projectionPath(index, site.keys),
    projectionPath(index, site.values),
    resultPath(index, result),
  ])
    if (path !== undefined) return path;
  for (const node of neighbours(index, site)) {
    const path = isNorm(index, node) ? undefined : pathOfNode(index, node);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** What the paths of all heads begin with: the module that holds them. */
function sharedPath(paths: readonly (string | undefined)[]): string | undefined {
  const [first, ...others] = paths.map((path) => path?.split('.'));
  if (first === undefined || others.some((each) => each === undefined)) return undefined;
  let length = 0;
  while (length < first.length && others.every((each) => each?.[length] === first[length])) length++;
  const shared = first.slice(0, length);
  // The list of heads belongs to the heads.
  if (length < first.length && /^\d+$/.test(first[length])) shared.pop();
  return shared.length === 0 ? undefined : shared.join('.');
}

const isNorm = (index: GraphIndex, node: number): boolean => /Norm(?:alization)?$/.test(index.nodes[node].opType);

/** Whether a node adds what two modules computed. Rotated halves are of one. */
function isSum(index: GraphIndex, node: number): boolean {
  const { opType, inputs } = index.nodes[node];
  const isRotated = (input: string): boolean => index.nodes[index.producer(input) ?? -1]?.opType === 'Mul';
  return opType === 'Add' && inputs.every((input) => !isWeight(index, input)) && !inputs.every(isRotated);
}

const mostHops = 12;

/** The module whose part projects a tensor, from the name of the weight: `decoder` for `decoder.query.weight`. What lies behind the projection belongs to others. */
function projectionPath(index: GraphIndex, tensor: string): string | undefined {
  let name = tensor;
  for (let i = 0; i < mostHops; i++) {
    const node = index.producer(name);
    if (node === undefined || isSum(index, node)) return undefined;
    const isBehind = isNorm(index, node);
    const module = isBehind ? undefined : moduleOfWeights(index, node);
    if (module !== undefined) return module;
    if (isProjection(index, node)) return undefined;
    name = index.nodes[node].inputs.find((input) => !isWeight(index, input)) ?? '';
  }
  return undefined;
}

/** The module that projects a result: the first weight on its way, and the bias behind it. */
function resultPath(index: GraphIndex, tensor: string): string | undefined {
  let name = tensor;
  let isProjected = false;
  for (let i = 0; i < mostHops; i++) {
    const [node, ...others] = index.consumers(name).filter((consumer) => index.nodes[consumer].opType !== 'Shape');
    if (node === undefined || others.length > 0 || isSum(index, node) || isNorm(index, node)) return undefined;
    if (isProjected && isProjection(index, node)) return undefined;
    const module = moduleOfWeights(index, node);
    if (module !== undefined) return module;
    isProjected ||= isProjection(index, node);
    [name] = index.nodes[node].outputs;
  }
  return undefined;
}

function isProjection(index: GraphIndex, node: number): boolean {
  const operands = productOf(index, node)?.operands;
  return operands === undefined
    ? /MatMul|Conv/.test(operatorOf(index, node))
    : operands.some((operand) => isWeight(index, operand));
}

/** The module that a node's weights belong to, from their names. A weight that several nodes use, since a tool merged equal ones, tells nothing. */
function moduleOfWeights(index: GraphIndex, node: number): string | undefined {
  for (const input of index.nodes[node].inputs) {
    if (index.weight(input) === undefined) continue;
    let name = input;
    for (let i = 0; i < 4; i++) {
      const module = index.consumers(name).length === 1 ? moduleInName(name) : undefined;
      if (module !== undefined) return module;
      const maker = index.producer(name);
      if (maker === undefined) break;
      [name = ''] = index.nodes[maker].inputs;
    }
  }
  return undefined;
}

/** `layers.0.attn` of `layers.0.attn.query.weight` and of `layers.0.attn.in_proj_weight`. */
function moduleInName(name: string): string | undefined {
  return /^([A-Za-z_]\w*(?:\.\w+)*?)\.(?:\w+\.(?:weight|bias|kernel)\w*|\w+_(?:weight|bias))$/.exec(name)?.[1];
}

/** The makers of what a site reads and the users of what it writes. */
function neighbours(index: GraphIndex, site: FoundSite): number[] {
  const makers = index.nodes[site.node].inputs.map((input) => index.producer(input));
  const users = index.nodes[site.node].outputs.flatMap((output) => index.consumers(output));
  return [index.producer(site.keys), index.producer(site.queries), ...makers, ...users].filter(
    (node) => node !== undefined,
  );
}
