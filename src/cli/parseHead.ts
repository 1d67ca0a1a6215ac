import { ExplorerError } from '../base/errors';
import type { ComponentInfo, HeadRef } from '../model/head';

/** A head by its name, `layer.head`; undefined where none is named. Throws `invalidArgument` for one that the model does not have. */
export function parseHead(head: string | undefined, components: readonly ComponentInfo[]): HeadRef | undefined {
  if (head === undefined) return undefined;
  const [, layer, index] = /^(\d+)\.(\d+)$/.exec(head) ?? [];
  const ref = { layer: Number(layer), head: Number(index) };
  if (!components.some((component) => ref.head < (component.layers[ref.layer]?.numHeads ?? 0)))
    throw new ExplorerError('invalidArgument', [
      '--head',
      `${head} is not a head of this model; heads are named layer.head, from zero`,
    ]);
  return ref;
}
