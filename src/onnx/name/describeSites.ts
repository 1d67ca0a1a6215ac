import type { GraphIndex } from '../graph/graphIndex';
import { traceLineage, type Lineage } from './lineage';
import { layersInPaths } from '../graph/nodePath';
import { isOneStream, originOf } from '../follow/origin';
import type { SiteComponent } from '../../base/component';
import type { FoundSite } from './site';
import { pathOfSite } from './sitePath';

/** A site with its place in the model. */
export interface PlacedSite extends FoundSite {
  readonly component: SiteComponent;
  /** Position among the component's attention layers. */
  readonly layer: number;
  /** The number that the model's own path gives its layer, where it does. */
  readonly modelLayer: number | undefined;
  readonly path: string;
}

/** Gives every site its component, layer and path, in the order in which the model computes them. */
export function placeSites(index: GraphIndex, found: readonly FoundSite[], fileName: string): PlacedSite[] {
  const sites = [...found].sort((a, b) => a.node - b.node);
  const lineage = traceLineage(index, sites);
  const paths = sites.map((site, position) => pathOfSite(index, site, position));
  const isCross = crossing(index, sites, lineage);
  // What the values of cross-attention come from is the encoder.
  const encoderSites = new Set<number>();
  sites.forEach((site, position) => {
    if (!isCross[position]) return;
    for (const other of union(sourcesOf(site).values, lineage.sitesOf)) {
      const ancestors = lineage.sitesOf(index.nodes[sites[other].node].outputs[0]);
      if (![other, ...ancestors].some((each) => isCross[each])) encoderSites.add(other);
    }
  });
  // Queries and keys that only come from different inputs, without any stack of their own, are one stack.
  const hasCross =
    isCross.includes(true) && (isCross.includes(false) || sites.some((site) => site.loop?.isCross === true));
  // A recurrent decoder has no attention of its own beside the one to its source.
  const readsSource =
    isCross.length > 0 &&
    isCross.every(Boolean) &&
    index.inputs.some(({ name }) => /decoder|target|^tgt|encoder_hidden|encoder_output/i.test(name));
  const single = readsSource ? 'cross' : componentOfFile(fileName);
  const components = sites.map((_, position): SiteComponent =>
    !hasCross ? single : isCross[position] ? 'cross' : encoderSites.has(position) ? 'encoder' : 'decoder',
  );
  const counts = new Map<string, number>();
  const numbers = new Map<number, number | undefined>();
  const numBefore = new Map<SiteComponent, number>();
  for (const component of new Set(components)) {
    const own = sites.flatMap((site, position) =>
      components[position] === component && site.isBeside !== true ? [position] : [],
    );
    numBefore.set(component, own.length);
    layersInPaths(own.map((position) => paths[position])).forEach((number, i) => numbers.set(own[i], number));
  }
  return sites.map((site, position) => {
    const component = components[position];
    const isBeside = site.isBeside === true;
    const key = `${component} ${isBeside}`;
    const layer = counts.get(key) ?? (isBeside ? (numBefore.get(component) ?? 0) : 0);
    counts.set(key, layer + 1);
    const heads = site.loop === undefined ? headCounts(index, site) : site;
    return {
      ...site,
      numHeads: site.numHeads ?? heads.numHeads,
      numKeyValueHeads: site.numKeyValueHeads ?? heads.numKeyValueHeads,
      component,
      layer,
      modelLayer: site.loop?.iteration ?? numbers.get(position),
      path: paths[position],
    };
  });
}

/**
 * Whether each site's keys are of another stream than its queries: its values tell, as positions are added to queries and keys alone.
 * Where the streams cannot be followed, what one of the layers before reads from another stream is that for the next ones too; else the
 * inputs that queries and keys depend on tell, which behind the first cross-attention are those of both streams.
 */
