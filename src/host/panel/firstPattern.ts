import { normalizeSelection } from '../../model/head';
import { isPlainForm } from '../../model/patternForm';
import type { ViewState } from '../../model/viewState';
import { isTiled } from '../../model/patternLevels';
import type { FirstPattern } from '../../panelProtocol';
import type { ShownRun } from '../run/shownRun';

/** A run waits no longer for its first pattern. */
const maxWaitMilliseconds = 60;

/** The pattern that a run is looked at with first, fetched when the run comes: the page then draws it without asking for it. */
export class FirstPatternFetcher {
  #runId: number | undefined;
  #pending: Promise<unknown> | undefined;
  #fetched: FirstPattern | undefined;

  /** Begins to fetch for a run; nothing where its patterns are large or drawn otherwise. */
  fetch({ held, info }: ShownRun, view: ViewState): void {
    if (this.#runId === info.runId) return;
    this.#runId = info.runId;
    this.#fetched = undefined;
    this.#pending = undefined;
    const selection = normalizeSelection(view.selection, info.components);
    const component = info.components.find((each) => each.component === selection.component);
    if (component === undefined) return;
    const [numQueries = 0, numKeys = 0] = [component.queryStream, component.keyStream].map(
      (stream) => info.streams[stream]?.tokens.length,
    );
    if (isTiled(numQueries, numKeys) || !isPlainForm(view)) return;
    const { runId } = info;
    const fetching = held.pattern(selection).then(
      (pattern) => {
        if (this.#runId === runId) this.#fetched = { runId, selection, pattern };
      },
      () => {}, // the page asks, and is told
    );
    this.#pending = Promise.race([
      fetching,
      new Promise<void>((settle) => setTimeout(() => settle(), maxWaitMilliseconds)),
    ]).then(() => {
      if (this.#runId === runId) this.#pending = undefined;
    });
  }

  /** Settles soon; undefined where there is nothing to wait for. */
  get pending(): Promise<unknown> | undefined {
    return this.#pending;
  }

  /** What was fetched for a run, once. */
  take(runId: number): FirstPattern | undefined {
    const fetched = this.#fetched?.runId === runId ? this.#fetched : undefined;
    this.#fetched = undefined;
    return fetched;
  }
}
