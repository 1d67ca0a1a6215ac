import { ExplorerError } from '../../src/base/errors';
import type { AttentionStore } from '../../src/engine/weights/attentionStore';
import type { HeldLayer } from '../../src/engine/weights/heldLayer';
import {
  lackOf,
  largestOf,
  weighLayers,
  type GramReader,
  type LayerWeighing,
} from '../../src/engine/weights/weighedLayers';
import type { Component } from '../../src/model/head';
import { methodOf, type MethodId } from '../../src/model/methods';
import type { MethodReasons, Weighing } from '../../src/model/weightForm';

const width = 4;

/** Why the fake model has no values: its attention is of two texts. */
export const noValues = 'a gate stands before its projection';

/** Why there is no norm behind the sum. */
const noNorm = 'its norms stand before attention';

/** Values by rule, small at the first key, as those of sinks are, with a projection that leaves them as they are. */
function weighingOf({ numHeads, numKeys }: HeldLayer, layer: number): LayerWeighing {
  const data = Float32Array.from({ length: numHeads * numKeys * width }, (_, i) => {
    const key = Math.floor(i / width) % numKeys;
    return (1 + Math.sin(layer + i * 1.7)) * (key === 0 ? 0.05 : 2 + layer);
  });
  const norms = Float32Array.from({ length: numHeads * numKeys }, (_, i) =>
    Math.hypot(...data.subarray(i * width, (i + 1) * width)),
  );
  // The token itself, where it counts, is as long as a head's value, and turned.
  const written = (head: number, key: number, at: number): number =>
    head < numHeads ? data[(head * numKeys + key) * width + at] : 2 * data[key * width + ((at + 1) % width)];
  const gramsOf =
    (count: number): GramReader =>
    ([from, to]) =>
      Promise.resolve(
        Float32Array.from({ length: (to - from) * count * count }, (_, i) => {
          const [key, a, b] = [from + Math.floor(i / count ** 2), Math.floor(i / count) % count, i % count];
          let sum = 0;
          for (let at = 0; at < width; at++) sum += written(a, key, at) * written(b, key, at);
          return sum;
        }),
      );
  return {
    values: { batch: 1, numHeads, numPositions: numKeys, width, data },
    norms,
    difference: 0,
    grams: () => Promise.resolve(gramsOf(numHeads)),
    residual: {
      read: (isNormalized) =>
        Promise.resolve(
          isNormalized
            ? noNorm
            : {
                grams: gramsOf(numHeads + 1),
                lengths: (shares) => Promise.resolve(new Float32Array(shares.length / numHeads / numKeys).fill(1)),
                divisors: undefined,
                own: undefined,
                deviations: undefined,
              },
        ),
    },
  };
}

/** Why methods cannot be had of a component, as far as it is known before. */
export function fakeReasons(store: AttentionStore, runId: number, component: Component): MethodReasons {
  if (component === 'cross') return { norm: noValues, summed: noValues };
  const flow = lackOf('flow', store.layersOf(runId, component));
  return { residualNorm: noNorm, ...(flow === undefined ? {} : { flow }) };
}

/** Weighs a component as the engine does, by values that are made up. Throws `methodNotOffered`. */
export async function fakeWeighing(
  store: AttentionStore,
  runId: number,
  component: Component,
  method: MethodId,
): Promise<Weighing> {
  const found = store.weighed(runId, component, method);
  if (method === 'attention' || method === 'flow') return { ceiling: 1, difference: 0 };
  if (found !== undefined) {
    const { layers: _layers, ...weighing } = found;
    return weighing;
  }
  const layers = store.layersOf(runId, component);
  const refuse = (reason: string) => new ExplorerError('methodNotOffered', [methodOf(method).title, reason]);
  if (methodOf(method).needs === 'projection' && component === 'cross') throw refuse(noValues);
  const lack = lackOf(method, layers);
  if (lack !== undefined) throw refuse(lack);
  const weighed = await weighLayers(method, layers, layers.map(weighingOf));
  if (typeof weighed === 'string') throw refuse(weighed);
  const weighing: Weighing = {
    ceiling: methodOf(method).unit === 'share' ? 1 : await largestOf(weighed),
    difference: 0,
    ...(method === 'residual' ? { mixing: weighed.map((_, layer) => 0.25 + layer / 100) } : {}),
  };
  store.addWeighed(runId, component, method, { ...weighing, layers: weighed });
  return weighing;
}
