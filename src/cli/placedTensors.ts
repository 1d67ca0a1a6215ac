import { placeLayers } from '../engine/image/placedLayers';
import type { AttentionResult, AttentionSession, LayerWeights } from '../engine/session/attentionSession';
import { maxAttentionBytes } from '../engine/session/layerInfo';
import { layerOfParts, runParts } from '../engine/session/partsRun';
import { placeTextLayers } from '../engine/session/placedText';
import type { Component } from '../model/head';
import type { ModelInput } from '../onnx/inputs/inputs';
import type { PlacedSite } from '../onnx/name/describeSites';
import { floatBytes } from './storedInputs';
import type { StoredTensor } from './safetensors';

/** What a model was given. */
export interface ReadInputs {
  readonly inputs: readonly ModelInput[];
  readonly pixels: ModelInput | undefined;
  readonly text: ModelInput | undefined;
  /** Whether it is one item. */
  readonly isAlone: boolean;
  /** Positions of what is read. */
  readonly length: number;
  /** Sites that pictures of other sizes have shown to be over no patches. */
  readonly unchanging: ReadonlySet<PlacedSite>;
}

/** Attention as tensors: of windows and blocks as patterns [1, heads, queries, keys] over patches or tokens. */
export interface PlacedTensors {
  readonly layers: readonly {
    readonly component: Component;
    readonly layer: number;
    readonly tensor: StoredTensor;
  }[];
  /** Layers that stay as they are computed, with the reason. */
  readonly left: readonly Reasoned[];
  readonly failed: readonly Reasoned[];
}

interface Reasoned {
  readonly path: string;
  readonly reason: string;
}

/** Layers that were put together, in the place of those that a run gave, and those that it could not give. */
interface Put {
  readonly made: ReadonlyMap<LayerWeights, LayerWeights>;
  readonly added: readonly LayerWeights[];
  readonly left: readonly Reasoned[];
  readonly failed: readonly Reasoned[];
}

/** What a run gave, with what was computed in windows or parts put together, as long as there is memory for it. */
export async function placedLayers(
  session: AttentionSession,
  result: AttentionResult,
  read: ReadInputs,
): Promise<PlacedTensors> {
  const { pixels, text, isAlone, length, unchanging } = read;
  const { sites } = session.analysis;
  const isUnchanging = (layer: LayerWeights): boolean =>
    pixels !== undefined && [...unchanging].some((site) => isOf(site, layer));
  const isWindowed = (layer: LayerWeights): boolean =>
    pixels === undefined
      ? text !== undefined &&
        layer.component !== 'cross' &&
        layer.component !== 'decoder' &&
        layer.numQueries !== length
      : layer.batch > 1 || isUnchanging(layer);
  const windowed = isAlone ? result.layers.filter(isWindowed) : [];
  const inParts = isAlone ? sites.filter((site) => site.inParts !== undefined) : [];
  const isText = pixels === undefined && text !== undefined;
  const parts = isText
    ? windowed.length + inParts.length === 0
      ? { made: new Map<LayerWeights, LayerWeights>(), added: [], left: [], failed: result.failed }
      : await overTokens(session, result, { windowed, inParts, inputs: read.inputs, text, length })
    : await overPositions(session, result, { inParts, inputs: read.inputs });
  const pictured =
    pixels === undefined ? undefined : await overPatches(session, windowed, { inputs: read.inputs, pixels });
  const made = pictured?.made ?? parts.made;
  // What pictures of another size have as much of, and what stands nowhere, is no attention over them.
  const refused = result.layers.filter((layer) => isAlone && isUnchanging(layer) && !made.has(layer));
  const isRefused = ({ path }: Reasoned): boolean => refused.some((layer) => layer.path === path);
  const left = [...parts.left, ...(pictured?.left ?? [])].filter((each) => !isRefused(each));
  let bytes = 0;
  const layers: { component: Component; layer: number; tensor: StoredTensor }[] = [];
  const kept = result.layers.filter((layer) => !refused.includes(layer));
  for (const layer of [...kept, ...parts.added].sort((a, b) => orderOf(sites, a) - orderOf(sites, b))) {
    const one = made.get(layer);
    const { component, layer: number } = layer;
    bytes += one === undefined ? 0 : 4 * one.numHeads * one.numQueries * one.numKeys;
    if (one !== undefined && bytes > maxAttentionBytes)
      left.push({ path: layer.path, reason: 'as one pattern it would take more memory than there is' });
    layers.push({
      component,
      layer: number,
      tensor: one === undefined || bytes > maxAttentionBytes ? asComputed(layer) : await asOne(one),
    });
  }
  const reasons = (pictured?.left ?? []).filter(isRefused).map(({ path, reason }) => ({
    path,
    reason: `its keys, or queries, do not grow with the picture, and ${reason}`,
  }));
  return { layers, left, failed: [...parts.failed, ...reasons] };
}

