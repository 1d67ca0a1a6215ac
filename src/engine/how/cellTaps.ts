import { dataType } from '../../onnx/file/dataType';
import { encodeTypedValue } from '../../onnx/file/nodeBytes';
import { SuffixBuilder } from '../../onnx/find/suffixNodes';
import { weightedValues } from '../../onnx/find/weightedValues';
import { siteTaps } from '../../onnx/find/siteTaps';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import { operatorOf } from '../../onnx/follow/products';
import type { InputRole } from '../../onnx/inputs/inputs';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { FoundSite } from '../../onnx/name/site';
import type { HeadTensor, SiteTaps } from '../../onnx/name/taps';
import type { ExtraTensors } from '../session/sessionPlan';
import type { Tap } from '../../onnx/rewrite/rewriteModel';
import { namedNode, planCell, type CellPlan, type NamedNode } from '../../onnx/steps/cellPlan';
import { findEmbedding, type Embedding } from '../../onnx/steps/embedding';
import { operandOrigin, type OperandOrigin } from '../../onnx/steps/operandOrigin';

/** Inputs that the tapped model has beside its own: which query and which key, int64 lists of one number. */
export const cellInputs = { query: 'attention-explorer-cell-query', key: 'attention-explorer-cell-key' } as const;

/** What is read of a site for one cell, and where it is in the tapped model. */
export interface CellTaps {
  readonly plan: CellPlan;
  readonly origins: { readonly query: OperandOrigin; readonly key: OperandOrigin };
  readonly embedding: Embedding | undefined;
  /** Whether the rows have yet to be divided by their sums. */
  readonly isUndivided: boolean;
  /** Where its parts are; undefined in a loop's body. */
  readonly parts: SiteTaps | undefined;
  /** Whether the weights are rounded to few bits before they weight the values. */
  readonly isRounded: boolean;
  /** The node of the output projection. */
  readonly projectionNode: NamedNode | undefined;
  /** Those parts that are not in the graph as it is. */
  readonly extras: ReadonlyMap<PlacedSite, ExtraTensors>;
  /** The outputs of the tapped model, by what they are. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Sites that the tapped model is made for, and what is added to it. */
  readonly sites: readonly PlacedSite[];
  readonly tap: (site: PlacedSite, weights: string) => Tap | undefined;
}

/** ValueInfoProtos of {@link cellInputs}. */
export function encodeCellInputs(): Uint8Array[] {
  return Object.values(cellInputs).map((name) => encodeTypedValue(name, dataType.int64, 1));
}

/** Operators whose other inputs are numbers of the same matrix, or spread over it. */
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Where', 'Concat', 'Max', 'Min', 'Pow', 'Sum', 'PRelu']);

/**
 * What is read of a site for a cell of one of its heads; otherwise, in a clause, why the cell cannot be followed.
 * @param head where heads are modules of their own, which of them.
 */
export function tapCell(
  index: GraphIndex,
  whole: PlacedSite,
  head: number,
  roles: ReadonlyMap<string, InputRole>,
): CellTaps | string {
  const { heads, ...own } = whole;
  const site: PlacedSite = heads === undefined ? whole : { ...own, ...heads[head] };
  const plan = planCell(index, site);
  if (typeof plan === 'string') return plan;
  return site.loop === undefined ? tapGraph(index, site, plan, roles) : tapLoop(site, plan);
}

function originsOf({ index, queries, keys }: CellPlan): CellTaps['origins'] {
  return {
    query: operandOrigin(index, queries.tensor, queries.positionAxis),
    key: operandOrigin(index, keys.tensor, keys.positionAxis),
  };
}

/** Tensors that are read of the way from scores to weights, with what they are. */
function rowsOf({ steps, scores }: CellPlan): (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [];
  if (scores !== undefined) rows.push(['scores', scores]);
  steps.forEach(({ output, others, node }, i) => {
    rows.push([`after ${i}`, output]);
    if (elementwise.has(node.operator)) others.forEach(({ tensor, at }) => rows.push([`other ${i} ${at}`, tensor]));
  });
  return rows;
}

/** Tensors of a graph that are wanted, each as an output of its own: a row or column of it, or all of it. */
class CellOutputs {
  readonly outputs = new Map<string, string>();
  /** Tensors of the graph that the outputs are made of. */
  readonly needs = new Set<string>();
  /** Those of the parts' suffix. */
  readonly extra = new Set<string>();
  readonly #index: GraphIndex;
  readonly #site: PlacedSite;
  readonly #made: SuffixBuilder;
  readonly #leading: string;

