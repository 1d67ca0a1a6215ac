import { batch, computed, effect, signal, untracked, type ReadonlySignal } from '@preact/signals';
import { formName, isPlainForm, plainForm, tokensOfMethod, type PatternForm } from '../../src/model/patternForm';
import { joinsHeads } from '../../src/model/methods';
import { ExplorerError } from '../../src/base/errors';
import {
  headLabel,
  headsOf,
  indexOfHead,
  type Component,
  type ComponentInfo,
  type HeadRef,
} from '../../src/model/head';
import { canRead, directionOf } from '../../src/model/lighting';
import {
  applicableTo,
  columnOf,
  metricCeiling,
  normMetrics,
  tellingMetrics,
  type HeadTable,
} from '../../src/model/metrics/headTable';
import type { MetricId } from '../../src/model/metrics/metrics';
import { metricTextOf } from '../../src/model/metrics/metricText';
import { encodeThumbnail, type Direction } from '../../src/model/pattern';
import { rankHeads, type RankedHead } from '../../src/model/rankHeads';
import { isSameToken, type TokenRef } from '../../src/model/token';
import type { ViewState } from '../../src/model/viewState';
import type { PanelApi, PanelRun } from '../../src/panelProtocol';
import type { HeadRows, Thumbnails } from '../../src/protocol';
import type { Client } from '../../src/rpc/connection';
import { orderHeads, type HeadOrder, type Ordering } from '../layout/headOrder';
import { RowFetcher } from './rowFetcher';
import { RecentlyUsed } from './recentlyUsed';

/** What the tiles of the grid show and heads are ranked by: their patterns, the pinned token's row, one pair's weight, an effect, or a metric. */
export type Measure = 'pattern' | 'row' | 'pair' | 'effect' | MetricId;

/** One number with a sign for each head of a component, in reading order; NaN where it is not known yet. */
export interface SignedNumbers {
  readonly name: string;
  readonly component: Component;
  readonly values: Float32Array;
}

/** What the views of all heads are made from. */
export interface HeadViewSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  readonly view: ReadonlySignal<ViewState>;
  readonly hovered: ReadonlySignal<TokenRef | undefined>;
  readonly cursor: ReadonlySignal<TokenRef | undefined>;
  readonly editorHover: ReadonlySignal<TokenRef | undefined>;
  /** What an intervention at each head does; undefined while nobody has asked. */
  readonly effects: ReadonlySignal<SignedNumbers | undefined>;
}

/** Why there is nothing to show in all heads of what was chosen. */
export type Lack = 'pinned' | 'other' | 'readers' | 'metric' | 'effect';

/** What is asked for of every head, by name. */
interface Wanted {
  readonly name: string;
  readonly measure: Measure;
  readonly component: ComponentInfo;
  /** The pinned tokens, as far as they count. */
  readonly tokens: readonly TokenRef[];
  readonly direction: Direction;
  /** The other token of a pair. */
  readonly other?: TokenRef;
  request(signal: AbortSignal): Promise<Numbers>;
}

/** Numbers of all heads in reading order: `values[head * columns + column]`. */
interface Numbers {
  readonly columns: number;
  readonly values: Float32Array;
  /** What full depth stands for, where that is not 1. */
  readonly full?: number;
  /** The token that each head's metric is about. */
  readonly about?: Float32Array;
}

/** What is shown of every head, with what it is of. */
export interface ShownMeasure extends Numbers, Omit<Wanted, 'request'> {
  /** What full depth stands for. */
  readonly ceiling: number;
}

/** A head with the number that it is ranked by. */
export interface ListedHead extends RankedHead {
  /** The token that a metric is about. */
  readonly key: number | undefined;
}

const maxKept = 256;

