import { ExplorerError } from '../../src/base/errors';
import type { AttentionStore } from '../../src/engine/weights/attentionStore';
import type { HeldLayer } from '../../src/engine/weights/heldLayer';
import { lackOf, largestOf, weighLayers, type LayerWeighing } from '../../src/engine/weights/weighedLayers';
import type { Component } from '../../src/model/head';
import { methodOf, type MethodId } from '../../src/model/methods';
import type { Weighing } from '../../src/model/weightForm';

const width = 4;

/** Why the fake model has no values: its attention is of two texts. */
export const noValues = 'a gate stands before its projection';

/** Values by rule, small at the first key, as those of sinks are, with a projection that leaves them as they are. */
function weighingOf({ numHeads, numKeys }: HeldLayer, layer: number): LayerWeighing {
  const data = Float32Array.from({ length: numHeads * numKeys * width }, (_, i) => {
    const key = Math.floor(i / width) % numKeys;
    return (1 + Math.sin(layer + i * 1.7)) * (key === 0 ? 0.05 : 2 + layer);
  });
  const norms = Float32Array.from({ length: numHeads * numKeys }, (_, i) =>
    Math.hypot(...data.subarray(i * width, (i + 1) * width)),
  );
  const grams: LayerWeighing['grams'] = () =>
    Promise.resolve(([from, to]) =>
      Promise.resolve(
        Float32Array.from({ length: (to - from) * numHeads * numHeads }, (_, i) => {
          const [key, a, b] = [from + Math.floor(i / numHeads ** 2), Math.floor(i / numHeads) % numHeads, i % numHeads];
          let sum = 0;
          for (let at = 0; at < width; at++)
            sum += data[(a * numKeys + key) * width + at] * data[(b * numKeys + key) * width + at];
          return sum;
        }),
      ),
    );
  return {
    values: { batch: 1, numHeads, numPositions: numKeys, width, data },
    norms,
    difference: 0,
    grams,
    residual: 'the sample model has no residual',
  };
}

/** Weighs a component as the engine does, by values that are made up. Throws `methodNotOffered`. */
export async function fakeWeighing(
  store: AttentionStore,
  runId: number,
  component: Component,
  method: MethodId,
): Promise<Weighing> {
  const found = store.weighed(runId, component, method);
  if (method === 'attention') return { ceiling: 1, difference: 0 };
  if (found !== undefined) return { ceiling: found.ceiling, difference: found.difference };
  const layers = store.layersOf(runId, component);
  const refuse = (reason: string) => new ExplorerError('methodNotOffered', [methodOf(method).title, reason]);
  if (methodOf(method).needs === 'projection' && component === 'cross') throw refuse(noValues);
  const lack = lackOf(method, layers);
  if (lack !== undefined) throw refuse(lack);
  const weighed = await weighLayers(method, layers, layers.map(weighingOf));
  if (typeof weighed === 'string') throw refuse(weighed);
  const weighing = { ceiling: methodOf(method).unit === 'share' ? 1 : await largestOf(weighed), difference: 0 };
  store.addWeighed(runId, component, method, { ...weighing, layers: weighed });
  return weighing;
}