  constructor(index: GraphIndex, site: PlacedSite) {
    this.#index = index;
    this.#site = site;
    this.#made = new SuffixBuilder(index, site.node, 'cell/');
    this.#leading = this.#made.integers('leading', [1, 1]);
  }

  /** The row (−2) or column (−1) of a tensor that an input names, or its like along another axis; the only one where there is one for all. */
  gather(what: string, tensor: string, axis: number, input: string = cellInputs.query): void {
    const made = this.#made;
    this.#need(tensor);
    const name = (part: string): string[] => [made.name(`${what}-${part}`)];
    // A tensor of fewer axes than two has axes of length one.
    const shape = made.add(
      'Concat',
      [this.#leading, made.add('Shape', [tensor], name('shape'))],
      name('lifted-shape'),
      {
        axis: { integer: 0 },
      },
    );
    const length = made.add('Gather', [shape, made.integers(`${what}-axis`, [axis])], name('length'));
    const lifted = made.add('Reshape', [tensor, shape], name('lifted'));
    const place = made.add('Mod', [input, length], name('place'));
    this.outputs.set(what, made.add('Gather', [lifted, place], [made.name(what)], { axis: { integer: axis } }));
  }

  /** All of a tensor. */
  copy(what: string, tensor: string): void {
    this.#need(tensor);
    this.outputs.set(what, this.#made.add('Identity', [tensor], [this.#made.name(what)]));
  }

  /** A part, as far as it is told. */
  part(what: string, found: HeadTensor | string): void {
    if (typeof found !== 'string') this.copy(what, found.tensor);
  }

  build(): Tap {
    return { ...this.#made.build(), outputs: [...this.outputs.values()] };
  }

  #need(tensor: string): void {
    if (this.#site.suffix !== undefined && tensor === this.#site.tensor) return;
    if (this.#index.hasTensor(tensor)) this.needs.add(tensor);
    else if (!tensor.startsWith('attention-explorer-')) this.extra.add(tensor);
  }
}

function embeddingOf(
  index: GraphIndex,
  { component }: PlacedSite,
  source: string | undefined,
  roles: ReadonlyMap<string, InputRole>,
): Embedding | undefined {
  if (source === undefined) return undefined;
  const isTarget = component === 'decoder' || component === 'cross';
  return (
    (isTarget ? findEmbedding(index, source, roles, 'targetIds') : undefined) ??
    findEmbedding(index, source, roles, [...roles.values()].includes('pixels') ? 'pixels' : 'ids')
  );
}

/** Queries, keys, and what is between their product and the weights. */
function tapScores(taps: CellOutputs, plan: CellPlan, parts: SiteTaps): void {
  if (plan.form === 'fused' || plan.form === 'linear') {
    taps.part('query', parts.queries);
    taps.part('key', parts.keys);
    if (plan.form === 'fused' && typeof parts.scores !== 'string' && parts.scores.queryAxis === -2)
      taps.gather('scores', parts.scores.tensor, -2);
    return;
  }
  if (plan.additive === undefined) {
    taps.gather('query', plan.queries.tensor, plan.queries.positionAxis);
    taps.gather('key', plan.keys.tensor, plan.keys.positionAxis, cellInputs.key);
  } else {
    // Each is spread over the other's positions: which axis that is, is told by the vector's length.
    taps.copy('query', plan.queries.tensor);
    taps.copy('key', plan.keys.tensor);
    taps.copy('vector', plan.additive.projection);
  }
  for (const [what, tensor] of rowsOf(plan))
    if (plan.additive === undefined) taps.gather(what, tensor, -2);
    else taps.copy(what, tensor);
}

/** Numbers of a rotation. */
export const turned = ['before', 'cos', 'turned', 'sin', 'after'] as const;

/** What the query's and the key's tokens have become, and where the query's comes from. */
function tapOrigins(taps: CellOutputs, origins: CellTaps['origins'], embedding: Embedding | undefined): void {
  for (const [side, { source, scales, map, turn, normed }] of Object.entries(origins)) {
    const place = side === 'query' ? cellInputs.query : cellInputs.key;
    if (source !== undefined) taps.gather(`x of ${side}`, source, -2, place);
    if (map !== undefined && map.resultScale === undefined) {
      taps.gather(`made of ${side}`, map.output, -2, place);
      if (map.added !== undefined) taps.copy(`bias of ${side}`, map.added);
    }
    if (turn !== undefined)
      for (const what of turned) taps.gather(`${what} of ${side}`, turn[what], turn.positionAxis, place);
    if (normed !== undefined) tapNorm(taps, normed, { side, place });
    scales.forEach(({ factor }, i) => taps.copy(`scale of ${side} ${i}`, factor));
  }
  if (embedding === undefined) return;
  taps.gather('embedding', embedding.tensor, -2);
  if (embedding.position === undefined) return;
  taps.gather('position', embedding.position.tensor, -2);
  if (embedding.position.sum !== undefined) taps.gather('summed', embedding.position.sum, -2);
}

/** What a norm of queries or keys is given and gives, and its numbers. */
function tapNorm(
  taps: CellOutputs,
  norm: NonNullable<OperandOrigin['normed']>,
  { side, place }: { readonly side: string; readonly place: string },
): void {
  for (const what of ['before', 'after'] as const)
    taps.gather(`norm ${what} of ${side}`, norm[what], norm.positionAxis, place);
  for (const what of ['gain', 'shift', 'epsilon'] as const) {
    const tensor = norm[what];
    if (typeof tensor === 'string') taps.copy(`norm ${what} of ${side}`, tensor);
  }
}

function tapGraph(
  index: GraphIndex,
  site: PlacedSite,
  plan: CellPlan,
  roles: ReadonlyMap<string, InputRole>,
): CellTaps {
  const origins = originsOf(plan);
  const embedding = embeddingOf(index, site, origins.query.source, roles);
  const parts = siteTaps(index, site);
  const taps = new CellOutputs(index, site);
  tapScores(taps, plan, parts);
  tapOrigins(taps, origins, embedding);
  taps.part('values', parts.values);
  const { projection } = parts;
  const given = weightedValues(index, site);
  // What a projection of bytes is given and gives is no numbers.
  if (typeof projection !== 'string' && projection.resultScale === undefined) {
    taps.gather('context', projection.context, -2);
    taps.gather('written', projection.result, -2);
  } else if (typeof given !== 'string') taps.gather('context', given.result, given.resultLayout === 'turned' ? -1 : -2);
  const tapped: PlacedSite = { ...site, needs: [...new Set([...site.needs, ...taps.needs])] };
  return {
    plan,
    origins,
    embedding,
    isUndivided: site.isUndivided,
    parts,
    isRounded: index.consumers(site.tensor).some((node) => operatorOf(index, node).endsWith('QuantizeLinear')),
    projectionNode: typeof projection === 'string' ? undefined : namedNode(index, projection.node),
    extras: new Map([[tapped, { tensors: [...taps.extra], suffix: parts.suffix }]]),
    outputs: taps.outputs,
    sites: [tapped],
    tap: (_, weights) => {
      taps.gather('weights', weights, -2);
      return taps.build();
    },
  };
}

/** In a loop's body each tensor that is read is another output of the loop, all iterations behind each other. */
function tapLoop(site: PlacedSite, plan: CellPlan): CellTaps | string {
  const { loop } = site;
  if (loop === undefined) return 'it is inside a loop';
  const read = new Map<string, string>([
    ['weights', loop.site.tensor],
    ['query', plan.queries.tensor],
    ['key', plan.keys.tensor],
    ...(plan.additive === undefined ? [] : [['vector', plan.additive.projection] as const]),
    ...rowsOf(plan),
  ]);
  const outputs = new Map<string, string>();
  const whatOf = new Map<string, string>();
  const others: PlacedSite[] = [...read].flatMap(([what, tensor]) => {
    if (what === 'weights') return [];
    const inner: FoundSite = { ...loop.site, tensor, suffix: undefined };
    const output = `${loop.output}/cell/${what}`;
    whatOf.set(output, what);
    return [{ ...site, tensor: output, loop: { ...loop, site: inner, output } }];
  });
  whatOf.set(site.tensor, 'weights');
  return {
    plan,
    origins: originsOf(plan),
    embedding: undefined,
    isUndivided: loop.site.isUndivided,
    parts: undefined,
    isRounded: false,
    projectionNode: undefined,
    extras: new Map(),
    outputs,
    sites: [site, ...others],
    tap: (tapped, weights) => {
      outputs.set(whatOf.get(tapped.tensor) ?? '', weights);
      return { nodes: [], initializers: [], valueInfos: [], outputs: [weights] };
    },
  };
}
