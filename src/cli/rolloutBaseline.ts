import { plain } from '../base/safeText';
import { line, type TerminalText } from '../base/terminalText';
import type { HeldLayer } from '../engine/weights/heldLayer';
import type { Component, HeadRef } from '../model/head';
import { methodOf } from '../model/methods';
import type { Source } from './openModel';
import { weighedBy } from './weighed';

/** Rollout of uniform attention, in which no weight has any part: what stands beside each share of rollout. */
export class RolloutBaseline {
  readonly #layers: readonly HeldLayer[];

  private constructor(layers: readonly HeldLayer[]) {
    this.#layers = layers;
  }

  /** Of the same layers as rollout is; undefined of other methods. Throws what weighing throws. */
  static async of(
    method: ReturnType<typeof methodOf>,
    ...read: Parameters<typeof weighedBy> extends [unknown, ...infer Rest] ? Rest : never
  ): Promise<RolloutBaseline | undefined> {
    if (method.id !== 'rollout') return undefined;
    const { layers } = await weighedBy(methodOf('rolloutUniform'), ...read);
    return new RolloutBaseline(layers);
  }

  /**
   * Sources with what they come to there.
   * @param queries of whose mean they are the sources. @param shown the head, where it is one for all of them.
   */
  async beside(
    sources: readonly Source[],
    component: Component,
    queries: readonly number[],
    shown: HeadRef | undefined,
  ): Promise<readonly Source[]> {
    const own = this.#layers.filter((layer) => layer.component === component);
    return Promise.all(
      sources.map(async (source): Promise<Source> => {
        const layer = own[shown?.layer ?? Number(source.head?.split('.')[0])];
        let sum = 0;
        for (const query of queries) sum += (await layer.rows(0, query, query + 1))[source.position];
        return { ...source, uniform: sum / queries.length };
      }),
    );
  }
}

/** A source's share of uniform attention, behind its own. */
export function uniformText({ uniform }: Source): TerminalText {
  return uniform === undefined ? line`` : line` (uniform: ${plain(uniform.toFixed(3))})`;
}
