import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import { countsInMean, lightingFrom, type lookAt } from '../../src/model/lighting';
import type { ViewState } from '../../src/model/viewState';
import type { PanelRun } from '../../src/panelProtocol';
import type { ShownPattern } from './matrixData';
import type { PatternStore } from './patternStore';
import { RowFetcher } from './rowFetcher';

/** What is looked at. */
interface BaselineSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly matrix: ReadonlySignal<ShownPattern | undefined>;
  readonly look: ReadonlySignal<ReturnType<typeof lookAt>>;
  readonly view: ReadonlySignal<ViewState>;
}

/** Rollout of uniform attention beside that of the model, asked for while rollout is shown: what of its numbers no weight has any part in. */
export class RolloutBaseline {
  /** Of the tokens that are looked at, as the weights that are lit; undefined where rollout is not shown, or is too large to be held. */
  readonly weights: ReadonlySignal<Float32Array | undefined>;

  constructor({ run, matrix, look, view }: BaselineSources, store: PatternStore) {
    const arrived = signal<{ readonly of: ShownPattern; readonly uniform: ShownPattern } | undefined>(undefined);
    // It stands beside what is shown, which is no less without it.
    const fetcher = new RowFetcher(() => {});
    effect(() => {
      const [shown, loaded] = [matrix.value, run.value];
      if (shown?.form.method !== 'rollout' || loaded === null) return fetcher.want(undefined);
      const { selection, component } = shown;
      const form = { ...shown.form, method: 'rolloutUniform' } as const;
      const { info, startLine } = loaded;
      fetcher.want(async (aborted) => {
        arrived.value = {
          of: shown,
          uniform: await store.shown({ info, selection, component, form, startLine }, aborted),
        };
      });
    });
    this.weights = computed(() => {
      const [shown, looked] = [matrix.value, look.value];
      if (shown === undefined || looked === undefined || arrived.value?.of !== shown) return undefined;
      const { uniform } = arrived.value;
      const rows = looked.tokens.map(({ position }) => uniform.matrix.heldRow(position, looked.direction));
      return rows.every((row) => row !== undefined)
        ? lightingFrom(looked, rows, countsInMean(shown.component, looked, view.value.pinnedMean)).weights
        : undefined;
    });
  }
}
