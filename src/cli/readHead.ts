import type { AttentionStore } from '../engine/weights/attentionStore';
import type { Component, HeadRef } from '../model/head';

/** One head's numbers in the only run of a store. Throws `invalidArgument`. */
export async function readHead(store: AttentionStore, component: Component, head: HeadRef): Promise<Float32Array> {
  const selection = { component, heads: [head], aggregation: 'mean' } as const;
  return (await store.pattern({ runId: 1, selection })).weights;
}
