import type { GraphIndex } from '../graph/graphIndex';
import type { FoundSite, ValuesInParts } from '../name/site';
import { beforeQuantizing } from '../follow/innerProduct';
import { activationProduct, operatorOf, projectedTensor } from '../follow/products';
import { rearranging } from '../follow/trace';

/** Operators that weights, values and what they come to go through in parts: they move numbers, leave some out or put them beside others. */
const moving = new Set([...rearranging, 'GatherND', 'GatherElements', 'ScatterND', 'ScatterElements']);
/** … and those that weights and results may go through besides: a mask, what rows are divided by, and sums of what parts give. */
const masking = new Set(['Where', 'Mul', 'Div']);
const summing = new Set(['Add', 'Sum']);
const normalizing = new Set(['Softmax', 'com.microsoft.BiasSoftmax', 'Exp']);

/** Searches do not go further than this many tensors: the longest of a known model takes 40. */
const mostTensors = 400;
/** An attention of more parts is none that is known: a window of a picture is one. */
const mostParts = 4096;

/** One attention that is computed in parts, and the nodes that it stands for. */
export interface JoinedParts {
  readonly site: FoundSite;
  /** Products with the values. */
  readonly products: ReadonlySet<number>;
  readonly normalizers: ReadonlySet<number>;
}

/** A projection, what it multiplies, and what is weighted before it. */
interface Join {
  readonly projection: number;
  readonly joined: string;
  readonly products: Set<number>;
  readonly normalizers: Set<number>;
}

/**
 * Attentions whose weights lie in several matrices, or not in rows of queries and columns of keys: bands around each position, blocks of a
 * text beside tokens that all read, windows of a picture. What makes them one is the projection that all parts come to before any other.
 * @param found sites whose weights are matrices.
 * @param unfound normalisers whose rows are cut, or lead to no matrix that is known.
 */
export function joinParts(
  index: GraphIndex,
  found: readonly FoundSite[],
  unfound: readonly number[],
): readonly JoinedParts[] {
  const joins = new Map<number, Join>();
  const withUnfound = new Set<Join>();
  const add = (normalizer: number, product: number): Join | undefined => {
    const place = projectionBehind(index, index.nodes[product].outputs[0]);
    if (place === undefined) return undefined;
    const join = joins.get(place.projection) ?? { ...place, products: new Set(), normalizers: new Set() };
    joins.set(place.projection, join);
    join.products.add(product);
    join.normalizers.add(normalizer);
    return join;
  };
  for (const normalizer of unfound) {
    if (!normalizing.has(operatorOf(index, normalizer))) continue;
    for (const product of productsBehind(index, index.nodes[normalizer].outputs[0])) {
      const join = add(normalizer, product);
      if (join !== undefined) withUnfound.add(join);
    }
  }
  const byProduct = new Map<number, FoundSite>();
  for (const site of found) {
    const isPlain =
      site.loop === undefined && site.suffix === undefined && !site.isUndivided && site.heads === undefined;
    if (!isPlain || site.normalizer !== 'softmax' || index.outer !== undefined) continue;
    byProduct.set(site.node, site);
    add(site.namedBy, site.node);
  }
  return [...joins.values()].flatMap((join) => {
    const sites = [...join.products].flatMap((product) => byProduct.get(product) ?? []);
    const isInParts =
      withUnfound.has(join) ||
      (sites.length > 1 && sites.length <= mostParts && joinsPositions(index, join) && sharesValues(index, sites));
    const values = isInParts ? valuesInParts(index, join) : undefined;
    return values === undefined ? [] : [{ site: siteOf(index, join, values, sites[0]), ...join }];
  });
}

/** What the values of one site go through, for one whose weights are a matrix, but in blocks that hold a key several times or beside tokens of the model's own. */
export function partsOfSite(index: GraphIndex, site: FoundSite): ValuesInParts | undefined {
  if (site.inParts !== undefined) return site.inParts;
  if (site.loop !== undefined || site.suffix !== undefined || site.isUndivided || site.normalizer !== 'softmax')
    return undefined;
  const place = projectionBehind(index, index.nodes[site.node].outputs[0]);
  return place === undefined
    ? undefined
    : valuesInParts(index, { ...place, products: new Set([site.node]), normalizers: new Set([site.namedBy]) });
}

