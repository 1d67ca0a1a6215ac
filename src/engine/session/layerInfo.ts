import { plain } from '../../base/safeText';
import type { Component, ComponentInfo, LayerInfo } from '../../model/head';
import type { PlacedSite } from '../../onnx/name/describeSites';
import type { LayerWeights } from './attentionSession';
import { absentLayer, WholeLayer, type HeldLayer } from '../weights/heldLayer';

/** Attention of one run beyond this would leave the runtime's 4 GB no room, as each output is held twice for a moment. */
export const maxAttentionBytes = 1.25 * 2 ** 30;

/** Which token streams the rows and columns of a component are. */
export type Streams = Pick<ComponentInfo, 'queryStream' | 'keyStream'>;

const oneStream: Streams = { queryStream: 0, keyStream: 0 };

const order: readonly Component[] = ['self', 'encoder', 'decoder', 'cross'];

/** The components that layers belong to, each with all its layers by number. */
export function describeComponents(
  layers: readonly LayerWeights[],
  streamsOf: (component: Component) => Streams = () => oneStream,
): ComponentInfo[] {
  const found = new Set(layers.map(({ component }) => component));
  // Stages come in the order of their layers.
  const names = [
    ...order.filter((component) => found.has(component)),
    ...[...found].filter((component) => !order.includes(component)),
  ];
  return names.map((component) => {
    const own = numberedAsInModel(layers.filter((layer) => layer.component === component));
    const { queryStream, keyStream } = streamsOf(component);
    const count = Math.max(...own.map(({ layer }) => layer)) + 1;
    return {
      component,
      layers: Array.from({ length: count }, (_, number): LayerInfo => {
        const layer = findLayer(own, component, number);
        if (layer === undefined)
          return {
            path: plain(''),
            numHeads: 0,
            numKeyValueHeads: 0,
            normalization: 'softmax',
            method: 'exposed',
            held: 'whole',
          };
        return {
          path: plain(layer.path),
          numHeads: layer.numHeads,
          numKeyValueHeads: layer.numKeyValueHeads,
          normalization: layer.rowSum === 'one' ? 'softmax' : layer.rowSum === 'atMostOne' ? 'sink' : 'unnormalized',
          method: layer.method,
          held: layer.inParts?.held ?? 'whole',
          ...(layer.isComing === true ? { isComing: true } : {}),
        };
      }),
      queryStream,
      keyStream,
      // Positions of two texts have no order between them.
      isCausal: queryStream === keyStream && own.every((layer) => layer.isCausal || layer.isComing === true),
    };
  });
}

/** Layers in the order of their sites, with a place for each that is still to come: with as many heads as its site says, else as those before it have. */
export function withComing(sites: readonly PlacedSite[], layers: readonly LayerWeights[]): LayerWeights[] {
  const expected = layers.at(-1)?.numHeads ?? 0;
  return sites.map((site) => {
    const { component, layer, modelLayer, path, rowSum, method, numHeads = expected } = site;
    const { numKeyValueHeads = numHeads } = site;
    return (
      layers.find((each) => each.component === component && each.layer === layer) ?? {
        batch: 1,
        numHeads,
        numQueries: 0,
        numKeys: 0,
        weights: new Float32Array(0),
        component,
        layer,
        modelLayer,
        path,
        rowSum,
        method,
        isCausal: false,
        numKeyValueHeads,
        isComing: true,
      }
    );
  });
}

/** The attention of every layer that components describe, in their order, as the store holds it. */
export function storedLayers(layers: readonly LayerWeights[], components: readonly ComponentInfo[]): HeldLayer[] {
  return components.flatMap(({ component, layers: described }) => {
    const own = numberedAsInModel(layers.filter((layer) => layer.component === component));
    return described.map((_, number) => {
      const layer = findLayer(own, component, number);
      // Where a layer's checks failed, or it has not come, nothing is held, and the others keep their numbers.
      if (layer === undefined || layer.isComing === true) return absentLayer(component);
      return layer.inParts ?? new WholeLayer(component, layer);
    });
  });
}

/** A model may have so many times more layers than layers with attention. */
const mostLayersPerAttention = 16;

/** Layers by the numbers that the model's own paths give them, where these are in order: layers of a hybrid model without attention keep theirs. */
function numberedAsInModel(own: readonly LayerWeights[]): readonly LayerWeights[] {
  const ordered = [...own].sort((a, b) => a.layer - b.layer);
  const numbers = ordered.map(({ modelLayer }) => modelLayer ?? -1);
  const isMap =
    numbers.every((number, i) => number > (numbers[i - 1] ?? -1)) &&
    (numbers.at(-1) ?? 0) < (1 + (ordered.at(-1)?.layer ?? 0)) * mostLayersPerAttention;
  return isMap ? ordered.map((layer, i) => ({ ...layer, layer: numbers[i] ?? layer.layer })) : own;
}

function findLayer(
  layers: readonly LayerWeights[],
  component: LayerWeights['component'],
  layer: number,
): LayerWeights | undefined {
  return layers.find((each) => each.component === component && each.layer === layer);
}
