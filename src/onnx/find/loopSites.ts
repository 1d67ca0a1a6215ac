import { headCounts } from '../name/describeSites';
import { missedAt } from './definition';
import { findFusedSites } from './fusedSites';
import type { GraphIndex } from '../graph/graphIndex';
import { hasWeightsPerIteration, ingredientsOf, isGrowing, readLoopBody, type LoopBody } from '../follow/loopBody';
import { findMissedSites } from './missedSites';
import { findPatternSites } from './patternSites';
import { activationProduct, operatorOf } from '../follow/products';
import type { FoundSite, LoopPlace, MissedSite } from '../name/site';
import { SuffixBuilder } from './suffixNodes';
import { rearranging } from '../follow/trace';

/** More iterations than any model has layers. */
const maxLayers = 512;

const recurrent =
  'a recurrent layer: what was read is a state that every position changes, so no matrix of weights exists';

/** Scans of an earlier version have a batch axis of their own. */
const firstPlainScan = 9;

/**
 * Attention in the bodies of loops. Where each iteration is a query position, the loop is asked for the weights of all
 * iterations, which are the rows; where each is a layer, it is asked for them as well, and each is a site of its own.
 * Which of the two it is follows from what queries and keys are made of; where that cannot be told, the site is refused.
 */
export function findLoopSites(index: GraphIndex): {
  readonly sites: readonly FoundSite[];
  readonly missed: readonly MissedSite[];
  readonly loops: ReadonlySet<number>;
} {
  const loops = new Set<number>();
  const sites: FoundSite[] = [];
  const missed: MissedSite[] = [];
  index.nodes.forEach((_, node) => {
    const loop = readLoopBody(index, node);
    if (loop === undefined) return;
    loops.add(node);
    const body = loop.index;
    const live = body.ancestors(body.graph.outputs.map((output) => output.name)).nodes;
    const fused = findFusedSites(body);
    const found = [...findPatternSites(body).sites, ...fused.sites].filter((site) => live.has(site.node));
    const refused: MissedSite[] = [...fused.missed];
    const hasOwnWeights = found.length > 0 && hasWeightsPerIteration(loop);
    found.forEach((site, position) => {
      const placed = placeInLoop(loop, site, hasOwnWeights, position);
      if (typeof placed === 'string')
        refused.push({
          ...missedAt(body, site.namedBy, { reason: placed }, operatorOf(body, site.namedBy)),
          node: site.node,
        });
      else sites.push(...placed);
    });
    const others = findMissedSites(body, found, { known: refused });
    for (const each of [...refused, ...others]) missed.push({ ...each, node });
    if (found.length === 0 && refused.length === 0 && others.length === 0 && readsState(loop))
      missed.push(missedAt(index, node, { reason: recurrent }, operatorOf(index, node)));
  });
  return { sites, missed, loops };
}

/** Whether each iteration multiplies something with a state that it hands on: a recurrent layer in the place of attention, such as linear attention step by step. */
function readsState({ index, carried }: LoopBody): boolean {
  const states = new Set([...carried.values()].flatMap(({ input, output }) => [input, output]));
  const isState = (tensor: string): boolean => {
    let name = tensor;
    for (let i = 0; i < 6 && !states.has(name); i++) {
      const maker = index.producer(name);
      if (maker === undefined || !rearranging.has(operatorOf(index, maker))) return false;
      name = index.nodes[maker].inputs[0];
    }
    return states.has(name);
  };
  return index.nodes.some((_, node) => activationProduct(index, node)?.operands.some(isState) === true);
}

/** The sites that one attention of a body is, or why it is none. */
function placeInLoop(loop: LoopBody, site: FoundSite, hasOwnWeights: boolean, position: number): FoundSite[] | string {
  const outer = loop.index.outer?.index;
  if (outer === undefined) return 'it lies outside every loop';
  if (operatorOf(outer, loop.node) === 'Scan' && (outer.model.opsets.get('') ?? 1) < firstPlainScan)
    return 'it is inside a Scan of an old version, which has a batch axis of its own';
  const queries = ingredientsOf(loop, [site.queries]);
  const keys = ingredientsOf(loop, [site.keys]);
  const values = ingredientsOf(loop, [site.values]);
  const output = new SuffixBuilder(outer, loop.node).name(`iterations-${position}`);
  const place = { index: loop.index, site, output, isReversed: loop.isReversed === true };
  const heads = headCounts(loop.index, site);
  const base: FoundSite = {
    ...site,
    node: loop.node,
    namedBy: loop.node,
    suffix: undefined,
    tensor: output,
    needs: outer.dependencies(loop.node).filter((name) => name !== ''),
    numHeads: site.numHeads ?? heads.numHeads,
    numKeyValueHeads: site.numKeyValueHeads ?? heads.numKeyValueHeads,
  };
  if (hasOwnWeights || (queries.isVarying && keys.isVarying)) {
    if (isGrowing(loop, site.keys) || isGrowing(loop, site.queries))
      return 'it is inside a loop whose keys grow from one iteration to the next, so that the iterations make no single matrix';
    const { numIterations } = loop;
    if (numIterations === undefined || numIterations > maxLayers)
      return `it is inside a ${operatorOf(outer, loop.node)} whose iterations are layers, and the file does not say how many there are`;
    const sources = { queries: queries.outside, keys: keys.outside, values: values.outside };
    return Array.from({ length: numIterations }, (_, iteration): FoundSite => {
      const suffix = new SuffixBuilder(outer, loop.node, `${position}/${iteration}/`);
      const at = suffix.integers('at', place.isReversed ? numIterations - 1 - iteration : iteration);
      const tensor = suffix.tensor('Gather', [output, at], 'weights', { axis: { integer: 0 } });
      const layer: LoopPlace = { ...place, iteration, isCross: false, sources };
      return {
        ...base,
        tensor,
        suffix: suffix.build(),
        notes: [...site.notes, `iteration ${iteration} of a loop over layers`],
        loop: layer,
      };
    });
  }
  // A product may name its operands in either order: what changes is what asks.
  const [asking, read] = keys.isVarying ? [keys, queries] : [queries, keys];
  if (!asking.isVarying) return 'it is inside a loop, and no iteration changes anything in it';
  if (loop.isReversed === undefined) return 'it is inside a loop that does not read its positions in their order';
  const rows: LoopPlace = {
    ...place,
    iteration: undefined,
    isCross: asking.isRecurrent,
    sources: { queries: asking.outside, keys: read.outside, values: values.outside },
  };
  return [{ ...base, notes: [...site.notes, 'each iteration of a loop is a row'], loop: rows }];
}
