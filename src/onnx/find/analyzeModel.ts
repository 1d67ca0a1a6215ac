import { ExplorerError } from '../../base/errors';
import { placeSites, type PlacedSite } from '../name/describeSites';
import { noAttention } from './definition';
import { findFusedSites } from './fusedSites';
import { GraphIndex } from '../graph/graphIndex';
import { hoistBranches, type BranchChoice, type HoistedBranch } from '../graph/hoistBranches';
import { inlineFunctions } from '../graph/inlineFunctions';
import { joinHeads } from './joinedHeads';
import { isBesideParts, joinParts } from './joinedParts';
import { findLinearSites } from './linearSites';
import { findLoopSites } from './loopSites';
import { findMissedSites } from './missedSites';
import type { OnnxModel } from '../file/onnxModel';
import { findPatternSites } from './patternSites';
import type { MissedSite } from '../name/site';

/** What was found in a model's graph. */
export interface ModelAnalysis {
  readonly model: OnnxModel;
  /** The graph as it will run: branches that an input decides are in it. */
  readonly index: GraphIndex;
  readonly sites: readonly PlacedSite[];
  readonly missed: readonly MissedSite[];
  readonly hoisted: readonly HoistedBranch[];
}

/** No real model has so many. */
const maxSites = 2000;

/** By default a decoder that is merged with its cached variant takes the branch without a cache. */
const withoutCache: BranchChoice = () => false;

/** Finds every attention of a model from its graph alone. Throws the errors of {@link inlineFunctions} and {@link GraphIndex}. */
export function analyzeModel(file: OnnxModel, choose: BranchChoice = withoutCache): ModelAnalysis {
  const model = inlineFunctions(file);
  const { graph, hoisted } = hoistBranches(model, choose);
  const index = new GraphIndex(model, graph);
  const live = index.ancestors(graph.outputs.map((output) => output.name)).nodes;
  const fused = findFusedSites(index);
  const patterns = findPatternSites(index);
  const linear = findLinearSites(index, new Set(patterns.sites.map((site) => site.node)));
  const loops = findLoopSites(index);
  const found = [...patterns.sites, ...linear.sites, ...fused.sites, ...loops.sites].filter((site) =>
    live.has(site.node),
  );
  if (found.length > maxSites)
    throw new ExplorerError('modelUnsupported', [model.name, `more than ${maxSites} attentions were found in it`]);
  const joined = joinHeads(index, found);
  const missed = [
    ...fused.missed,
    ...patterns.refused,
    ...loops.missed,
    ...linear.refused,
    ...findMissedSites(index, found, {
      known: [...fused.missed, ...patterns.refused, ...linear.refused],
      unasked: patterns.unasked,
      lookedInto: loops.loops,
    }),
  ];
  const inParts = joinParts(
    index,
    joined,
    missed.flatMap(({ node, reason, isOther }) =>
      node === undefined || isOther === true || reason === noAttention.keysAreItems || !live.has(node) ? [] : [node],
    ),
  );
  const whole = joined
    .filter(({ node }) => !inParts.some(({ products }) => products.has(node)))
    .map((site) => (isBesideParts(index, site, inParts) ? { ...site, isBeside: true } : site));
  const sites = placeSites(index, [...whole, ...inParts.map(({ site }) => site)], model.name);
  return {
    model,
    index,
    sites,
    missed: missed.filter(
      ({ node }) => node === undefined || !inParts.some(({ normalizers }) => normalizers.has(node)),
    ),
    hoisted,
  };
}
