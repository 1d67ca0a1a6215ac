import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import { byChange, comparedValues, type ComparedHead, type Comparison } from '../../src/model/compare/comparison';
import { comparePredictions, type ComparedPrediction } from '../../src/model/compare/comparePredictions';
import type { ComponentInfo } from '../../src/model/head';
import type { ComparedView } from '../../src/model/patternForm';
import type { Predictions, TokenPredictions } from '../../src/model/predictions';
import type { CompareKind, PanelApi, PanelComparison, PanelRun } from '../../src/panelProtocol';
import type { Client } from '../../src/rpc/connection';
import { settle } from './patternStore';
import { OpenedView } from './openedView';

/** What a comparison is of. */
interface ComparisonSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  readonly view: Signal<ComparedView | undefined>;
  /** Fetches a component's comparison, or has it. */
  fetch(runId: number, component: ComponentInfo, signal: AbortSignal): Promise<Comparison>;
  /** Forgets what was read of the comparison before. */
  forget(): void;
  want(wanted: { readonly kind: CompareKind; readonly text?: string } | null): void;
}

/** What both models predict, side by side. */
export type PredictionsOfBoth =
  | {
      readonly kind: 'tokens';
      readonly a: TokenPredictions;
      readonly b: TokenPredictions;
      readonly places: readonly ComparedPrediction[];
    }
  | {
      readonly kind: 'labels';
      readonly rows: readonly { readonly label: string; readonly a: number; readonly b: number }[];
    }
  | { readonly kind: 'unlike' };

/** The run that is shown beside another one: asked for only while someone looks at it. */
export class ComparisonView extends OpenedView {
  /** What the host says of the comparison. */
  readonly shown = signal<PanelComparison | null>(null);
  /** What is seen of it: undefined is the run itself. */
  readonly view: ReadonlySignal<ComparedView | undefined>;
  readonly #view: Signal<ComparedView | undefined>;
  readonly error = signal<ExplorerError | undefined>(undefined);
  /** Undefined until they have come, or as long as nobody asked. */
  readonly predictions = signal<PredictionsOfBoth | undefined>(undefined);
  readonly #arePredictionsWanted = signal(false);
  readonly arePredictionsWanted: ReadonlySignal<boolean> = this.#arePredictionsWanted;
  readonly predictionError = signal<ExplorerError | undefined>(undefined);
  readonly #held = signal<{ readonly name: string; readonly value: Comparison } | undefined>(undefined);
  readonly #sources: ComparisonSources;
  readonly #remote: Pick<Client<PanelApi>, 'predict' | 'predictOther'>;

  readonly #name: ReadonlySignal<string | undefined> = computed(() => {
    const [shown, run, component] = [this.shown.value, this.#sources.run.value, this.#sources.component.value];
    return shown?.state.kind === 'ready' && run?.info.runId === shown.runId && component !== undefined
      ? `${shown.runId}/${shown.state.otherId}/${component.component}`
      : undefined;
  });
  /** Of the component that is shown; undefined until it has come. */
  readonly comparison: ReadonlySignal<Comparison | undefined> = computed(() =>
    this.#held.value?.name === this.#name.value ? this.#held.value?.value : undefined,
  );
  /** The heads that changed most first. */
  readonly heads: ReadonlySignal<readonly ComparedHead[]> = computed(() => {
    const comparison = this.comparison.value;
    return comparison === undefined ? [] : byChange(headsOf(comparison));
  });

  constructor(sources: ComparisonSources, remote: Pick<Client<PanelApi>, 'predict' | 'predictOther'>) {
    super();
    this.#sources = sources;
    this.view = this.#view = sources.view;
    this.#remote = remote;
    let asked: string | undefined;
    let controller: AbortController | undefined;
    effect(() => {
      const name = this.#name.value;
      const [run, component] = [sources.run.value, sources.component.value];
      if (name === undefined) {
        asked = undefined;
        this.#view.value = undefined;
        return;
      }
      if (!this.isSeen.value || asked === name || run === null || component === undefined) return;
      const isFirst = asked === undefined;
      asked = name;
      controller?.abort();
      controller = new AbortController();
      this.error.value = undefined;
      void settle(
        sources.fetch(run.info.runId, component, controller.signal),
        (value) =>
          batch(() => {
            this.#held.value = { name, value };
            if (isFirst) this.#view.value = 'difference';
          }),
        (error) => {
          this.error.value = error;
          this.#view.value = undefined;
        },
      );
    });
    effect(() => {
      if (this.#arePredictionsWanted.value && this.isSeen.value) this.#askPredictions(this.comparison.value);
    });
  }

  /** Takes up what the host says. */
  take(comparison: PanelComparison | null): void {
    batch(() => {
      this.#view.value = undefined;
      this.shown.value = comparison;
      for (const cleared of [this.error, this.predictions, this.predictionError, this.#held]) cleared.value = undefined;
      this.#arePredictionsWanted.value = false;
    });
    this.#sources.forget();
  }

  /** Ends it: what is shown then is the run itself. */
  override close(): void {
    batch(() => {
      super.close();
      this.#view.value = undefined;
    });
  }

  /** Shows one side of it, or the difference. */
  see(view: ComparedView | undefined): void {
    this.#view.value = view;
  }

  /** Asks what both models predict. */
  wantPredictions(): void {
    this.#arePredictionsWanted.value = true;
  }

  /** Compares with something else, or with nothing any more. */
  want(wanted: { readonly kind: CompareKind; readonly text?: string } | null): void {
    this.#sources.want(wanted);
  }

  #askPredictions(comparison: Comparison | undefined): void {
    const runId = this.shown.peek()?.runId;
    if (comparison === undefined || runId === undefined || this.predictions.peek() !== undefined) return;
    this.predictionError.value = undefined;
    void settle(
      Promise.all([this.#remote.predict({ runId }), this.#remote.predictOther({ runId })]),
      ([a, b]) => {
        if (this.comparison.peek() === comparison) this.predictions.value = ofBoth(comparison, a, b);
      },
      (error) => (this.predictionError.value = error),
    );
  }
}

function headsOf({ heads, values }: Comparison): ComparedHead[] {
  const width = comparedValues.length;
  return Array.from({ length: heads.length / 4 }, (_, i) => {
    const [layer, head, otherLayer, otherHead] = heads.subarray(i * 4, i * 4 + 4);
    const [jensenShannon, meanAbsolute, difference, query, key, a, b] = values.subarray(i * width, (i + 1) * width);
    return {
      head: { layer, head },
      other: { layer: otherLayer, head: otherHead },
      difference: { jensenShannon, meanAbsolute, largest: { query, key, difference }, unaligned: { a, b } },
    };
  });
}

function ofBoth({ texts }: Comparison, a: Predictions, b: Predictions): PredictionsOfBoth {
  if (a.kind === 'labels' && b.kind === 'labels')
    return {
      kind: 'labels',
      rows: a.questions.slice(0, b.questions.length).flatMap((labels, question) =>
        labels.flatMap(({ label, probability }) => {
          const other = b.questions[question].find((each) => each.label === label);
          return other === undefined ? [] : [{ label, a: probability, b: other.probability }];
        }),
      ),
    };
  if (a.kind === 'labels' || b.kind === 'labels' || a.kind !== b.kind || a.stream !== b.stream)
    return { kind: 'unlike' };
  const text = texts[a.stream];
  const isCommon = new Uint8Array(text.numUnits);
  for (const unit of text.unitsOfB) if (unit >= 0) isCommon[unit] = 1;
  return { kind: 'tokens', a, b, places: comparePredictions({ ...text, isCommon }, a, b) };
}
