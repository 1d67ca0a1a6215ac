import type * as Ort from 'onnxruntime-common';
import type { ComponentInfo } from '../../model/head';
import { plain } from '../../base/safeText';
import { fromTensor, toFloats } from '../runtime/feeds';
import { WholeLayer, type HeldLayer } from '../weights/heldLayer';
import { LayerView } from '../weights/layerView';
import { arrangeWeights, cropWeights, firstItem } from '../weights/layerWeights';
import type { EffectSite } from './effectGraph';

/** A layer that belongs to another run, which lets go of it. */
class SharedLayer extends LayerView {
  rows(head: number, from: number, to: number, signal?: AbortSignal): Promise<Float32Array> {
    return this.layer.rows(head, from, to, signal);
  }

  override column(head: number, key: number, signal?: AbortSignal): Promise<Float32Array> {
    return this.layer.column(head, key, signal);
  }
}

/** A layer of the plain run, with where its weights are in the model that experiments are made on; in a clause, why nothing is known of that. */
export interface PlainLayer {
  readonly layer: HeldLayer;
  readonly place: EffectSite | undefined;
}

/** The layers of components, in their order, each with its site. */
export function plainLayers(
  components: readonly ComponentInfo[],
  sites: readonly EffectSite[],
  layersOf: (component: ComponentInfo['component']) => readonly HeldLayer[],
): PlainLayer[] {
  return components.flatMap(({ component, layers }) =>
    layersOf(component).map((layer, number) => ({
      layer,
      place: sites.find(({ site }) => site.component === component && plain(site.path) === layers[number]?.path),
    })),
  );
}

/** Layers of an intervened run: those with weights of their own as these are, all others as in the plain run. Returns, in a clause, why they are none. */
export function intervenedLayers(
  all: readonly PlainLayer[],
  made: ReadonlyMap<string, Ort.Tensor>,
  {
    numCopies,
    firstOf,
  }: { readonly numCopies: number; readonly firstOf: (place: EffectSite) => readonly [query: number, key: number] },
): HeldLayer[] | string {
  const found: HeldLayer[] = [];
  for (const { layer, place } of all) {
    const tensor = made.get(place?.weights ?? '');
    if (place === undefined || tensor === undefined) {
      found.push(new SharedLayer(layer));
      continue;
    }
    const data = toFloats(fromTensor(tensor));
    const whole = data && arrangeWeights(place.site, { dims: tensor.dims, data }, numCopies);
    const item = whole && firstItem(whole, numCopies);
    const own = item && cropWeights(item, layer.numQueries, layer.numKeys, firstOf(place));
    if (own?.numHeads !== layer.numHeads || own.numQueries !== layer.numQueries || own.numKeys !== layer.numKeys)
      return 'the weights of its layers did not come out as in the plain run';
    found.push(new WholeLayer(layer.component, own));
  }
  return found;
}
