import { signal, type Signal } from '@preact/signals';
import type { KeptPanel, PanelIntents } from '../../src/panelProtocol';
import { metricIds, type MetricId } from '../../src/model/metrics/metrics';
import { relationIds, type RelationId } from '../../src/model/relations/relation';
import { orderings, type Ordering } from '../layout/headOrder';
import { paneNames, splitNames, viewNames, type PaneName, type ViewName } from '../layout/paneLayout';
import type { AskedPair } from './howView';
import { validEffects, type EffectsLayout } from './keptEffects';
import type { VsCodeApi } from '../windowChannel';

/** What a person has arranged in the panel. */
export interface PanelLayout {
  /** Where the lines stand that someone has moved, by their names: shares in (0, 1). */
  readonly shares: Readonly<Record<string, number>>;
  /** The part that is seen where several share one place. */
  readonly tab: PaneName;
  /** Whether heads stand in the grid by the metric that the tiles show, in their layers or over all. */
  readonly ordering: Ordering;
  /** The views that are open. */
  readonly open: readonly ViewName[];
  readonly headTable: HeadTableLayout;
  readonly how: HowLayout;
  /** The relation whose pairs are drawn while that view is open. */
  readonly relation: RelationId;
  readonly effects: EffectsLayout;
}

/** What is seen of how a weight came about. */
export interface HowLayout {
  /** The weight that is asked about, by the places of its tokens. */
  readonly pair: AskedPair | undefined;
  readonly step: number;
  /** Whether numbers are sorted by size. */
  readonly isSorted: boolean;
}

/** How the table of heads is arranged. */
export interface HeadTableLayout {
  readonly kind: 'table' | 'scatter';
  /** What it is sorted by: `head` is reading order. */
  readonly sort: MetricId | 'head';
  readonly isAscending: boolean;
  readonly filter: string;
  /** What a head's place in the scatter is made of. */
  readonly x: MetricId;
  readonly y: MetricId;
}

const firstHeadTable: HeadTableLayout = {
  kind: 'table',
  sort: 'head',
  isAscending: true,
  filter: '',
  x: 'entropy',
  y: 'previousToken',
};
/** UTF-16 units of a filter that are kept. */
const maxFilter = 200;

/** What the webview keeps between reloads: what the host asked to keep, and its own layout. */
interface KeptState {
  readonly persist?: KeptPanel;
  readonly layout?: PanelLayout;
}

function keptState(api: VsCodeApi): KeptState {
  const state = api.getState();
  return typeof state === 'object' && state !== null ? state : {};
}

function entriesOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function validHeadTable(value: unknown): HeadTableLayout {
  const { kind, sort, isAscending, filter, x, y } = entriesOf(value);
  const metric = <T>(name: unknown, otherwise: T): MetricId | T => metricIds.find((id) => id === name) ?? otherwise;
  return {
    kind: kind === 'scatter' ? kind : firstHeadTable.kind,
    sort: metric(sort, firstHeadTable.sort),
    isAscending: typeof isAscending === 'boolean' ? isAscending : firstHeadTable.isAscending,
    filter: typeof filter === 'string' ? filter.slice(0, maxFilter) : firstHeadTable.filter,
    x: metric(x, firstHeadTable.x),
    y: metric(y, firstHeadTable.y),
  };
}

function validHow(value: unknown): HowLayout {
  const { pair, step, isSorted } = entriesOf(value);
  const { query, key } = entriesOf(pair);
  const isPlace = (place: unknown): place is number => Number.isSafeInteger(place) && Number(place) >= 0;
  return {
    pair: isPlace(query) && isPlace(key) ? { query, key } : undefined,
    step: isPlace(step) ? step : 0,
    isSorted: isSorted === true,
  };
}

