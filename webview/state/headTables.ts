import { batch, computed, effect, signal, untracked, type ReadonlySignal, type Signal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import type { ComponentInfo } from '../../src/model/head';
import { applicableTo, hasEnoughRows, normMetrics, type HeadTable } from '../../src/model/metrics/headTable';
import { metricOf, type MetricId } from '../../src/model/metrics/metrics';
import { MetricText, metricTextOf, type AskedTokens } from '../../src/model/metrics/metricText';
import type { ViewState } from '../../src/model/viewState';
import type { PanelApi, PanelRun } from '../../src/panelProtocol';
import type { RandomText } from '../../src/protocol';
import type { Client } from '../../src/rpc/connection';
import { RowFetcher } from './rowFetcher';
import { OpenedView } from './openedView';
import { RecentlyUsed } from './recentlyUsed';

/** What tables of heads are made from. */
export interface HeadTableSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  readonly view: ReadonlySignal<ViewState>;
}

/** What heads are measured on: the text that is shown, or random tokens that come twice. */
export type Ground = 'text' | 'random';

/** The heads of a component with their numbers. */
export interface ShownTable {
  readonly component: ComponentInfo;
  readonly ground: Ground;
  /** What came twice, of random tokens. */
  readonly random: RandomText | undefined;
  /** How many of the text's tokens occurred before. */
  readonly numRepeated: number;
  readonly columns: readonly ShownColumn[];
}

/** One metric of every head. */
export interface ShownColumn {
  readonly id: MetricId;
  /** In reading order; NaN where too little stands behind a number. */
  readonly values: Float32Array;
  /** How many rows of the text's pattern stand behind each. */
  readonly rows: number;
}

/** How much of a random text comes twice, as in the literature. */
const random: RandomText = { numTokens: 64, seed: 1 };

type Arrived = { readonly name: string; readonly table: HeadTable; readonly random?: RandomText };

/** Metrics of all heads, fetched only while someone looks at them. */
export class HeadTables extends OpenedView {
  readonly ground = signal<Ground>('text');
  readonly shown: ReadonlySignal<ShownTable | undefined>;
  /** What someone asks about: pinned tokens that could read, and marked ones that could be read. */
  readonly asked: ReadonlySignal<AskedTokens | undefined>;
  readonly #kept = new RecentlyUsed<Arrived>(16);
  readonly #metrics = signal<Arrived | undefined>(undefined);
  readonly #reads = signal<Arrived | undefined>(undefined);
  readonly #norms = signal<Arrived | undefined>(undefined);

