import { plain } from '../base/safeText';
import { line, type TerminalText } from '../base/terminalText';
import type { HeldLayer } from '../engine/weights/heldLayer';
import type { Component, ComponentInfo, HeadRef } from '../model/head';
import { methodOf } from '../model/methods';
import type { Source } from './openModel';
import { weighedBy } from './weighed';

/** Rollout of uniform attention, in which no weight has any part: what stands beside each share of rollout. */
export class RolloutBaseline {
  readonly #layers: readonly HeldLayer[];

  private constructor(layers: readonly HeldLayer[]) {
    this.#layers = layers;
  }

  /** Of the components that rollout is had of; undefined of other methods. Throws what weighing throws. */
  static async of(
    method: ReturnType<typeof methodOf>,
    run: Parameters<typeof weighedBy>[1],
    how: Parameters<typeof weighedBy>[2],
    rolled: readonly ComponentInfo[],
  ): Promise<RolloutBaseline | undefined> {
    if (method.id !== 'rollout') return undefined;
    const components = run.components.filter(({ component }) => rolled.some((each) => each.component === component));
    const { layers } = await weighedBy(methodOf('rolloutUniform'), { ...run, components }, how);
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
