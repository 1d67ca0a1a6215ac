import { isFloatType } from '../file/dataType';
import type { GraphIndex } from '../graph/graphIndex';
import { activationProduct, operatorOf } from '../follow/products';
import type { FoundSite } from './site';
import { rearranging, walkBack } from '../follow/trace';

/** Which graph inputs and which attention sites each tensor comes from. */
export interface Lineage {
  /** Names of the inputs that bring content (ids, features; not masks, positions or caches) that a tensor depends on. */
  contentOf(tensor: string): ReadonlySet<string>;
  /** Positions in the list of sites that a tensor depends on. */
  sitesOf(tensor: string): ReadonlySet<number>;
}

/** Operators whose result says nothing of their input's content. */
const contentFree = new Set(['Shape', 'Size']);

/** Sets of small numbers, each kept once, so that a union is a lookup. */
class SetTable {
  readonly #spend: (steps: number) => void;
  readonly #sets: ReadonlySet<number>[] = [new Set()];
  readonly #byKey = new Map<string, number>([['', 0]]);
  readonly #unions = new Map<string, number>();

  constructor(spend: (steps: number) => void) {
    this.#spend = spend;
  }

  get(id: number): ReadonlySet<number> {
    return this.#sets[id];
  }

  with(id: number, member: number): number {
    return this.#idOf([...this.#sets[id], member]);
  }

  union(a: number, b: number): number {
    if (a === b || b === 0) return a;
    if (a === 0) return b;
    const key = a < b ? `${a},${b}` : `${b},${a}`;
    let id = this.#unions.get(key);
    if (id === undefined) this.#unions.set(key, (id = this.#idOf([...this.#sets[a], ...this.#sets[b]])));
    return id;
  }

  #idOf(members: readonly number[]): number {
    this.#spend(members.length);
    const set = new Set([...members].sort((a, b) => a - b));
    const key = [...set].join(',');
    let id = this.#byKey.get(key);
    if (id === undefined) {
      id = this.#sets.push(set) - 1;
      this.#byKey.set(key, id);
    }
    return id;
  }
}

/** Follows inputs and sites through the graph, in one pass. */
export function traceLineage(index: GraphIndex, sites: readonly FoundSite[]): Lineage {
  const contentInputs = findContentInputs(index, sites);
  const spend = (steps: number): void => index.spend(steps);
  const table = new SetTable(spend);
  const siteTable = new SetTable(spend);
  const content = new Map<string, number>();
  const ancestry = new Map<string, number>();
  index.inputs.forEach((input, position) => {
    if (contentInputs.has(input.name)) content.set(input.name, table.with(0, position));
  });
  const sitesAt = new Map<number, number[]>();
  sites.forEach((site, position) => sitesAt.set(site.node, [...(sitesAt.get(site.node) ?? []), position]));
  index.nodes.forEach((node, at) => {
    let contentId = 0;
    let siteId = 0;
    const dependencies = index.dependencies(at);
    index.spend(dependencies.length);
    for (const name of dependencies) {
      contentId = table.union(contentId, content.get(name) ?? 0);
      siteId = siteTable.union(siteId, ancestry.get(name) ?? 0);
    }
    if (contentFree.has(node.opType)) contentId = siteId = 0;
    for (const site of sitesAt.get(at) ?? []) siteId = siteTable.with(siteId, site);
    for (const output of node.outputs) {
      if (contentId !== 0) content.set(output, contentId);
      if (siteId !== 0) ancestry.set(output, siteId);
    }
  });
  return {
    contentOf: (tensor) =>
      new Set([...table.get(content.get(tensor) ?? 0)].map((position) => index.inputs[position].name)),
    sitesOf: (tensor) => siteTable.get(ancestry.get(tensor) ?? 0),
  };
}

/**
 * Inputs that bring content: integer inputs that choose rows of a weight (embeddings), and float inputs, but not caches,
 * which reach scores or values as they are.
 */
function findContentInputs(index: GraphIndex, sites: readonly FoundSite[]): ReadonlySet<string> {
  const caches = findCacheInputs(index, sites);
  const content = new Set<string>();
  for (const input of index.inputs) {
    if (isFloatType(input.dataType)) {
      if (!caches.has(input.name)) content.add(input.name);
    } else if (chosenWeights(index, input.name).length > 0) content.add(input.name);
  }
  return content;
}

/** Float inputs that are scores' or values' operands without having been projected. */
function findCacheInputs(index: GraphIndex, sites: readonly FoundSite[]): ReadonlySet<string> {
  const names = new Set(index.inputs.filter((input) => isFloatType(input.dataType)).map((input) => input.name));
  const caches = new Set<string>();
  for (const site of sites) {
    const operands = activationProduct(index, site.node)?.operands ?? index.nodes[site.node].inputs;
    for (const operand of [site.queries, site.keys, ...operands]) {
      if (operand === '') continue;
      walkBack(index, operand, (step) => {
        if (names.has(step.tensor)) caches.add(step.tensor);
        return (
          step.node === undefined ||
          !(rearranging.has(operatorOf(index, step.node)) || index.nodes[step.node].opType === 'Mul')
        );
      });
    }
  }
  return caches;
}

/** Operators behind which ids still are ids. */
const idPreserving = new Set([
  'Cast',
  'Identity',
  'Reshape',
  'Unsqueeze',
  'Squeeze',
  'Flatten',
  'Clip',
  'Where',
  'Max',
  'Min',
  'Slice',
  'Concat',
  'Expand',
  'Transpose',
]);

/** First dimensions of the weights whose rows an integer input chooses: sizes of vocabularies. */
export function chosenWeights(index: GraphIndex, input: string): readonly number[] {
  const sizes: number[] = [];
  const seen = new Set<string>();
  const pending = [input];
  for (let tensor = pending.pop(); tensor !== undefined && seen.size < 64; tensor = pending.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    for (const consumer of index.consumers(tensor)) {
      const { opType, inputs, outputs } = index.nodes[consumer];
      if (idPreserving.has(opType)) pending.push(outputs[0]);
      const dims =
        opType === 'Gather' && inputs[1] === tensor
          ? index.weight(inputs[0])?.dims
          : opType === 'EmbedLayerNormalization' && inputs[0] === tensor
            ? index.weight(inputs[2])?.dims
            : undefined;
      // A quantised table is rows of its packed form; its rows are rows all the same.
      if (dims !== undefined && dims.length === 2) sizes.push(dims[0]);
      if (opType === 'GatherBlockQuantized' && inputs[1] === tensor)
        sizes.push(...(index.weight(inputs[0])?.dims.slice(0, 1) ?? []));
    }
  }
  return sizes;
}