/** Whether a site weights values that an attention in parts weights too, for queries that are projected by themselves: tokens of the model's own that read the text. */
export function isBesideParts(index: GraphIndex, site: FoundSite, joined: readonly JoinedParts[]): boolean {
  if (joined.length === 0 || site.inParts !== undefined || site.loop !== undefined) return false;
  const sources = sourcesOf(index, site.values);
  return joined.some(({ site: { inParts } }) => inParts?.sources.some(({ tensor }) => sources?.has(tensor)) === true);
}

/** The products with other activations that weights come to. */
function productsBehind(index: GraphIndex, weights: string): readonly number[] {
  const found = new Set<number>();
  follow(index, weights, {
    ends: (node, tensor) => {
      const isProduct = activationProduct(index, node)?.operands.includes(tensor) === true;
      if (isProduct) found.add(node);
      return isProduct;
    },
    passes: (operator) => moving.has(operator) || masking.has(operator),
  });
  return [...found];
}

/** The first product with a weight that a result comes to, by itself or joined with others; undefined where there is none, or several. */
function projectionBehind(
  index: GraphIndex,
  result: string,
): { readonly projection: number; readonly joined: string } | undefined {
  const found = new Map<number, string>();
  const isWhole = follow(index, result, {
    ends: (node, tensor) => {
      const isProjection = projectedTensor(index, node) === tensor;
      if (isProjection) found.set(node, tensor);
      return isProjection;
    },
    passes: (operator) => moving.has(operator) || masking.has(operator) || summing.has(operator),
  });
  const [only, ...others] = found;
  return only === undefined || others.length > 0 || !isWhole
    ? undefined
    : { projection: only[0], joined: beforeQuantizing(index, only[1]) };
}

/** Follows a tensor to the nodes at which a way ends, through operators that pass it on. Returns whether every way was followed to its end. */
function follow(
  index: GraphIndex,
  from: string,
  { ends, passes }: { ends: (node: number, tensor: string) => boolean; passes: (operator: string) => boolean },
): boolean {
  const pending = [from];
  const seen = new Set(pending);
  for (let at = 0; at < pending.length && at < mostTensors; at++) {
    const tensor = pending[at];
    const consumers = index.consumers(tensor);
    index.spend(1 + consumers.length);
    for (const node of consumers) {
      const operator = operatorOf(index, node);
      if (operator === 'Shape' || ends(node, tensor) || !passes(operator)) continue;
      for (const output of movedOutputs(index, node))
        if (output !== '' && !seen.has(output)) {
          seen.add(output);
          pending.push(output);
        }
    }
  }
  return pending.length < mostTensors;
}

/** What carries a node's numbers on: of a quantiser not the scale. */
function movedOutputs(index: GraphIndex, node: number): readonly string[] {
  const { opType, outputs } = index.nodes[node];
  return opType === 'DynamicQuantizeLinear' ? outputs.slice(0, 1) : outputs;
}

/** Whether what several sites give is joined along an axis of positions, or written into one tensor: then each has queries of its own. */
function joinsPositions(index: GraphIndex, { joined, products }: Join): boolean {
  const results = new Set([...products].map((node) => index.nodes[node].outputs[0]));
  const pending = [joined];
  const seen = new Set(pending);
  let isJoined = false;
  for (let i = 0; i < pending.length && i < mostTensors; i++) {
    const tensor = pending[i];
    if (results.has(tensor)) continue;
    const node = index.producer(tensor);
    if (node === undefined) continue;
    const operator = operatorOf(index, node);
    if (summing.has(operator)) return false;
    if (operator === 'Concat' || operator === 'ScatterND') isJoined = true;
    if (!moving.has(operator) && !masking.has(operator)) continue;
    for (const input of index.nodes[node].inputs)
      if (input !== '' && !seen.has(input)) {
        seen.add(input);
        pending.push(input);
      }
  }
  return isJoined;
}

/** Whether all sites weight values of one projection: several attentions may be joined, too. */
function sharesValues(index: GraphIndex, sites: readonly FoundSite[]): boolean {
  const [first, ...others] = sites.map(({ values }) => sourcesOf(index, values) ?? new Map<string, string>());
  return [...first.keys()].some((source) => others.every((each) => each.has(source)));
}

