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
import type { ExtraTensors } from '../session/attentionSession';
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
  return { query: operandOrigin(index, queries.tensor), key: operandOrigin(index, keys.tensor) };
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

function tapGraph(
  index: GraphIndex,
  site: PlacedSite,
  plan: CellPlan,
  roles: ReadonlyMap<string, InputRole>,
): CellTaps {
  const origins = originsOf(plan);
  const source = origins.query.source;
  const isTarget = site.component === 'decoder' || site.component === 'cross';
  const embedding =
    source === undefined
      ? undefined
      : ((isTarget ? findEmbedding(index, source, roles, 'targetIds') : undefined) ??
        findEmbedding(index, source, roles, [...roles.values()].includes('pixels') ? 'pixels' : 'ids'));
  const parts = siteTaps(index, site);
  const made = new SuffixBuilder(index, site.node, 'cell/');
  const outputs = new Map<string, string>();
  const needs = new Set<string>();
  const own = new Set([...(site.suffix === undefined ? [] : [site.tensor])]);
  const isOfSuffix = (tensor: string): boolean => own.has(tensor) || !index.hasTensor(tensor);
  const leading = made.integers('leading', [1, 1]);
  const gather = (what: string, tensor: string, axis: -1 | -2, input: string): void => {
    if (!isOfSuffix(tensor)) needs.add(tensor);
    const shape = made.add('Shape', [tensor], [made.name(`${what}-shape`)]);
    const lifted = made.add('Concat', [leading, shape], [made.name(`${what}-lifted-shape`)], { axis: { integer: 0 } });
    const length = made.add('Gather', [lifted, made.integers(`${what}-axis`, [axis])], [made.name(`${what}-length`)]);
    outputs.set(
      what,
      made.add(
        'Gather',
        [
          made.add('Reshape', [tensor, lifted], [made.name(`${what}-lifted`)]),
          made.add('Mod', [input, length], [made.name(`${what}-place`)]),
        ],
        [made.name(what)],
        { axis: { integer: axis } },
      ),
    );
  };
  const copy = (what: string, tensor: string): void => {
    if (!isOfSuffix(tensor)) needs.add(tensor);
    outputs.set(what, made.add('Identity', [tensor], [made.name(what)]));
  };
  const extra = new Set<string>();
  const part = (what: string, found: HeadTensor | string): void => {
    if (typeof found === 'string') return;
    copy(what, found.tensor);
    if (!index.hasTensor(found.tensor)) extra.add(found.tensor);
  };
  if (plan.form === 'fused' || plan.form === 'linear') {
    part('query', parts.queries);
    part('key', parts.keys);
    if (plan.form === 'fused' && typeof parts.scores !== 'string' && parts.scores.queryAxis === -2) {
      gather('scores', parts.scores.tensor, -2, cellInputs.query);
      if (!index.hasTensor(parts.scores.tensor)) extra.add(parts.scores.tensor);
    }
  } else if (plan.additive === undefined) {
    gather('query', plan.queries.tensor, plan.queries.positionAxis, cellInputs.query);
    gather('key', plan.keys.tensor, plan.keys.positionAxis, cellInputs.key);
  } else {
    // Each is spread over the other's positions: which axis that is, is told by the vector's length.
    copy('query', plan.queries.tensor);
    copy('key', plan.keys.tensor);
    copy('vector', plan.additive.projection);
  }
  for (const [what, tensor] of rowsOf(plan))
    if (plan.additive === undefined) gather(what, tensor, -2, cellInputs.query);
    else copy(what, tensor);
  for (const [side, { source: given, scales }] of Object.entries(origins)) {
    if (given !== undefined) gather(`x of ${side}`, given, -2, side === 'query' ? cellInputs.query : cellInputs.key);
    scales.forEach(({ factor }, i) => copy(`scale of ${side} ${i}`, factor));
  }
  if (embedding !== undefined) {
    gather('embedding', embedding.tensor, -2, cellInputs.query);
    if (embedding.position !== undefined) {
      gather('position', embedding.position.tensor, -2, cellInputs.query);
      gather('summed', embedding.position.sum, -2, cellInputs.query);
    }
  }
  part('values', parts.values);
  const { projection } = parts;
  const given = weightedValues(index, site);
  // What a projection of bytes is given and gives is no numbers.
  if (typeof projection !== 'string' && projection.resultScale === undefined) {
    gather('context', projection.context, -2, cellInputs.query);
    gather('written', projection.result, -2, cellInputs.query);
  } else if (typeof given !== 'string')
    gather('context', given.result, given.resultLayout === 'turned' ? -1 : -2, cellInputs.query);
  const tapped: PlacedSite = { ...site, needs: [...new Set([...site.needs, ...needs])] };
  return {
    plan,
    origins,
    embedding,
    isUndivided: site.isUndivided,
    parts,
    isRounded: index.consumers(site.tensor).some((node) => operatorOf(index, node).endsWith('QuantizeLinear')),
    projectionNode: typeof projection === 'string' ? undefined : namedNode(index, projection.node),
    extras: new Map([[tapped, { tensors: [...extra], suffix: parts.suffix }]]),
    outputs,
    sites: [tapped],
    tap: (_, weights) => {
      gather('weights', weights, -2, cellInputs.query);
      return { ...made.build(), outputs: [...outputs.values()] };
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
