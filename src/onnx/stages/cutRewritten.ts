import type { ModelAnalysis } from '../find/analyzeModel';
import type { PlacedSite } from '../name/describeSites';
import type { RewrittenModel } from '../rewrite/rewriteModel';
import { GraphIndex } from '../graph/graphIndex';
import { readModel } from '../file/readModel';
import { cutStages, type StageCut } from './cutStages';

/**
 * Cuts a model whose attention is exposed: each stage ends behind a site's product with its values, so that the weights are seen in
 * the stage that makes them and no stage is given any. Ends are the rewritten model's `outputs`, in their order.
 * @param also tensors that are to come with a site's weights.
 */
export function cutRewritten(
  { model, index }: ModelAnalysis,
  rewritten: RewrittenModel,
  also: ReadonlyMap<PlacedSite, readonly string[]>,
): StageCut {
  const graph = new GraphIndex(readModel(rewritten.bytes, model.name));
  return cutStages(
    graph,
    rewritten.outputs.map(({ site, output, taps }) => ({
      tensors: [
        output,
        ...taps,
        ...(also.get(site) ?? []),
        ...[site, ...(site.heads ?? [])].flatMap(({ node }) => index.nodes[node].outputs.filter((name) => name !== '')),
      ],
    })),
  );
}