  constructor(
    { run, component, view }: HeadTableSources,
    remote: Client<PanelApi>,
    onError: (error: ExplorerError) => void,
  ) {
    super();
    const [metricsFetcher, readsFetcher] = [new RowFetcher(onError), new RowFetcher(onError)];
    // Why there are no norms is said where their method is chosen.
    const normsFetcher = new RowFetcher((error) => {
      if (error.code !== 'methodNotOffered') onError(error);
    });
    this.asked = computed(() => {
      const shown = component.value;
      if (shown === undefined) return undefined;
      const { pinned, marked } = view.value;
      const queries = pinned.filter(({ stream }) => stream === shown.queryStream).map(({ position }) => position);
      const keys = marked.filter(({ stream }) => stream === shown.keyStream).map(({ position }) => position);
      return queries.length === 0 || keys.length === 0 ? undefined : { queries, keys };
    });
    const nameOf = (what: string): string =>
      `${run.value?.info.runId ?? ''}/${component.value?.component ?? ''}/${what}`;
    const nameOfReads = computed(() => {
      const asked = this.asked.value;
      return asked && nameOf(`${asked.queries.join()}/${asked.keys.join()}`);
    });
    this.shown = computed(() => {
      const [info, shown, ground] = [run.value?.info, component.value, this.ground.value];
      const metrics = this.#metrics.value;
      if (info === undefined || shown === undefined || metrics?.name !== nameOf(ground)) return undefined;
      const asked = this.asked.value;
      const text = new MetricText(metricTextOf(shown, info.streams, asked));
      const [reads, norms] = [this.#reads.value, this.#norms.value];
      // What is asked about stands in the text.
      const own =
        ground === 'text' && asked !== undefined && reads !== undefined && reads.name === nameOfReads.value
          ? columnsOf(reads.table, text)
          : [];
      return {
        component: shown,
        ground,
        random: metrics.random,
        numRepeated: text.numRepeated,
        columns: [
          ...own,
          ...columnsOf(metrics.table, ground === 'random' ? undefined : text),
          ...(ground === 'text' && norms?.name === nameOf('norms') ? columnsOf(norms.table, text) : []),
        ],
      };
    });
    const fetch = (
      fetcher: RowFetcher,
      into: Signal<Arrived | undefined>,
      name: string,
      ask: (signal: AbortSignal) => Promise<Omit<Arrived, 'name'>>,
    ): void => {
      const kept = this.#kept.get(name);
      fetcher.want(
        kept === undefined
          ? async (signal) => {
              const arrived = { ...(await ask(signal)), name };
              this.#kept.set(name, arrived);
              into.value = arrived;
            }
          : undefined,
      );
      if (kept !== undefined) into.value = kept;
    };
    // Another run has other numbers, and what was random is of its model.
    let former: number | undefined;
    effect(() => {
      const runId = run.value?.info.runId;
      if (runId === former) return;
      former = runId;
      this.#kept.clear();
      batch(() => {
        this.ground.value = 'text';
        this.#metrics.value = undefined;
        this.#reads.value = undefined;
        this.#norms.value = undefined;
      });
    });
    effect(() => {
      const [shownRun, shown, ground] = [run.value, component.value, this.ground.value];
      if (!this.isSeen.value || shownRun === null || shown === undefined) return metricsFetcher.want(undefined);
      const params = {
        runId: shownRun.info.runId,
        component: shown.component,
        metrics: applicableTo(shown),
      };
      const name = nameOf(ground);
      untracked(() =>
        fetch(metricsFetcher, this.#metrics, name, async (signal) =>
          ground === 'random'
            ? remote.measureRandom({ ...params, random }, signal)
            : { table: await remote.headTable(params, signal) },
        ),
      );
    });
    // Another run of the model: what the weights tell does not wait for it.
    effect(() => {
      const [shownRun, shown, ground, metrics] = [
        run.value,
        component.value,
        this.ground.value,
        this.#metrics.value?.name,
      ];
      if (
        !this.isSeen.value ||
        shownRun === null ||
        shown === undefined ||
        ground !== 'text' ||
        metrics !== nameOf(ground)
      )
        return normsFetcher.want(undefined);
      const params = { runId: shownRun.info.runId, component: shown.component, metrics: normMetrics };
      const name = nameOf('norms');
      untracked(() =>
        fetch(normsFetcher, this.#norms, name, async (signal) => ({ table: await remote.headTable(params, signal) })),
      );
    });
    effect(() => {
      const [shownRun, shown, asked, name] = [run.value, component.value, this.asked.value, nameOfReads.value];
      if (!this.isSeen.value || shownRun === null || shown === undefined || asked === undefined || name === undefined)
        return readsFetcher.want(undefined);
      const metrics = applicableTo(shown, asked).filter((id) => metricOf(id).needs.includes('asked'));
      const params = { runId: shownRun.info.runId, component: shown.component, metrics, asked };
      untracked(() =>
        fetch(readsFetcher, this.#reads, name, async (signal) => ({ table: await remote.headTable(params, signal) })),
      );
    });
  }

  /** Measures on random tokens that come twice, or on the text again. */
  measureOn(ground: Ground): void {
    this.ground.value = ground;
  }
}

/** The columns of a table; without a text every row is known to say something. */
function columnsOf({ metrics, values }: HeadTable, text: MetricText | undefined): ShownColumn[] {
  return metrics.map((id, at) => {
    const isKnown = text === undefined || hasEnoughRows(id, text);
    return {
      id,
      values: Float32Array.from({ length: values.length / metrics.length }, (_, head) =>
        isKnown ? values[head * metrics.length + at] : NaN,
      ),
      rows: text === undefined ? NaN : metricOf(id).rows(text),
    };
  });
}
