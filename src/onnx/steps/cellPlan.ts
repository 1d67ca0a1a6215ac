import type { GraphIndex } from '../graph/graphIndex';
import { nodeName } from '../file/readModel';
import { activationProduct, operatorOf, projectedTensor, type Product } from '../follow/products';
import { pathOf, walkBack, type Step } from '../follow/trace';
import type { FoundSite } from '../name/site';

/** A node that a matrix goes through on its way, with what else it is given. */
export interface GraphStep {
  readonly node: NamedNode;
  /** The tensor that is carried on, and what it becomes. */
  readonly input: string;
  readonly output: string;
  /** The node's other inputs that count, in its order, each with its place among them. */
  readonly others: readonly { readonly tensor: string; readonly at: number; readonly madeBy: string | undefined }[];
  /** Where among the node's inputs the carried one is. */
  readonly at: number;
}

/** A node as it is told: what the file calls it, and its operator. */
export interface NamedNode {
  readonly name: string;
  readonly operator: string;
}

/** An operand of scores: which of its axes, counted from the end, are positions and features. */
interface Operand {
  readonly tensor: string;
  readonly positionAxis: -1 | -2;
}

/** How a site's weights come from its queries and keys, as nodes of the graph. */
export interface CellPlan {
  /**
   * `product`: scores are a product of queries and keys. `additive`: a projection of their activated sum. `linear`: no matrix of scores
   * exists, weights are the products divided by their sums. `fused`: an operator computes it inside itself.
   */
  readonly form: 'product' | 'additive' | 'linear' | 'fused';
  /** The graph that the names are of: the model's, or a loop's body. */
  readonly index: GraphIndex;
  readonly queries: Operand;
  readonly keys: Operand;
  /** What makes the raw scores: the product, or of additive scores the last of `sum`, `activation` and `projection`; the operator that is fused. */
  readonly product: NamedNode;
  readonly scores: string | undefined;
  /** Of additive scores: the sum and what activates it, and the vector that projects it. */
  readonly additive?: {
    readonly sum: NamedNode;
    readonly activation: NamedNode;
    readonly projection: string;
  };
  /** What an operator scales its product by inside itself, where its file says so. */
  readonly scale?: number | undefined;
  /** From the raw scores to the weights, in order. */
  readonly steps: readonly GraphStep[];
  /** The tensor that {@link steps} end in. */
  readonly weights: string;
}

/** How a node is told. */
export function namedNode(index: GraphIndex, node: number): NamedNode {
  return { name: nodeName(index.model, index.nodes[node]), operator: operatorOf(index, node) };
}

/** Operators of older versions do not count axes from the end. */
const oldestOpset = 11;

/** How the weights of a site are made; otherwise, in a clause, why that cannot be followed. */
export function planCell(index: GraphIndex, site: FoundSite): CellPlan | string {
  if (site.loop !== undefined) return planCell(site.loop.index, site.loop.site);
  const { node, method, normalizer, suffix } = site;
  if ((index.model.opsets.get('') ?? 1) < oldestOpset)
    return 'its operators are of a version that does not count axes from the end';
  const inOne: Omit<CellPlan, 'form' | 'keys'> = {
    index,
    queries: { tensor: site.queries, positionAxis: -2 },
    product: namedNode(index, node),
    scores: undefined,
    steps: [],
    weights: site.tensor,
  };
  if (normalizer === 'linear') return { ...inOne, form: 'linear', keys: { tensor: site.keys, positionAxis: -1 } };
  if (method === 'probed' || (method === 'rebuilt' && suffix !== undefined) || isFused(index, node))
    return {
      ...inOne,
      form: 'fused',
      scale: index.attributes(node).get('scale')?.float,
      keys: { tensor: site.keys, positionAxis: -2 },
    };
  if (index.outer === undefined && (site.queryAxis !== -2 || site.keyAxis !== -1))
    return 'its last two axes are not queries and keys';
  return followed(index, site);
}

function isFused(index: GraphIndex, node: number): boolean {
  return /(?:^|\.)\w*Attention$/.test(operatorOf(index, node));
}