function asComputed({ batch, numHeads, numQueries, numKeys, weights }: LayerWeights): StoredTensor {
  return { dtype: 'F32', shape: [batch, numHeads, numQueries, numKeys], data: floatBytes(weights) };
}

async function asOne(layer: LayerWeights): Promise<StoredTensor> {
  const { numHeads, numQueries, numKeys, inParts } = layer;
  const weights = new Float32Array(numHeads * numQueries * numKeys);
  for (let head = 0; head < numHeads; head++)
    weights.set((await inParts?.rows(head, 0, numQueries)) ?? headOf(layer, head), head * numQueries * numKeys);
  return { dtype: 'F32', shape: [1, numHeads, numQueries, numKeys], data: floatBytes(weights) };
}

async function overTokens(
  session: AttentionSession,
  result: AttentionResult,
  {
    windowed,
    inParts,
    inputs,
    text,
    length,
  }: {
    readonly windowed: readonly LayerWeights[];
    readonly inParts: readonly PlacedSite[];
    readonly inputs: readonly ModelInput[];
    readonly text: ModelInput;
    readonly length: number;
  },
): Promise<Put> {
  const wanted = new Set([
    ...inParts,
    ...session.analysis.sites.filter((site) => windowed.some((layer) => isOf(site, layer))),
  ]);
  const placed = await placeTextLayers(session, result, {
    inputs,
    ids: text,
    numTokens: length,
    of: (site) => wanted.has(site),
  });
  const made = new Map(
    windowed.flatMap((layer): [LayerWeights, LayerWeights][] => {
      const one = placed.layers.find((each) => isOf(each, layer));
      return one === undefined ? [] : [[layer, one]];
    }),
  );
  const paths = new Set(windowed.map(({ path }) => path));
  return {
    made,
    added: placed.layers.filter((layer) => inParts.some((site) => isOf(site, layer))),
    left: placed.failed.filter(({ path }) => paths.has(path)),
    failed: placed.failed.filter(({ path }) => !paths.has(path)),
  };
}

/** What is neither text nor picture is over the positions of the model's own values. */
async function overPositions(
  session: AttentionSession,
  { failed }: AttentionResult,
  { inParts, inputs }: { readonly inParts: readonly PlacedSite[]; readonly inputs: readonly ModelInput[] },
): Promise<Put> {
  const values = inParts.flatMap((site) => (site.inParts === undefined ? [] : [{ site, values: site.inParts }]));
  const found = await runParts(session.partRuntime, values, inputs, { isCoarse: session.isCoarse });
  const paths = new Set(inParts.map(({ path }) => path));
  const added: LayerWeights[] = [];
  const others: Reasoned[] = failed.filter(({ path }) => !paths.has(path));
  for (const [site, weights] of found) {
    const layer = typeof weights === 'string' ? weights : layerOfParts(site, weights);
    if (typeof layer === 'string') others.push({ path: site.path, reason: layer });
    else added.push(layer);
  }
  return { made: new Map(), added, left: [], failed: others };
}

async function overPatches(
  session: AttentionSession,
  windowed: readonly LayerWeights[],
  { inputs, pixels }: { readonly inputs: readonly ModelInput[]; readonly pixels: ModelInput },
): Promise<Pick<Put, 'made' | 'left'>> {
  const made = new Map<LayerWeights, LayerWeights>();
  const left: Reasoned[] = [];
  if (windowed.length === 0) return { made, left };
  const isChannelLast = pixels.dims[1] !== 1 && pixels.dims[1] !== 3 && (pixels.dims[3] === 1 || pixels.dims[3] === 3);
  const places = await session.positions(inputs, pixels, isChannelLast);
  const [height, width] = pixels.dims.slice(isChannelLast ? 1 : 2);
  for (const layer of windowed) {
    const site = session.analysis.sites.find((each) => isOf(each, layer));
    const placed = placeLayers(
      [layer],
      () => (site && places.get(site)) ?? 'where its patches lie is not known',
      { width, height },
      {},
    );
    left.push(...placed.failed);
    if (placed.layers.length > 0) made.set(layer, placed.layers[0]);
  }
  return { made, left };
}

const headOf = ({ weights, numQueries, numKeys }: LayerWeights, head: number): Float32Array =>
  weights.subarray(head * numQueries * numKeys, (head + 1) * numQueries * numKeys);

/** What names a layer. */
type Named = Pick<LayerWeights, 'path' | 'layer'> & { readonly component: string };

const isOf = (one: Named, other: Named): boolean =>
  one.path === other.path && one.component === other.component && one.layer === other.layer;

const orderOf = (sites: readonly PlacedSite[], layer: LayerWeights): number =>
  sites.findIndex((site) => isOf(site, layer));
