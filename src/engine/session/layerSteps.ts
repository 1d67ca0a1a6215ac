import type { PlacedSite } from '../../onnx/name/describeSites';
import type { Progress } from '../../protocol';
import type { ReusedArrays } from '../runtime/reusedArrays';
import type { LayerWeights, RunOptions } from '../stages/layerRun';
import { withComing } from './layerInfo';

/** Layers of a run that is expected to take less than this, in milliseconds, by the time of its first one, come together: that is too short to look at some. */
const leastGrowing = 400;

/** What goes on between steps that block the thread. */
export interface LayerSteps {
  onProgress(progress: Progress): void;
  /** Lets messages in, and throws where the run is no longer wanted. */
  turn(): Promise<void>;
  /** What weights are written into, where the runtime can, by someone who is done with those of the run before. */
  readonly arrays?: ReusedArrays | undefined;
}

/** Steps that nobody watches or ends. */
export const unwatched: LayerSteps = { onProgress: () => {}, turn: () => Promise.resolve() };

/**
 * What a run does between its layers, where it stops there: tells how far it is, and ends where it is no longer wanted.
 * @param onLayers given what has come, with a place for each layer that has not.
 */
export function layerByLayer(
  { onProgress, turn, arrays }: LayerSteps,
  sites: readonly PlacedSite[],
  onLayers: (layers: readonly LayerWeights[]) => void = () => {},
): Pick<RunOptions, 'turn' | 'onLayer' | 'arrays'> {
  const layers: LayerWeights[] = [];
  let started: number | undefined;
  return {
    arrays,
    turn: async () => {
      started ??= performance.now();
      const done = layers.length;
      onProgress({ stage: 'run', fraction: done / sites.length, layers: { done, of: sites.length } });
      await turn();
    },
    onLayer: (layer) => {
      // A model that turns out not to run in stages gives its first layers once more.
      const at = layers.findIndex((other) => other.component === layer.component && other.layer === layer.layer);
      if (at < 0) layers.push(layer);
      else layers[at] = layer;
      // What comes all at once is shown at once.
      if (started !== undefined && (performance.now() - started) * sites.length >= leastGrowing)
        onLayers(withComing(sites, layers));
    },
  };
}
