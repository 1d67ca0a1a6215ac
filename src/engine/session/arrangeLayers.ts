import { ExplorerError } from '../../base/errors';
import type { Component, ComponentInfo } from '../../model/head';
import type { Notice } from '../../model/modelInfo';
import type { AttentionResult } from './attentionSession';
import type { HeldLayer } from '../weights/heldLayer';
import { describeComponents, storedLayers, type Streams } from './layerInfo';

/** Layers in the order of their components. */
export interface ArrangedLayers {
  readonly layers: readonly HeldLayer[];
  readonly components: readonly ComponentInfo[];
  /** Sites that are not drawn. */
  readonly notices: readonly Notice[];
}

/** Puts the layers that runs gave in order by component. Throws `checksFailed` where there is none. */
export function arrangeLayers(
  modelName: string,
  results: readonly Pick<AttentionResult, 'layers' | 'failed'>[],
  streamsOf?: (component: Component) => Streams,
): ArrangedLayers {
  const layers = results.flatMap((result) => result.layers);
  const failed = results.flatMap((result) => result.failed);
  if (layers.length === 0)
    throw new ExplorerError('checksFailed', [modelName, failed[0]?.reason ?? 'nothing came out'], {
      details: failed.map(({ path, reason }) => `${path}: ${reason}`).join('\n'),
    });
  const components = describeComponents(layers, streamsOf);
  return {
    layers: storedLayers(layers, components),
    components,
    notices: failed.map(({ path, reason }) => ({ code: 'siteNotDrawn', args: [path, reason] })),
  };
}
