import { ExplorerError } from '../base/errors';
import type { Explanation } from '../engine/text/textModel';
import type { HeldLayer } from '../engine/weights/heldLayer';
import { weighComponent } from '../engine/weights/weighedLayers';
import type { methodOf } from '../model/methods';
import type { Pattern } from '../model/pattern';

/** Of lengths of vectors: what a query's sum to in the mean, and the largest. */
export function writtenIn({ numQueries, weights }: Pattern): { readonly mean: number; readonly largest: number } {
  let [sum, largest] = [0, 0];
  for (const length of weights) {
    sum += length;
    largest = Math.max(largest, length);
  }
  return { mean: sum / numQueries, largest };
}

/**
 * Layers as a method weighs them, of the component that is wanted where one is; those that become one matrix have one head.
 * Throws `methodNotOffered` where it cannot be had.
 */
export async function weighedBy(
  method: ReturnType<typeof methodOf>,
  {
    layers,
    weighings,
    components,
    wanted,
  }: Pick<Explanation, 'layers' | 'components'> & {
    readonly weighings: NonNullable<Explanation['weighings']>;
    readonly wanted: string | undefined;
  },
): Promise<Pick<Explanation, 'layers' | 'components'>> {
  if (method.id === 'attention') return { layers, components };
  const chosen = components.filter(({ component }) => wanted === undefined || component === wanted);
  const result: HeldLayer[] = [];
  for (const { component } of chosen) {
    const own = layers.flatMap((layer, i) =>
      layer.component === component ? [{ layer, weighing: weighings[i] }] : [],
    );
    const weighed = await weighComponent(method.id, component, {
      layersOf: (each) => layers.filter((layer) => layer.component === each),
      weighings: own.map(({ weighing }) => weighing),
    });
    if (typeof weighed === 'string')
      throw new ExplorerError('methodNotOffered', [`${method.title} (${component})`, weighed]);
    result.push(...weighed);
  }
  return {
    layers: result,
    components: chosen.map((each) => ({
      ...each,
      layers: each.layers.map((layer) => (method.joinsHeads && layer.numHeads > 0 ? { ...layer, numHeads: 1 } : layer)),
    })),
  };
}
