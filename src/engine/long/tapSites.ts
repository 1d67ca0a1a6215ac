import { blockSite } from '../../onnx/rewrite/blockedSite';
import { leanReplacements, type Replacements } from '../../onnx/rewrite/leanNodes';
import type { LeanPlan } from '../../onnx/rewrite/leanPlan';
import { leanTap, type BlockLevels, type LeanOutputs } from '../../onnx/rewrite/leanTaps';
import type { Tap } from '../../onnx/rewrite/rewriteModel';
import type { PlacedSite } from '../../onnx/name/describeSites';
import { sidesOf } from '../../onnx/name/site';
import type { SessionOptions } from '../session/attentionSession';
import { portable } from '../session/sessionPlan';

/** Queries that are computed at a time where attention is computed in blocks: so many, or as many as so many rows of the small picture. */
const usualBlockRows = 64;
const picturedBlockRows = 8;

/** How such a session is made. */
export interface LeanSessionOptions extends SessionOptions {
  /** Queries that are computed at a time; the more, the longer the text, unless told otherwise. */
  readonly blockRows?: number;
}

/** How many queries are computed at a time, where so many are one row of the small picture. */
function blockRowsFor(height: number): number {
  return Math.max(usualBlockRows, picturedBlockRows * height);
}

/** What is made of a model for its sites. */
interface TappedSites {
  readonly replacements: Replacements;
  readonly taps: ReadonlyMap<PlacedSite, (weights: string) => Tap>;
  /** Filled in as taps are made. */
  readonly outputs: Map<PlacedSite, LeanOutputs | undefined>;
}

/** What stands in a model in the place of its sites' weights, which are computed in blocks where they can be and the processor computes. */
export function tapSites(
  { files, runtime = portable, wantOutputs = false, blockRows }: LeanSessionOptions,
  levels: BlockLevels,
  plans: ReadonlyMap<PlacedSite, LeanPlan>,
  isTrimmed: boolean,
): TappedSites {
  const { index, sites } = files.analysis;
  const trimmed = isTrimmed
    ? leanReplacements(index)
    : { nodes: new Map<number, readonly Uint8Array[]>(), initializers: [] };
  const nodes = new Map(trimmed.nodes);
  const initializers = [...trimmed.initializers];
  const taps = new Map<PlacedSite, (weights: string) => Tap>();
  const outputs = new Map<PlacedSite, LeanOutputs | undefined>();
  sites.forEach((site, i) => {
    const plan = plans.get(site);
    if (plan === undefined || plan.held === 'whole') return;
    const options = { levels, part: `${i}`, clearsRows: !isTrimmed };
    const isBlocked = plan.held === 'recomputed' && plan.whyNotBlocked === undefined;
    // A device has no cache that a block would have to fit in; and what else is wanted of a whole model may need whole weights.
    if (isBlocked && !runtime.traits.isOnDevice && !wantOutputs) {
      const [level] = sidesOf(site.component, levels.source, levels.target);
      const rows = blockRows ?? blockRowsFor(2 ** level);
      const made = blockSite(index, site, { ...options, rows, replaced: trimmed.nodes });
      nodes.set(site.node, made.nodes);
      initializers.push(...made.initializers);
      outputs.set(site, made.outputs);
      taps.set(site, () => made.tap);
    } else
      taps.set(site, (weights) => {
        const made = leanTap(index, site, plan, { ...options, weights });
        outputs.set(site, made.outputs);
        return made.tap;
      });
  });
  return { replacements: { nodes, initializers }, taps, outputs };
}
