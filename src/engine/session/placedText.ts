import type { ModelInput } from '../../onnx/inputs/inputs';
import { partsOfSite } from '../../onnx/find/joinedParts';
import type { PlacedSite } from '../../onnx/name/describeSites';
import { ownToken } from '../../onnx/rewrite/positionNodes';
import type { AttentionResult, AttentionSession, LayerWeights } from './attentionSession';
import { layerOfParts, runParts, type SiteInParts, type SourceWeights, type WeightsInParts } from './partsRun';
import { placeWindows, type TokenSide } from './placedWindows';
import { runPositions, type Positions } from './positionRun';
import type { SitePlaces } from '../weights/windowPlaces';
import { WindowedLayer } from '../weights/windowedLayer';

/** A text as the model was given it. */
export interface PlacedText {
  readonly inputs: readonly ModelInput[];
  readonly ids: ModelInput;
  readonly numTokens: number;
  readonly turn?: (() => Promise<void>) | undefined;
  /** Sites that are put together; all where it is missing. */
  readonly of?: (site: PlacedSite) => boolean;
}

/** Layers of a text whose attention is computed block by block, or in parts, each as one pattern over the text's tokens; with the reason where a layer's is not. */
export async function placeTextLayers(
  session: AttentionSession,
  result: AttentionResult,
  text: PlacedText,
): Promise<AttentionResult> {
  const { index, sites: all } = session.analysis;
  const { inputs, ids, numTokens, of = () => true } = text;
  const sites = all.filter(of);
  const layerOf = (site: PlacedSite): LayerWeights | undefined =>
    result.layers.find(
      ({ path, component, layer }) => path === site.path && component === site.component && layer === site.layer,
    );
  const drawn = new Map<PlacedSite, LayerWeights>();
  const left = new Map<PlacedSite, string>();
  const inParts = sites.flatMap((site): SiteInParts[] =>
    site.inParts === undefined ? [] : [{ site, values: site.inParts }],
  );
  const first = await runPositions(session.partRuntime, inputs, ids, positionsOf(inParts, all));
  for (const site of sites) {
    const layer = layerOf(site);
    if (layer === undefined || site.inParts !== undefined) continue;
    const made = placeBlocks(layer, first.sites.get(site) ?? 'where its blocks lie is not known', numTokens);
    if (typeof made === 'string') left.set(site, made);
    else drawn.set(site, made);
  }
  const beside = [...left.keys()].flatMap((site): SiteInParts[] => {
    const values = partsOfSite(index, site);
    return values === undefined ? [] : [{ site, values }];
  });
  const parts = [...inParts, ...beside];
  if (parts.length > 0) {
    const positions =
      beside.length === 0 ? first : await runPositions(session.partRuntime, inputs, ids, positionsOf(parts, all));
    const found = await runParts(session.partRuntime, parts, inputs, { isCoarse: session.isCoarse, turn: text.turn });
    for (const { site } of parts) {
      const weights = found.get(site) ?? 'its parts did not come out';
      const made = typeof weights === 'string' ? weights : overTokens(site, weights, positions.streams, numTokens);
      if (typeof made !== 'string') {
        drawn.set(site, made);
        left.delete(site);
      } else if (!left.has(site)) left.set(site, made);
    }
  }
  const isLeft = new Set(inParts.map(({ site }) => site.path));
  return {
    ...result,
    layers: all.flatMap((site) => (of(site) ? (drawn.get(site) ?? []) : (layerOf(site) ?? []))),
    failed: [
      ...result.failed.filter(({ path }) => !isLeft.has(path)),
      ...[...left].map(([{ path }, reason]) => ({ path, reason })),
    ],
  };
}

/** A run of which nothing was put together: of what it computes in parts, why that was so. */
export function withReasons(
  result: AttentionResult,
  placed: Pick<AttentionResult, 'failed'>,
  { sites }: Pick<AttentionSession['analysis'], 'sites'>,
): AttentionResult {
  const inParts = new Set(sites.flatMap((site) => (site.inParts === undefined ? [] : [site.path])));
  return {
    ...result,
    failed: [
      ...result.failed.filter(({ path }) => !inParts.has(path)),
      ...placed.failed.filter(({ path }) => inParts.has(path)),
    ],
  };
}

