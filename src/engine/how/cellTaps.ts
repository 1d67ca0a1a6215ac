import { weightedValues } from '../../onnx/find/weightedValues';
import { siteTaps } from '../../onnx/find/siteTaps';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import { operatorOf } from '../../onnx/follow/products';
import type { InputRole } from '../../onnx/inputs/inputs';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { FoundSite, LoopPlace, Suffix } from '../../onnx/name/site';
import type { SiteTaps } from '../../onnx/name/taps';
import type { HowStep } from '../../model/how/how';
import type { ExtraTensors } from '../session/sessionPlan';
import type { Tap } from '../../onnx/rewrite/rewriteModel';
import { namedNode, planCell, type CellPlan, type NamedNode } from '../../onnx/steps/cellPlan';
import { findEmbedding, type Embedding } from '../../onnx/steps/embedding';
import { operandOrigin, type OperandOrigin } from '../../onnx/steps/operandOrigin';
import { cellInputs, CellOutputs } from './cellOutputs';

/** How a cell is made, as the graph has it. */
export interface CellFrame {
  readonly plan: CellPlan;
  /** Where its layer is an iteration of a loop: every output has all iterations along a first axis, and this is the layer's; rows where each iteration is one. */
  readonly loop: { readonly iteration: number | 'rows'; readonly isReversed: boolean } | undefined;
  readonly origins: { readonly query: OperandOrigin; readonly key: OperandOrigin };
  readonly embedding: Embedding | undefined;
  /** Whether the rows have yet to be divided by their sums. */
  readonly isUndivided: boolean;
  /** Where its parts are; undefined where each iteration of a loop is a row. */
  readonly parts: SiteTaps | undefined;
  /** Whether the weights are rounded to few bits before they weight the values. */
  readonly isRounded: boolean;
  /** The node of the output projection. */
  readonly projectionNode: NamedNode | undefined;
  /** Where its attention is computed in parts; undefined where it is not. */
  readonly inParts?: CellInParts;
}

/** The part that a cell lies in. */
export interface CellInParts {
  /** Which part it is; undefined where its score is not followed. */
  readonly step: HowStep | undefined;
  /** How far numbers of the scores' row, and of that after each step, stand from where the keys of the whole row do. */
  readonly starts: readonly number[];
  /** Why its score cannot be followed to queries and keys, in a clause; undefined where it is. */
  readonly lack: string | undefined;
}

/** What is read of a site for one cell, and where it is in the tapped model. */
export interface CellTaps extends CellFrame {
  /** Those parts that are not in the graph as it is. */
  readonly extras: ReadonlyMap<PlacedSite, ExtraTensors>;
  /** The outputs of the tapped model, by what they are. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Sites that the tapped model is made for, and what is added to it. */
  readonly sites: readonly PlacedSite[];
  readonly tap: (site: PlacedSite, weights: string) => Tap | undefined;
}

/** Why something of an attention whose iterations are rows cannot be had, in a clause. */
export const insideLoop = 'it is inside a loop';

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
  if (site.loop === undefined) return tapGraph(index, site, plan, roles);
  return site.loop.iteration === undefined ? tapRows(site, site.loop, plan) : tapLayer(site, site.loop, plan);
}