function followed(index: GraphIndex, site: FoundSite): CellPlan | string {
  let end: { readonly step: Step; readonly product?: Product; readonly additive?: Additive } | undefined;
  walkBack(index, site.tensor, (step) => {
    if (step.node === undefined || end !== undefined) return true;
    const product = activationProduct(index, step.node);
    if (product !== undefined) {
      const [queries, keys] = product.operands;
      if (queries === site.queries && keys === site.keys) end = { step, product };
      return true;
    }
    const additive = additiveAt(index, step.node, site);
    if (additive !== undefined) end = { step, additive };
    return additive !== undefined;
  });
  if (end?.step.node === undefined) return 'its weights cannot be followed back to queries and keys';
  const path = pathOf(end.step).reverse();
  const steps: GraphStep[] = [];
  for (const [i, { node, tensor }] of path.entries()) {
    if (i === 0) continue;
    if (node === undefined) return 'its weights cannot be followed back to queries and keys';
    const step = stepOf(index, node, path[i - 1].tensor, tensor);
    if (step === undefined || step.node.operator === 'Transpose')
      return 'its scores are transposed on the way to its weights';
    steps.push(step);
  }
  const common = {
    index,
    product: namedNode(index, end.step.node),
    scores: end.step.tensor,
    steps,
    weights: site.tensor,
  };
  if (end.additive !== undefined)
    return {
      ...common,
      form: 'additive',
      queries: { tensor: site.queries, positionAxis: -2 },
      keys: { tensor: site.keys, positionAxis: -2 },
      additive: end.additive,
    };
  const axes = operandAxes(end.product);
  if (axes === undefined) return 'its product of queries and keys has axes that are not followed';
  return {
    ...common,
    form: 'product',
    scale: index.attributes(end.step.node).get('alpha')?.float,
    queries: { tensor: site.queries, positionAxis: axes[0] },
    keys: { tensor: site.keys, positionAxis: axes[1] },
  };
}

function stepOf(index: GraphIndex, node: number, input: string, output: string): GraphStep | undefined {
  const { inputs } = index.nodes[node];
  const at = inputs.indexOf(input);
  if (at < 0 && inputs.length > 0 && operatorOf(index, node) !== 'If') return undefined;
  return {
    node: namedNode(index, node),
    input,
    output,
    at,
    others: inputs.flatMap((tensor, place) => {
      if (place === at || tensor === '') return [];
      const maker = index.producer(tensor);
      return [{ tensor, at: place, madeBy: maker === undefined ? undefined : operatorOf(index, maker) }];
    }),
  };
}

/** Positions' axes of queries and keys in the product, whose result has queries before keys as its last two. */
function operandAxes(product: Product | undefined): readonly [-1 | -2, -1 | -2] | undefined {
  if (product === undefined || product.isFirstMoved.includes(true)) return undefined;
  const { equation, isTransposed } = product;
  if (equation === undefined) return [isTransposed[0] ? -1 : -2, isTransposed[1] ? -2 : -1];
  const [query, key] = equation.result.slice(-2);
  const axis = (operand: string, letter: string): -1 | -2 | undefined => {
    const last = operand.slice(-2);
    return last[1] === letter ? -1 : last[0] === letter ? -2 : undefined;
  };
  const axes = [axis(equation.operands[0], query), axis(equation.operands[1], key)];
  const leading = equation.result.slice(0, -2);
  const isPlain = equation.operands.every((operand) => operand.slice(0, -2) === leading);
  const [ofQueries, ofKeys] = axes;
  return isPlain && ofQueries !== undefined && ofKeys !== undefined ? [ofQueries, ofKeys] : undefined;
}

interface Additive {
  readonly sum: NamedNode;
  readonly activation: NamedNode;
  readonly projection: string;
}

/** Whether a node projects the tanh of the sum of a site's queries and keys to one number. */
function additiveAt(index: GraphIndex, node: number, site: FoundSite): Additive | undefined {
  const activated = projectedTensor(index, node);
  if (activated === undefined || operatorOf(index, node) !== 'MatMul') return undefined;
  const activation = index.producer(activated);
  if (activation === undefined || operatorOf(index, activation) !== 'Tanh') return undefined;
  const sum = index.producer(index.nodes[activation].inputs[0]);
  if (sum === undefined) return undefined;
  const { opType, inputs } = index.nodes[sum];
  if (opType !== 'Add' || inputs[0] !== site.queries || inputs[1] !== site.keys) return undefined;
  const projection = index.nodes[node].inputs.find((input) => input !== activated);
  return projection === undefined
    ? undefined
    : { sum: namedNode(index, sum), activation: namedNode(index, activation), projection };
}
