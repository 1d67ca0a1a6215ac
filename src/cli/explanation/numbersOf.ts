import type { AttentionStore } from '../../engine/weights/attentionStore';
import type { HeadRef } from '../../model/head';
import type { methodOf } from '../../model/methods';
import type { Numbers } from '../../model/numbers/numbers';

/** A run as a method weighs it. */
interface Weighed extends Pick<Numbers, 'model' | 'notices' | 'streams' | 'components'> {
  readonly method: ReturnType<typeof methodOf>;
  /** The head that was asked for. */
  readonly named: HeadRef | undefined;
  /** The last layer, where layers follow from each other. */
  readonly last: HeadRef | undefined;
  /** Has the run's patterns, and no other's. */
  readonly store: AttentionStore;
}

/** The numbers of a run as they go to a file: of the head that was asked for, else of all; of flow, whose rows take long, of the last layer. */
export function numbersOf({ method, named, last, store, ...run }: Weighed): Numbers {
  const only = named ?? (method.id === 'flow' ? last : undefined);
  return {
    ...run,
    method: method.id,
    heads: only && [only],
    async read(component, head) {
      const selection = { component, heads: [head], aggregation: 'mean' } as const;
      return (await store.pattern({ runId: 1, selection })).weights;
    },
  };
}
