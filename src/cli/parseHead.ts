import { ExplorerError } from '../base/errors';
import type { ComponentInfo, HeadRef } from '../model/head';
import type { methodOf } from '../model/methods';

/**
 * A head by its name, `layer.head`; undefined where none is named. Throws `invalidArgument` for one that the model does not have.
 * @param components as the method shows them.
 * @param method whose heads are meant; that of weights where it is missing.
 */
export function parseHead(
  head: string | undefined,
  components: readonly ComponentInfo[],
  method?: ReturnType<typeof methodOf>,
): HeadRef | undefined {
  if (head === undefined) return undefined;
  const [, layer, index] = /^(\d+)\.(\d+)$/.exec(head) ?? [];
  const ref = { layer: Number(layer), head: Number(index) };
  if (!components.some((component) => ref.head < (component.layers[ref.layer]?.numHeads ?? 0))) {
    const numLayers = Math.max(...components.map(({ layers }) => layers.length));
    throw new ExplorerError('invalidArgument', [
      '--head',
      method?.joinsHeads === true
        ? `of ${method.title} a layer has one matrix and no heads: 0.0 is that of the first layer and ${numLayers - 1}.0 that of the last`
        : `${head} is not a head of this model; heads are named layer.head, from zero`,
    ]);
  }
  return ref;
}