/** What is shown of all heads at once: in the tiles of the grid, and as a ranking. */
export class HeadViews {
  readonly measure = signal<Measure>('pattern');
  /** Whether heads are listed in the place of sources. */
  readonly isListed = signal(false);
  /** The second token of a pair, where it was held fast. */
  readonly held = signal<TokenRef | undefined>(undefined);
  /** The most numbers of a row that a tile has pixels for: drawing fewer of them than there are would lose some. */
  readonly #rowSize = signal(16);
  /** The metrics of all heads, once someone has asked for any. */
  readonly table = signal<{ readonly name: string; readonly value: HeadTable } | undefined>(undefined);
  readonly applicable: ReadonlySignal<readonly Measure[]>;
  readonly lack: ReadonlySignal<Lack | undefined>;
  readonly shown: ReadonlySignal<ShownMeasure | undefined>;
  /** As pictures for the tiles; undefined where these show patterns. */
  readonly tiles: ReadonlySignal<Thumbnails | undefined>;
  /** The heads by the metric that the tiles show, in each layer or over all; undefined where they show none: what changes with the pointer orders nothing. */
  readonly orders: Readonly<Record<Exclude<Ordering, 'model'>, ReadonlySignal<HeadOrder | undefined>>>;
  /** Strongest first. */
  readonly ranking: ReadonlySignal<readonly ListedHead[]>;
  readonly #sources: HeadViewSources;
  readonly #remote: Client<PanelApi>;
  readonly #fetcher: RowFetcher;
  readonly #kept = new RecentlyUsed<Numbers>(maxKept);
  /** The token that was last under the pointer beside the pinned ones. */
  readonly #other = signal<TokenRef | undefined>(undefined);
  readonly #arrived = signal<{ readonly wanted: Wanted; readonly numbers: Numbers } | undefined>(undefined);
  #described: { readonly name: string; readonly done: Promise<void> } | undefined;
  readonly #wanted: ReadonlySignal<Wanted | Lack | undefined>;
  /** The effects of the heads of the component that is shown. */
  readonly #effects: ReadonlySignal<ShownMeasure | undefined>;

