import type { PlacedSite } from '../../onnx/name/describeSites';
import { ownToken } from '../../onnx/rewrite/positionNodes';
import type { AttentionResult, LayerWeights } from './attentionSession';
import { placeWindows, type TokenSide } from './placedWindows';
import type { Placements } from './positionRun';
import { WindowedLayer } from '../weights/windowedLayer';

/** Layers of a text whose attention is computed block by block, each as one pattern over the text's tokens; with the reason where a layer's is not. */
export function placeTextLayers(
  { layers, failed, ...result }: AttentionResult,
  placements: Placements,
  sites: readonly PlacedSite[],
  numTokens: number,
): AttentionResult {
  const drawn: LayerWeights[] = [];
  const left = [...failed];
  for (const layer of layers) {
    const site = sites.find(
      ({ path, component, layer: number }) =>
        path === layer.path && component === layer.component && number === layer.layer,
    );
    const places = (site && placements.get(site)) ?? 'where its blocks lie is not known';
    const made =
      typeof places === 'string' ? places : placeWindows(layer, places, (windows) => textSide(windows, numTokens));
    if (typeof made === 'string') left.push({ path: layer.path, reason: made });
    else
      drawn.push({
        ...made.layer,
        ...(made.windowed === undefined ? {} : { inParts: new WindowedLayer(layer.component, made.windowed) }),
      });
  }
  return { ...result, layers: drawn, failed: left };
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