/** Where the values of all parts come from; undefined where that is no product with a weight. */
function valuesInParts(index: GraphIndex, { joined, products, normalizers }: Join): ValuesInParts | undefined {
  const weights = new Set([...normalizers].flatMap((node) => index.nodes[node].outputs.slice(0, 1)));
  const sources = new Map<string, string>();
  let first: { readonly product: number; readonly values: string } | undefined;
  for (const node of products) {
    for (const operand of activationProduct(index, node)?.operands ?? []) {
      if (comesFrom(index, operand, weights)) continue;
      const own = sourcesOf(index, operand);
      if (own === undefined) return undefined;
      first ??= { product: node, values: operand };
      for (const [source, hidden] of own) sources.set(source, hidden);
    }
  }
  return first === undefined || sources.size === 0
    ? undefined
    : {
        weights: [...weights],
        sources: [...sources].map(([tensor, hidden]) => ({ tensor, hidden })),
        joined,
        first: first.product,
        firstValues: first.values,
      };
}

/** Whether an operand is weights, moved. */
function comesFrom(index: GraphIndex, operand: string, weights: ReadonlySet<string>): boolean {
  const pending = [operand];
  const seen = new Set(pending);
  for (let i = 0; i < pending.length && i < mostTensors; i++) {
    if (weights.has(pending[i])) return true;
    const node = index.producer(pending[i]);
    if (node === undefined) continue;
    const operator = operatorOf(index, node);
    if (!moving.has(operator) && !masking.has(operator)) continue;
    for (const input of index.nodes[node].inputs)
      if (input !== '' && !seen.has(input)) {
        seen.add(input);
        pending.push(input);
      }
  }
  return false;
}

/** The projections that values were, before they were moved, each with what it projects; undefined where something else is among them. */
function sourcesOf(index: GraphIndex, values: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  const pending = [values];
  const seen = new Set(pending);
  for (let i = 0; i < pending.length; i++) {
    if (i >= mostTensors) return undefined;
    const tensor = pending[i];
    index.spend(1);
    const hidden = projectedBy(index, tensor);
    if (hidden !== undefined) {
      found.set(tensor, hidden);
      continue;
    }
    const node = index.producer(tensor);
    if (node === undefined || index.weight(tensor) !== undefined) {
      // What is read from a cache was projected in a run before this one.
      if (node === undefined && !index.initializers.has(tensor)) return undefined;
      continue;
    }
    const operator = operatorOf(index, node);
    if (operator === 'ConstantOfShape' || operator === 'Constant') continue;
    if (!moving.has(operator)) return undefined;
    const { inputs } = index.nodes[node];
    const carried =
      operator === 'Concat' ? inputs : operator.startsWith('Scatter') ? [inputs[0], inputs[2]] : [inputs[0]];
    for (const input of carried)
      if (input !== '' && !seen.has(input)) {
        seen.add(input);
        pending.push(input);
      }
  }
  return found;
}

/** What a projection, perhaps with its bias, makes a tensor of. */
function projectedBy(index: GraphIndex, tensor: string): string | undefined {
  let name = tensor;
  for (let i = 0; i < 5; i++) {
    const node = index.producer(name);
    if (node === undefined) return undefined;
    const hidden = projectedTensor(index, node);
    if (hidden !== undefined) return beforeQuantizing(index, hidden);
    const { inputs } = index.nodes[node];
    const operator = operatorOf(index, node);
    // A product of bytes is cast and multiplied by its scale.
    const others =
      operator === 'Add'
        ? inputs.filter((input) => index.weight(input) === undefined)
        : operator === 'Mul'
          ? inputs.filter((input) => index.nodes[index.producer(input) ?? -1]?.opType === 'Cast')
          : operator === 'Cast' && i > 0
            ? [inputs[0]]
            : [];
    if (others.length !== 1) return undefined;
    [name] = others;
  }
  return undefined;
}

function siteOf(index: GraphIndex, join: Join, values: ValuesInParts, like: FoundSite | undefined): FoundSite {
  const normalizer = Math.min(...join.normalizers);
  const [weights] = index.nodes[normalizer].outputs;
  return {
    node: values.first,
    method: 'exposed',
    normalizer: 'softmax',
    rowSum: 'atMostOne',
    tensor: weights,
    suffix: undefined,
    needs: [weights],
    isUndivided: false,
    queryAxis: -2,
    keyAxis: -1,
    queries: like?.queries ?? values.sources[0].hidden,
    keys: like?.keys ?? values.sources[0].hidden,
    values: like?.values ?? values.firstValues,
    namedBy: normalizer,
    chain: [],
    numHeads: like?.numHeads,
    numKeyValueHeads: undefined,
    notes: ['computed in parts, which are put together over its positions'],
    inParts: values,
  };
}