  constructor(sources: HeadViewSources, remote: Client<PanelApi>, onError: (error: ExplorerError) => void) {
    this.#sources = sources;
    this.#remote = remote;
    this.#fetcher = new RowFetcher(onError);
    const { run, component } = sources;
    this.#effects = computed(() => {
      const [shown, numbers] = [component.value, sources.effects.value];
      if (shown === undefined || shown.areHeadsJoined === true || numbers?.component !== shown.component)
        return undefined;
      const { name, values } = numbers;
      const ceiling = values.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0);
      const what = { name, measure: 'effect', component: shown, tokens: [], direction: 'reads' } as const;
      return { ...what, columns: 1, values, ceiling };
    });
    this.applicable = computed(() => {
      const shown = component.value;
      if (shown === undefined) return ['pattern'];
      const text = metricTextOf(shown, run.value?.info.streams ?? []);
      // Metrics are of the weights of single heads.
      return [
        'pattern',
        'row',
        'pair',
        ...(this.#effects.value === undefined ? [] : (['effect'] as const)),
        ...(shown.areHeadsJoined === true ? [] : [...tellingMetrics(shown, text), ...normMetrics]),
      ];
    });
    this.#wanted = computed(() => {
      if (this.measure.value !== 'effect') return this.#want();
      return this.#effects.value === undefined ? 'effect' : undefined;
    });
    this.lack = computed(() => {
      const wanted = this.#wanted.value;
      return typeof wanted === 'string' ? wanted : undefined;
    });
    this.shown = computed(() => {
      if (this.measure.value === 'effect') return this.#effects.value;
      const wanted = this.#wanted.value;
      const arrived = this.#arrived.value;
      if (wanted === undefined || typeof wanted === 'string' || arrived === undefined) return undefined;
      const isSame = arrived.wanted.name === wanted.name;
      // What was shown before, under its own name, for the moment that the next takes to come.
      if (
        !isSame &&
        (arrived.wanted.measure !== wanted.measure ||
          arrived.wanted.component !== wanted.component ||
          this.#fetcher.isLate.value)
      )
        return undefined;
      const { measure } = arrived.wanted;
      const ceiling = isMetric(measure)
        ? metricCeiling(measure, arrived.wanted.component, arrived.numbers.values)
        : (arrived.numbers.full ?? 1);
      return { ...arrived.wanted, ...arrived.numbers, ceiling };
    });
    this.tiles = computed(() => {
      const shown = this.shown.value;
      return shown && tilesOf(shown);
    });
    const orderedBy = (ordering: Exclude<Ordering, 'model'>): ReadonlySignal<HeadOrder | undefined> =>
      computed(() => {
        const shown = this.shown.value;
        if (shown === undefined || !canOrder(shown.measure)) return undefined;
        const values = shown.measure === 'effect' ? shown.values.map(Math.abs) : shown.values;
        return orderHeads(shown.component, values, ordering);
      });
    this.orders = { layer: orderedBy('layer'), all: orderedBy('all') };
    this.ranking = computed(() => {
      const shown = this.shown.value;
      return shown === undefined ? [] : rank(shown);
    });
    this.#follow();
  }

  /** Shows something else of all heads. */
  show(measure: Measure): void {
    this.measure.value = measure;
  }

  /** Lists the heads by the pair that is looked at, which it holds fast, else by what the tiles show; again, goes back. Returns whether they are listed now. */
  toggleList(): boolean {
    const other = this.#candidate();
    const isPair = this.#sources.view.peek().pinned.length > 0 && (other ?? this.#other.peek()) !== undefined;
    const isNew = other !== undefined && !isSameToken(other, this.held.peek());
    batch(() => {
      if (this.isListed.peek() && !isNew) {
        this.isListed.value = false;
        this.held.value = undefined;
        return;
      }
      this.isListed.value = true;
      if (isPair && (isNew || this.measure.peek() === 'pattern' || this.measure.peek() === 'row')) {
        this.held.value = other ?? this.#other.peek();
        this.measure.value = 'pair';
      } else if (this.measure.peek() === 'pattern')
        this.measure.value =
          this.#sources.view.peek().pinned.length > 0 ? 'row' : (this.applicable.peek().find(canOrder) ?? 'pattern');
    });
    return this.isListed.peek();
  }

  /** Shows a metric where none is shown: what the grid can be ordered by. */
  needMetric(): void {
    if (!canOrder(this.measure.peek()))
      this.measure.value = this.applicable.peek().find(canOrder) ?? this.measure.peek();
  }

  /** Notes how many numbers of a row a tile has pixels for. */
  drawRowsIn(pixels: number): void {
    this.#rowSize.value = pixels;
  }

  /** In which order the heads stand, as far as what the tiles show orders them. */
  orderOf(ordering: Ordering): HeadOrder | undefined {
    return ordering === 'model' ? undefined : this.orders[ordering].value;
  }

  /** Goes on to the next of what tiles can show of tokens. */
  nextMeasure(): void {
    const order: readonly Measure[] = ['pattern', 'row', 'pair'];
    this.measure.value = order[(order.indexOf(this.measure.peek()) + 1) % order.length];
  }

  /** Holds a second token fast beside the pinned ones, or lets it go. */
  hold(token: TokenRef): void {
    batch(() => {
      this.held.value = isSameToken(token, this.held.peek()) ? undefined : token;
      this.measure.value = 'pair';
    });
  }

  /** Lets go of the second token. Returns whether there was one. */
  letGo(): boolean {
    const isHeld = this.held.peek() !== undefined;
    this.held.value = undefined;
    return isHeld;
  }

  /** Asks for the metrics for the descriptions of heads, where they are no work to speak of: what is recomputed waits until someone chooses it. */
  async wantDescriptions(): Promise<void> {
    const component = this.#sources.component.peek();
    const run = this.#sources.run.peek();
    if (component === undefined || run === null || component.areHeadsJoined === true) return;
    if (component.layers.some(({ held }) => held === 'recomputed')) return;
    const name = tableName(run, component);
    if (this.table.peek()?.name === name) return;
    // Beside what is shown, and of no weight where it fails.
    if (this.#described?.name !== name)
      this.#described = {
        name,
        done: this.#fetchTable(run, component, new AbortController().signal).then(
          () => {},
          () => {},
        ),
      };
    await this.#described.done;
  }

  /** The metrics of one head of a component, where they are here. */
  describe(component: ComponentInfo, head: HeadRef): readonly (readonly [name: MetricId, value: number])[] {
    const run = this.#sources.run.peek();
    const held = this.table.peek();
    if (run === null || component.areHeadsJoined === true || held?.name !== tableName(run, component)) return [];
    const at = indexOfHead(component, head);
    return this.applicable.peek().flatMap((name) => {
      const column = isMetric(name) ? columnOf(held.value, name) : undefined;
      return isMetric(name) && column !== undefined && at >= 0 ? [[name, column[at]] as const] : [];
    });
  }

  #follow(): void {
    const { run, view } = this.#sources;
    let shownRun: number | undefined;
    let pinned: readonly TokenRef[] = [];
    effect(() => {
      const runId = run.value?.info.runId;
      if (runId !== shownRun) {
        shownRun = runId;
        this.#kept.clear();
        batch(() => {
          for (const cleared of [this.held, this.#other, this.#arrived, this.table]) cleared.value = undefined;
        });
      }
    });
    effect(() => {
      const now = view.value.pinned;
      const isSame = now.length === pinned.length && now.every((token, i) => isSameToken(token, pinned[i]));
      pinned = now;
      if (!isSame)
        batch(() => {
          this.held.value = undefined;
          this.#other.value = undefined;
        });
    });
    effect(() => {
      const other = this.#candidate();
      if (other !== undefined) this.#other.value = other;
    });
    effect(() => {
      const wanted = this.#wanted.value;
      if (wanted === undefined || typeof wanted === 'string') return this.#fetcher.want(undefined);
      const kept = this.#kept.get(wanted.name);
      if (kept !== undefined) {
        this.#fetcher.want(undefined);
        this.#arrived.value = { wanted, numbers: kept };
        return;
      }
      this.#fetcher.want(async (aborted) => {
        const numbers = await wanted.request(aborted);
        this.#kept.set(wanted.name, numbers);
        this.#arrived.value = { wanted, numbers };
      });
    });
  }

  /** A token beside the pinned ones that is looked at now. */
  #candidate(): TokenRef | undefined {
    const { hovered, cursor, editorHover, view } = this.#sources;
    const token = hovered.value ?? cursor.value ?? editorHover.value;
    return token === undefined || view.value.pinned.some((pinned) => isSameToken(pinned, token)) ? undefined : token;
  }

  #want(): Wanted | Lack | undefined {
    const { run, component: shownComponent, view } = this.#sources;
    const measure = this.measure.value;
    const [shown, component] = [run.value, shownComponent.value];
    if (measure === 'pattern' || shown === null || component === undefined) return undefined;
    const { pinned, direction: chosen, pinnedMean, sinks, isRenormalized } = view.value;
    if (isMetric(measure)) {
      if (!this.applicable.value.includes(measure)) return 'metric';
      const request = async (signal: AbortSignal): Promise<Numbers> => {
        const table = normMetrics.includes(measure)
          ? await this.#remote.headTable(
              { runId: shown.info.runId, component: component.component, metrics: [measure] },
              signal,
            )
          : await this.#fetchTable(shown, component, signal);
        const values = columnOf(table, measure);
        if (values === undefined) throw new ExplorerError('internal', [`no ${measure} in the table`]);
        const about = measure === 'sinkMass' ? columnOf(table, 'sinkKey') : undefined;
        return { columns: 1, values, ...(about === undefined ? {} : { about }) };
      };
      return {
        name: `${tableName(shown, component)}/${measure}`,
        measure,
        component,
        tokens: [],
        direction: 'reads',
        request,
      };
    }
    const direction = pinned[0] && directionOf(component, pinned[0].stream, chosen);
    if (direction === undefined) return 'pinned';
    const { runId } = shown.info;
    // Sinks are each head's own; a tile is of tokens at every level.
    const { method } = view.value;
    const form: PatternForm = {
      ...plainForm,
      method,
      ...tokensOfMethod(method, pinned),
      sinks: joinsHeads(method) ? 'show' : sinks,
      isRenormalized,
    };
    const full = async (signal: AbortSignal): Promise<number> =>
      method === 'attention'
        ? 1
        : (await this.#remote.weighing({ runId, component: component.component, method }, signal)).ceiling;
    const asked = isPlainForm(form) ? {} : { form };
    const name = `${runId}/${component.component}/${direction}/${formName(form)}`;
    if (measure === 'row') {
      if (direction === 'readBy' && component.layers.some(({ held }) => held === 'recomputed')) return 'readers';
      const positions = pinned.map(({ position }) => position);
      const size = this.#rowSize.value;
      const request = async (signal: AbortSignal): Promise<Numbers> => ({
        ...numbersOf(
          await this.#remote.headRows(
            { runId, component: component.component, positions, direction, mean: pinnedMean, size, ...asked },
            signal,
          ),
        ),
        full: await full(signal),
      });
      return {
        name: `${name}/${size}/${pinnedMean}/${positions.join()}`,
        measure,
        component,
        tokens: pinned,
        direction,
        request,
      };
    }
    const other = this.held.value ?? this.#other.value;
    if (other === undefined || other.stream !== (direction === 'reads' ? component.keyStream : component.queryStream))
      return 'other';
    // Where the mean is over those that can see the other one, the rest are not asked for.
    const seeing = pinned.filter(({ position }) =>
      direction === 'reads'
        ? canRead(component, position, other.position)
        : canRead(component, other.position, position),
    );
    const tokens = pinnedMean === 'seeing' && seeing.length > 0 ? seeing : pinned;
    const own = tokens.map(({ position }) => position);
    const [queries, keys] = direction === 'reads' ? [own, [other.position]] : [[other.position], own];
    const request = async (signal: AbortSignal): Promise<Numbers> => ({
      columns: 1,
      values: (await this.#remote.headPairs({ runId, component: component.component, queries, keys, ...asked }, signal))
        .weights,
      full: await full(signal),
    });
    return { name: `${name}/${queries.join()}/${keys.join()}`, measure, component, tokens, direction, other, request };
  }

  async #fetchTable(run: PanelRun, component: ComponentInfo, signal: AbortSignal): Promise<HeadTable> {
    const name = tableName(run, component);
    const held = untracked(() => this.table.value);
    if (held?.name === name) return held.value;
    const value = await this.#remote.headTable(
      { runId: run.info.runId, component: component.component, metrics: applicableTo(component) },
      signal,
    );
    this.table.value = { name, value };
    return value;
  }
}

