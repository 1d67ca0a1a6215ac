import { headLabel, type Component, type HeadRef } from '../../model/head';
import { strongest, weightsOf, type Pattern } from '../../model/pattern';
import { StrongestHeads } from '../../model/strongestHeads';
import { numSources, type Source } from '../openModel';
import type { RolloutBaseline } from '../rolloutBaseline';

/** What tokens read most: in the one head that is shown, or each source in whichever head reads it most. */
export class ListedSources {
  readonly #component: Component;
  readonly #shown: HeadRef | undefined;
  readonly #baseline: RolloutBaseline | undefined;
  readonly #all = new StrongestHeads();
  #one: Pattern | undefined;

  /**
   * Of a component, whose patterns are to be added.
   * @param shown the only head that is listed; undefined: all of them.
   * @param baseline what stands beside each source.
   */
  constructor(component: Component, shown: HeadRef | undefined, baseline: RolloutBaseline | undefined) {
    this.#component = component;
    this.#shown = shown;
    this.#baseline = baseline;
  }

  /** Takes the pattern of a head that is listed. */
  add(head: HeadRef, pattern: Pattern): void {
    if (this.#shown === undefined) this.#all.add(head, pattern);
    else this.#one = pattern;
  }

  /** The sources of a row, the strongest first. @param queries the tokens of whose mean it is the row. */
  of(row: number, queries: readonly number[] = [row]): Promise<readonly Source[]> {
    const sources: readonly Source[] =
      this.#one === undefined
        ? this.#all.reads(row, numSources).map((source) => ({ ...source, head: headLabel(source.head) }))
        : strongest(weightsOf(this.#one, row, 'reads'), numSources);
    return this.#baseline?.beside(sources, this.#component, queries, this.#shown) ?? Promise.resolve(sources);
  }
}