function crossing(index: GraphIndex, sites: readonly FoundSite[], { contentOf }: Lineage): boolean[] {
  const known = new Set<string>();
  return sites.map((site) => {
    if (site.loop !== undefined) return site.loop.isCross || readsOtherInputs(site, contentOf);
    const source = [...originOf(index, site.values).nearest.keys()].sort().join('\n');
    const isOne = isOneStream(index, site, (tensor) => contentOf(tensor).size > 0);
    const isCross = isOne === undefined ? known.has(source) || readsOtherInputs(site, contentOf) : !isOne;
    if (isCross && source !== '') known.add(source);
    return isCross;
  });
}

function readsOtherInputs(site: FoundSite, contentOf: Lineage['contentOf']): boolean {
  const { queries, keys } = sourcesOf(site);
  return !isSameSet(union(queries, contentOf), union(keys, contentOf));
}

/** Tensors of the graph that a site's queries, keys and values are made of. */
function sourcesOf({ loop, queries, keys, values }: FoundSite): {
  readonly queries: Iterable<string>;
  readonly keys: Iterable<string>;
  readonly values: Iterable<string>;
} {
  return loop?.sources ?? { queries: [queries], keys: [keys], values: [values] };
}

function union<T>(tensors: Iterable<string>, of: (tensor: string) => ReadonlySet<T>): ReadonlySet<T> {
  const members = new Set<T>();
  for (const tensor of tensors) for (const member of of(tensor)) members.add(member);
  return members;
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((member) => b.has(member));
}

/** Split exports name the stack in the file's name; one stack by itself is `self`. */
function componentOfFile(fileName: string): SiteComponent {
  const name = fileName.split('/').pop() ?? '';
  return /^encoder(?:_model)?(?![a-z])/i.test(name)
    ? 'encoder'
    : /^decoder(?:_model)?(?![a-z])/i.test(name)
      ? 'decoder'
      : 'self';
}

/** Numbers of heads, where shapes that the file states tell them. */
export function headCounts(
  index: GraphIndex,
  site: FoundSite,
): { numHeads: number | undefined; numKeyValueHeads: number | undefined } {
  const dims = index.valueInfo(site.tensor)?.dims;
  const stated = dims?.length === 4 && site.queryAxis === -2 ? dims[1] : undefined;
  const fromQueries = splitHeads(index, site.queries);
  const numHeads = typeof stated === 'number' && stated > 0 ? stated : fromQueries;
  const fromKeys = splitHeads(index, site.keys);
  return {
    numHeads,
    numKeyValueHeads:
      fromKeys !== undefined && numHeads !== undefined && numHeads % fromKeys === 0 ? fromKeys : undefined,
  };
}

const passedOnTheWay = new Set([
  'Transpose',
  'Mul',
  'Div',
  'Add',
  'Sub',
  'Concat',
  'Slice',
  'Neg',
  'Unsqueeze',
  'Expand',
  'Squeeze',
  'Cast',
  'Sqrt',
  'Pow',
  'Identity',
  'QuantizeLinear',
  'DequantizeLinear',
  'Reshape',
  'Split',
  'LayerNormalization',
  'SimplifiedLayerNormalization',
  'RMSNormalization',
  'RotaryEmbedding',
  'Where',
  'Relu',
  'Elu',
  'Exp',
  'Softplus',
  'Softmax',
]);

/** Heads that the projection of a tensor is split into: the reshape nearest to the projection tells. */
function splitHeads(index: GraphIndex, tensor: string): number | undefined {
  let heads: number | undefined;
  let name = tensor;
  for (let i = 0; i < 24; i++) {
    const node = index.producer(name);
    if (node === undefined) break;
    const { opType, inputs } = index.nodes[node];
    const cached = opType === 'Concat' ? inputs.find((input) => isGiven(index, input)) : undefined;
    if (!passedOnTheWay.has(opType) && cached === undefined) break;
    if (opType === 'Reshape') heads = headsOfReshape(index, node) ?? heads;
    // Keys of what was read before stand before the new ones.
    const next = inputs.find((input) => input !== cached && index.weight(input) === undefined);
    if (next === undefined) break;
    name = next;
  }
  return heads;
}