/** What of a kept state is a layout; the rest is as it was before anyone moved anything. */
export function validLayout(value: unknown): PanelLayout {
  const { shares, tab, ordering, open, headTable, how, relation, effects } = entriesOf(value);
  const kept = entriesOf(shares);
  const isShare = (share: unknown): share is number => typeof share === 'number' && share > 0 && share < 1;
  return {
    shares: Object.fromEntries(splitNames.flatMap((name) => (isShare(kept[name]) ? [[name, kept[name]]] : []))),
    tab: paneNames.find((name) => name === tab) ?? 'matrix',
    ordering: orderings.find((name) => name === ordering) ?? 'model',
    open: viewNames.filter((name) => Array.isArray(open) && open.includes(name)),
    headTable: validHeadTable(headTable),
    how: validHow(how),
    relation: relationIds.find((id) => id === relation) ?? relationIds[0],
    effects: validEffects(effects),
  };
}

/** Keeps the host's state and the person's layout in `vscode.setState`, side by side. */
export class KeptLayout {
  readonly layout: Signal<PanelLayout>;
  readonly #api: VsCodeApi;

  constructor(api: VsCodeApi) {
    this.#api = api;
    this.layout = signal(validLayout(keptState(api).layout));
  }

  keepPersisted(persist: KeptPanel): void {
    this.#api.setState({ ...keptState(this.#api), persist });
  }

  /** Moves a line. */
  move(name: string, share: number): void {
    this.#keep({ ...this.layout.peek(), shares: { ...this.layout.peek().shares, [name]: share } });
  }

  /** Shows one of the parts that share a place. */
  showTab(tab: PaneName): void {
    this.#keep({ ...this.layout.peek(), tab });
  }

  /** Opens a view, or closes it. */
  toggleView(view: ViewName, isOpen = !this.layout.peek().open.includes(view)): void {
    const { open, tab } = this.layout.peek();
    this.#keep({
      ...this.layout.peek(),
      open: [...open.filter((other) => other !== view), ...(isOpen ? [view] : [])],
      tab: isOpen ? view : tab,
    });
  }

  /** Opens a view and closes the others, or closes all of them. */
  openAlone(view: ViewName | undefined): void {
    this.#keep({ ...this.layout.peek(), open: view === undefined ? [] : [view], tab: view ?? 'matrix' });
  }

  /** Arranges the table of heads. */
  arrangeHeadTable(change: Partial<HeadTableLayout>): void {
    const { headTable } = this.layout.peek();
    this.#keep({ ...this.layout.peek(), headTable: { ...headTable, ...change } });
  }

  /** Goes to a step of how a weight came about, asks about another, or sorts its numbers. */
  arrangeHow(change: Partial<HowLayout>): void {
    const { how } = this.layout.peek();
    this.#keep({ ...this.layout.peek(), how: { ...how, ...change } });
  }

  /** Chooses the relation whose pairs are drawn. */
  chooseRelation(relation: RelationId): void {
    this.#keep({ ...this.layout.peek(), relation });
  }

  /** Keeps what is asked of effects, and the interventions. */
  arrangeEffects(effects: EffectsLayout): void {
    this.#keep({ ...this.layout.peek(), effects });
  }

  /** What is kept with an explanation in a file. */
  get arrangement(): PanelIntents['arrangement'] {
    const { open, effects } = this.layout.peek();
    return { open, effects };
  }

  /** Arranges it as it was kept in a file, of which nothing is believed. */
  restore(arrangement: unknown): void {
    const { open, effects } = validLayout(arrangement);
    this.#keep({ ...this.layout.peek(), open, effects, tab: open.at(-1) ?? 'matrix' });
  }

  /** Orders the grid by what the tiles show, or as the model has the heads. */
  order(ordering: Ordering): void {
    this.#keep({ ...this.layout.peek(), ordering });
  }

  #keep(layout: PanelLayout): void {
    this.layout.value = validLayout(layout);
    this.#api.setState({ ...keptState(this.#api), layout: this.layout.peek() });
  }
}