/** Whether a measure is a metric of the whole head. */
export function isMetric(measure: Measure): measure is MetricId {
  return measure !== 'pattern' && measure !== 'row' && measure !== 'pair' && measure !== 'effect';
}

/** Whether heads can stand in the order of a measure: one number for each, which does not change with the pointer. */
export function canOrder(measure: Measure): boolean {
  return measure === 'effect' || isMetric(measure);
}

/** Heads by their largest number, with the token that a metric is about; by effect those with the largest, on either side of zero. */
function rank({ measure, component, columns, values, about }: ShownMeasure): ListedHead[] {
  if (measure === 'effect')
    return rankHeads(component, values.map(Math.abs))
      .filter(({ value }) => !Number.isNaN(value))
      .map((head) => ({ ...head, value: values[indexOfHead(component, head)], key: undefined }));
  const largest = headsOf(component).map((_, i) =>
    values.subarray(i * columns, (i + 1) * columns).reduce((most, value) => Math.max(most, value), 0),
  );
  const keys = new Map(about === undefined ? [] : headsOf(component).map((head, i) => [headLabel(head), about[i]]));
  return rankHeads(component, largest).map((head) => ({ ...head, key: keys.get(headLabel(head)) }));
}

function tilesOf({ component, columns, values, ceiling }: ShownMeasure): Thumbnails {
  const shares = ceiling === 1 ? values : values.map((value) => (ceiling > 0 ? value / ceiling : 0));
  return {
    numHeads: component.layers.map(({ numHeads }) => numHeads),
    rows: 1,
    columns,
    pixels: encodeThumbnail(shares),
    sinks: [],
  };
}

function numbersOf({ columns, maxima }: HeadRows): Numbers {
  return { columns, values: maxima };
}

function tableName({ info }: PanelRun, { component }: ComponentInfo): string {
  return `${info.runId}/${component}`;
}
