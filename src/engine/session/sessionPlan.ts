import { ExplorerError } from '../../base/errors';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { Notice } from '../../model/modelInfo';
import { roundsProducts } from '../../onnx/follow/roundedProducts';
import type { GraphIndex } from '../../onnx/graph/graphIndex';
import type { Suffix, WeightedValues } from '../../onnx/name/site';
import { weightedValues } from '../../onnx/find/weightedValues';
import type { ExtractionReport } from '../../onnx/report/report';
import type { RewrittenModel } from '../../onnx/rewrite/rewriteModel';
import type { StageCut } from '../../onnx/stages/cutStages';
import type { ModelFiles } from '../files/modelFiles';
import type { ExpectedOutput } from '../runtime/placedOutputs';
import { backendTraits, onProcessor, portableBackend, runtimeBuilds } from '../runtime/backends';
import type { SessionRuntime } from '../runtime/runtime';
import { provenBy } from '../stages/siteReader';
import { extentsOf, type ReadPositions } from '../weights/extents';

/** Tensors that are wanted of a site, with what makes those that the graph does not. */
export interface ExtraTensors {
  readonly tensors: readonly string[];
  readonly suffix: Suffix;
}

/** What the runtime takes of its memory by itself, and what it needs for a byte of weights (measured). */
const fixedBytes = 1.5e8;
const heapPerWeight = 1.2;

/** The backend that is meant where none is named. */
export const portable: SessionRuntime = {
  build: runtimeBuilds.web,
  traits: backendTraits[portableBackend],
  lost: undefined,
  sessionOptions: onProcessor(runtimeBuilds.web),
  sessionConfig: () => Promise.resolve({}),
  unlessLost: (work) => work(),
  get onProcessor() {
    return portable;
  },
};

/** Throws `modelTooLarge` where so many bytes of weights do not fit into the runtime's memory. */
export function checkHeap(name: string, runtime: SessionRuntime, weightBytes: number): void {
  const { heapBytes } = runtime.build;
  const neededBytes = fixedBytes + weightBytes * heapPerWeight;
  if (neededBytes > heapBytes)
    throw new ExplorerError('modelTooLarge', [name, Math.round(neededBytes / 1e6), Math.round(heapBytes / 1e6)]);
}

/** Whether weights stay in a graph that is written anew: files are only mapped where no weights are handed over; what compactModel left in the graph is little. */
export function keepsWeights({ build }: Pick<SessionRuntime, 'build'>, { analysis }: ModelFiles): boolean {
  return build.mapsFiles && analysis.model.ownFile !== undefined;
}

/** What is to be proven of which sites: weights that are a product's own operand are what it used, as the graph has it. */
export function proofsOf(
  { index, sites }: ModelFiles['analysis'],
  which: 'inside' | 'all',
): ReadonlyMap<PlacedSite, WeightedValues | string> {
  const proofs = new Map<PlacedSite, WeightedValues | string>();
  for (const site of sites)
    if (which === 'all' || site.weighted !== undefined) proofs.set(site, weightedValues(index, site));
  return proofs;
}

/** Tensors that come with each site's weights: what proves them, and what else is wanted of the site. */
export function besideWeights(
  sites: readonly PlacedSite[],
  proofs: ReadonlyMap<PlacedSite, WeightedValues | string>,
  extras: ReadonlyMap<PlacedSite, ExtraTensors>,
): ReadonlyMap<PlacedSite, readonly string[]> {
  const proving = provenBy(proofs);
  return new Map(sites.map((site) => [site, [...(proving.get(site) ?? []), ...(extras.get(site)?.tensors ?? [])]]));
}

/** Whether products of bytes are computed, or may be once the graph is optimised. */
export function multipliesBytes(index: GraphIndex): boolean {
  return index.nodes.some((node) => /Quantize|Integer|QLinear|QAttention|QGemm/.test(node.opType));
}

/** What the weights of a run will be like; nothing where the positions that are read do not tell it. */
export function expectedOutputs(outputs: RewrittenModel['outputs'], read: ReadPositions): readonly ExpectedOutput[] {
  const expected: ExpectedOutput[] = [];
  for (const { site, output } of outputs) {
    const [{ positions: numQueries }, { positions: numKeys }] = extentsOf(site, read);
    if (numQueries === undefined || numKeys === undefined) return [];
    expected.push({ output, site, numQueries, numKeys });
  }
  return expected;
}

/** Whether a model may be loaded as a whole that could not be loaded in stages for an error. */
export function canBeWhole(error: unknown): error is ExplorerError {
  return error instanceof ExplorerError && (error.code === 'runtimeFailed' || error.code === 'modelUnsupported');
}

/** What is to be said of how a model was loaded, as far as it is. */
export function noticesOf({ name, analysis }: ModelFiles, refusal: string | undefined): readonly Notice[] {
  return [
    ...(refusal === undefined ? [] : [{ code: 'notOptimized', args: [name, refusal] } as const]),
    ...(roundsProducts(analysis.index) ? [{ code: 'roundedProducts', args: [name] } as const] : []),
  ];
}

/** In how many stages a model is run, for its report; undefined where that was not tried. */
export function stagesReport(
  outputs: RewrittenModel['outputs'],
  cut: StageCut | undefined,
  failure: string | undefined,
): ExtractionReport['stages'] {
  if (cut === undefined && failure === undefined) return undefined;
  const paths = outputs.map(({ site }) => site.path);
  return {
    count: cut?.stages.length ?? 1,
    failure: failure ?? '',
    joined: (cut?.joined ?? []).map(({ end, with: other, reason }) => ({
      path: paths[end],
      with: paths[other],
      reason,
    })),
  };
}