function originsOf({ index, queries, keys }: CellPlan, hasPositions: boolean): CellTaps['origins'] {
  return {
    query: operandOrigin(index, queries.tensor, queries.positionAxis, hasPositions),
    key: operandOrigin(index, keys.tensor, keys.positionAxis, hasPositions),
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

/** Values, and what comes of them. */
function tapResults(taps: CellOutputs, index: GraphIndex, site: FoundSite, { values, projection }: SiteTaps): void {
  taps.part('values', values);
  const given = weightedValues(index, site);
  // What a projection of bytes is given and gives is no numbers.
  if (typeof projection !== 'string' && projection.resultScale === undefined) {
    taps.gather('context', projection.context, -2);
    taps.gather('written', projection.result, -2);
  } else if (typeof given !== 'string' && given.resultLayout !== 'single')
    taps.gather('context', given.result, given.resultLayout === 'turned' ? -1 : -2);
}

function factsOf(
  index: GraphIndex,
  site: FoundSite,
  { plan, parts }: { readonly plan: CellPlan; readonly parts: SiteTaps },
): Pick<CellTaps, 'plan' | 'parts' | 'isUndivided' | 'isRounded' | 'projectionNode'> {
  const { projection } = parts;
  return {
    plan,
    parts,
    isUndivided: site.isUndivided,
    isRounded: index.consumers(site.tensor).some((node) => operatorOf(index, node).endsWith('QuantizeLinear')),
    projectionNode: typeof projection === 'string' ? undefined : namedNode(index, projection.node),
  };
}

function tapGraph(
  index: GraphIndex,
  site: PlacedSite,
  plan: CellPlan,
  roles: ReadonlyMap<string, InputRole>,
): CellTaps {
  const origins = originsOf(plan, true);
  const embedding = embeddingOf(index, site, origins.query.source, roles);
  const parts = siteTaps(index, site);
  const taps = new CellOutputs(index, site);
  tapScores(taps, plan, parts);
  tapOrigins(taps, origins, embedding);
  tapResults(taps, index, site, parts);
  const tapped: PlacedSite = { ...site, needs: [...new Set([...site.needs, ...taps.needs])] };
  return {
    ...factsOf(index, site, { plan, parts }),
    loop: undefined,
    origins,
    embedding,
    extras: new Map([[tapped, { tensors: [...taps.extra], suffix: parts.suffix }]]),
    outputs: taps.outputs,
    sites: [tapped],
    tap: (_, weights) => {
      taps.gather('weights', weights, -2);
      return taps.build();
    },
  };
}

/** In a loop's body each tensor that is read is another output of the loop, all iterations behind each other: here the rows of the weights. */
function tapRows(site: PlacedSite, loop: LoopPlace, plan: CellPlan): CellTaps {
  const { index, site: own } = loop;
  const isOpen = plan.form === 'product' || plan.form === 'additive';
  const parts = isOpen ? siteTaps(index, own) : undefined;
  const read = new Map<string, string>([
    ['weights', loop.site.tensor],
    ['query', plan.queries.tensor],
    ['key', plan.keys.tensor],
    ...(plan.additive === undefined ? [] : [['vector', plan.additive.projection] as const]),
    ...rowsOf(plan),
    ...(parts === undefined || typeof parts.values === 'string'
      ? []
      : ([
          ['values', parts.values.tensor],
          ['context', index.nodes[own.node].outputs[0]],
        ] as const)),
  ]);
  return {
    plan,
    loop: { iteration: 'rows', isReversed: loop.isReversed },
    origins: originsOf(plan, false),
    embedding: undefined,
    isUndivided: loop.site.isUndivided,
    parts: parts && { ...parts, projection: insideLoop },
    isRounded: false,
    projectionNode: undefined,
    extras: new Map(),
    ...outputsOf(
      site,
      loop,
      read,
      joined([...(own.suffix === undefined ? [] : [own.suffix]), ...(parts === undefined ? [] : [parts.suffix])]),
    ),
  };
}

/** Where each iteration is a layer, its rows and columns are taken in the body, whose nodes know the inputs that name them, and so are the weights of its projections. */
function tapLayer(site: PlacedSite, loop: LoopPlace, plan: CellPlan): CellTaps {
  const { index, site: own } = loop;
  const origins = originsOf(plan, true);
  const parts = siteTaps(index, own);
  const taps = new CellOutputs(index, own);
  tapScores(taps, plan, parts);
  tapOrigins(taps, origins, undefined);
  tapResults(taps, index, own, parts);
  taps.gather('weights', own.tensor, -2);
  for (const side of ['query', 'key'] as const) {
    const { map } = origins[side];
    if (map !== undefined) taps.map(side, map);
  }
  if (typeof parts.projection !== 'string') taps.map('projection', parts.projection);
  const added = [...(own.suffix === undefined ? [] : [own.suffix]), parts.suffix, parts.weightSuffix, taps.build()];
  return {
    ...factsOf(index, own, { plan, parts }),
    loop: { iteration: loop.iteration ?? 0, isReversed: loop.isReversed },
    origins,
    embedding: undefined,
    extras: new Map(),
    ...outputsOf(site, loop, taps.outputs, joined(added)),
  };
}

function joined(suffixes: readonly Suffix[]): Suffix {
  return {
    nodes: suffixes.flatMap(({ nodes }) => nodes),
    initializers: suffixes.flatMap(({ initializers }) => initializers),
    valueInfos: suffixes.flatMap(({ valueInfos }) => valueInfos),
  };
}

/**
 * Tensors of a loop's body as outputs of the loop.
 * @param suffix what is added to the body.
 */
function outputsOf(
  site: PlacedSite,
  loop: LoopPlace,
  read: ReadonlyMap<string, string>,
  suffix: Suffix,
): Pick<CellTaps, 'outputs' | 'sites' | 'tap'> {
  const outputs = new Map<string, string>();
  const whatOf = new Map<string, string>();
  const sites = [...read].map(([what, tensor], i): PlacedSite => {
    const output = `${loop.output}/cell/${what}`;
    whatOf.set(output, what);
    const inner: FoundSite = { ...loop.site, tensor, suffix: i === 0 ? suffix : undefined };
    return { ...site, tensor: output, suffix: undefined, loop: { ...loop, site: inner, output } };
  });
  return {
    outputs,
    sites,
    tap: (tapped, weights) => {
      outputs.set(whatOf.get(tapped.tensor) ?? '', weights);
      return { nodes: [], initializers: [], valueInfos: [], outputs: [weights] };
    },
  };
}