function positionsOf(
  parts: readonly SiteInParts[],
  all: readonly PlacedSite[],
): { readonly streams: readonly string[]; readonly joined: readonly string[]; readonly sites: readonly PlacedSite[] } {
  const placed = new Set(parts.map(({ site }) => site));
  return {
    streams: [...new Set(parts.flatMap(({ values }) => values.sources.map(({ hidden }) => hidden)))],
    joined: [...new Set(parts.map(({ values }) => values.joined))],
    sites: all.filter((site) => !placed.has(site)),
  };
}

/** A layer whose blocks stand at known places, over the tokens of a text; otherwise, in a clause, why that cannot be. */
export function placeBlocks(
  layer: LayerWeights,
  places: SitePlaces | string,
  numTokens: number,
): LayerWeights | string {
  const made =
    typeof places === 'string' ? places : placeWindows(layer, places, (windows) => textSide(windows, numTokens));
  if (typeof made === 'string') return made;
  return {
    ...made.layer,
    ...(made.windowed === undefined ? {} : { inParts: new WindowedLayer(layer.component, made.windowed) }),
  };
}

/** Weights over all positions of an attention's values, as a pattern over the tokens of a text. What lies on tokens of the model's own, or on padding, is no part of it, and told. */
function overTokens(
  site: PlacedSite,
  { numHeads, numQueries, sources }: WeightsInParts,
  streams: Positions['streams'],
  numTokens: number,
): LayerWeights | string {
  const ofTokens = new Map<SourceWeights, readonly number[]>();
  let reason = 'its queries or keys are not the tokens of the text, one by one';
  for (const source of sources) {
    const places = streams.get(source.hidden) ?? reason;
    if (typeof places === 'string') reason = places;
    else {
      const positions = positionsOfTokens(places, numTokens);
      if (positions !== undefined && places.length === source.numKeys) ofTokens.set(source, positions);
    }
  }
  const rows = [...ofTokens].find(([{ numKeys }]) => numKeys === numQueries)?.[1];
  if (rows === undefined) return reason;
  const weights = new Float32Array(numHeads * numTokens * numTokens);
  let [ownShare, paddingShare] = [0, 0];
  for (let head = 0; head < numHeads; head++)
    for (let query = 0; query < numTokens; query++) {
      const to = (head * numTokens + query) * numTokens;
      let own = 0;
      let [whole, placed] = [0, 0];
      for (const source of sources) {
        const from = (head * numQueries + rows[query]) * source.numKeys;
        const row = source.weights.subarray(from, from + source.numKeys);
        const sum = row.reduce((a, b) => a + b, 0);
        const columns = ofTokens.get(source);
        if (columns === undefined) own += sum;
        else {
          whole += sum;
          for (let key = 0; key < numTokens; key++) {
            weights[to + key] += row[columns[key]];
            placed += row[columns[key]];
          }
        }
      }
      ownShare = Math.max(ownShare, own);
      paddingShare = Math.max(paddingShare, whole - placed);
    }
  const over: WeightsInParts = {
    numHeads,
    numQueries: numTokens,
    sources: [{ hidden: '', numKeys: numTokens, weights }],
  };
  const layer = layerOfParts(site, over);
  if (typeof layer === 'string') return layer;
  return {
    ...layer,
    ...(paddingShare > leastShare ? { paddingShare } : {}),
    ...(ownShare > leastShare ? { ownShare } : {}),
  };
}

/** Sums of what is rounded differ by less. */
const leastShare = 1e-4;

/** Which position each token stands at; undefined where not each stands at one. */
export function positionsOfTokens(places: Float32Array, numTokens: number): readonly number[] | undefined {
  const positions = new Array<number>(numTokens).fill(-1);
  for (const [position, place] of places.entries()) {
    if (!(place >= 1 && place <= numTokens)) continue;
    if (positions[place - 1] >= 0) return undefined;
    positions[place - 1] = position;
  }
  return positions.includes(-1) ? undefined : positions;
}

/** The tokens of a text, in their order; what fills it up is none. */
function textSide(windows: readonly Float32Array[], numTokens: number): TokenSide | string {
  if (windows.some((places) => places.includes(ownToken))) return 'its blocks have tokens of the model’s own';
  const found = new Set(windows.flatMap((places) => [...places]));
  for (let place = 1; place <= numTokens; place++)
    if (!found.has(place)) return 'its queries or keys are not the tokens of the text, one by one';
  return {
    numTokens,
    numPlaced: numTokens,
    first: 0,
    positionOf: new Map(Array.from({ length: numTokens }, (_, position) => [position + 1, position])),
  };
}