/** Whether a tensor is an input of the graph as it comes, joined to nothing. */
function isGiven(index: GraphIndex, tensor: string): boolean {
  if (index.inputs.some(({ name }) => name === tensor)) return true;
  const { opType, inputs } = index.nodes[index.producer(tensor) ?? -1] ?? {};
  return (
    (opType === 'Concat' || opType === 'Identity') &&
    inputs?.length === 1 &&
    index.inputs.some(({ name }) => name === inputs[0])
  );
}

/** The heads that a Reshape to [batch, position, heads, size] makes. */
function headsOfReshape(index: GraphIndex, node: number): number | undefined {
  const { inputs, outputs } = index.nodes[node];
  // What follows brings the heads before the positions; other orders are not read.
  if (!bringsHeadsForward(index, outputs[0], 6)) return undefined;
  const written = index.constantIntegers(inputs[1]) ?? concatenated(index, inputs[1]);
  const shape = written?.length === 4 ? written : index.valueInfo(outputs[0])?.dims;
  if (shape?.length !== 4) return undefined;
  const [, , heads, size] = shape;
  if (typeof heads === 'number' && heads > 0) return heads;
  const width = heads === -1 && typeof size === 'number' && size > 0 ? projectedWidth(index, inputs[0]) : undefined;
  return width !== undefined && typeof size === 'number' && width % size === 0 ? width / size : undefined;
}

/** What normalises the queries of each head before they are turned. */
const normalizing = new Set(['Cast', 'Mul', 'LayerNormalization', 'SimplifiedLayerNormalization', 'RMSNormalization']);

function bringsHeadsForward(index: GraphIndex, tensor: string, hops: number): boolean {
  return index.consumers(tensor).some((consumer) => {
    const { opType, outputs } = index.nodes[consumer];
    index.spend(1);
    if (opType === 'Transpose') return index.attributes(consumer).get('perm')?.integers[1] === 2;
    return hops > 0 && normalizing.has(opType) && bringsHeadsForward(index, outputs[0], hops - 1);
  });
}

function concatenated(index: GraphIndex, tensor: string): (number | undefined)[] | undefined {
  const node = index.producer(tensor);
  if (node === undefined || index.nodes[node].opType !== 'Concat') return undefined;
  return index.nodes[node].inputs.map((input) => {
    const values = index.constantIntegers(input);
    return values?.length === 1 ? values[0] : undefined;
  });
}

/** The last dimension of a projection's result: from its bias, or from its weight. */
function projectedWidth(index: GraphIndex, tensor: string): number | undefined {
  let name = tensor;
  let numParts = 1;
  for (let i = 0; i < 10; i++) {
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const { opType, inputs, outputs } = index.nodes[node];
    if (opType === 'Split') numParts *= outputs.length;
    const dims = inputs.map((input) => index.weight(input)?.dims);
    if (opType === 'Gemm' || opType === 'FusedGemm')
      return divide(dims[1]?.[index.integerAttribute(node, 'transB') === 1 ? 0 : 1], numParts);
    if (opType === 'MatMulNBits' || opType === 'MatMulBnb4') return divide(index.integerAttribute(node, 'N'), numParts);
    const width = dims.find((each) => each !== undefined)?.at(-1);
    if (width !== undefined && width > 1 && (opType.includes('MatMul') || opType === 'Add'))
      return divide(width, numParts);
    const next = inputs.find((input) => index.weight(input) === undefined);
    if (next === undefined || !passedOnTheWay.has(opType)) return undefined;
    name = next;
  }
  return undefined;
}

function divide(width: number | undefined, parts: number): number | undefined {
  return width !== undefined && width % parts === 0 ? width / parts : undefined;
}
