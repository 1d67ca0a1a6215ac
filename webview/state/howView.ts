import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import type { ExplorerError } from '../../src/base/errors';
import type { ComponentInfo, HeadSelection } from '../../src/model/head';
import type { Cell, How, HowKind } from '../../src/model/how/how';
import type { TokenRef } from '../../src/model/token';
import type { ViewState } from '../../src/model/viewState';
import type { PanelApi, PanelRun } from '../../src/panelProtocol';
import type { Client } from '../../src/rpc/connection';
import type { MatrixCell } from '../layout/matrixView';
import { RowFetcher } from './rowFetcher';
import { OpenedView } from './openedView';
import { RecentlyUsed } from './recentlyUsed';

/** What is looked at, from which a cell is taken. */
export interface HowSources {
  readonly run: ReadonlySignal<PanelRun | null>;
  readonly component: ReadonlySignal<ComponentInfo | undefined>;
  readonly selection: ReadonlySignal<HeadSelection>;
  readonly view: ReadonlySignal<ViewState>;
  readonly hovered: ReadonlySignal<TokenRef | undefined>;
  readonly cursor: ReadonlySignal<TokenRef | undefined>;
  readonly crosshair: ReadonlySignal<MatrixCell | undefined>;
}

/** A query and a key whose weight is asked about, in the head that is selected. */
export type AskedPair = Pick<Cell, 'query' | 'key'>;

/** How one weight came about, asked for only while someone looks at it. */
export class HowView extends OpenedView {
  readonly shown: ReadonlySignal<How | undefined>;
  /** Why there is nothing to show. */
  readonly error = signal<ExplorerError | undefined>(undefined);
  /** The cell that is asked about: of the one head that is selected; undefined where several are, or no pair. */
  readonly cell: ReadonlySignal<Cell | undefined>;
  readonly #pair = signal<AskedPair | undefined>(undefined);
  readonly pair: ReadonlySignal<AskedPair | undefined> = this.#pair;
  readonly #arrived = signal<{ readonly name: string; readonly how: How } | undefined>(undefined);
  readonly #kept = new RecentlyUsed<How>(8);
  readonly #sources: HowSources;
  #wantedStep: HowKind | undefined;

  constructor(sources: HowSources, remote: Client<PanelApi>) {
    super();
    const { run, component, selection } = sources;
    this.#sources = sources;
    this.cell = computed(() => {
      const [pair, shown, info] = [this.pair.value, component.value, run.value?.info];
      const [head, ...others] = selection.value.heads;
      if (pair === undefined || shown === undefined || info === undefined || head === undefined || others.length > 0)
        return undefined;
      const isThere =
        pair.query < (info.streams[shown.queryStream]?.tokens.length ?? 0) &&
        pair.key < (info.streams[shown.keyStream]?.tokens.length ?? 0);
      return isThere ? { component: shown.component, layer: head.layer, head: head.head, ...pair } : undefined;
    });
    const nameOf = (cell: Cell): string => `${run.value?.info.runId ?? ''}/${Object.values(cell).join('/')}`;
    this.shown = computed(() => {
      const [cell, arrived] = [this.cell.value, this.#arrived.value];
      return cell !== undefined && arrived?.name === nameOf(cell) ? arrived.how : undefined;
    });
    const fetcher = new RowFetcher((error) => (this.error.value = error));
    effect(() => {
      const [shown, cell] = [run.value, this.cell.value];
      if (!this.isSeen.value || shown === null || cell === undefined) return fetcher.want(undefined);
      const name = nameOf(cell);
      this.error.value = undefined;
      const kept = this.#kept.get(name);
      if (kept !== undefined) {
        this.#arrived.value = { name, how: kept };
        return fetcher.want(undefined);
      }
      fetcher.want(async (signal) => {
        const how = await remote.how({ runId: shown.info.runId, cell }, signal);
        this.#kept.set(name, how);
        this.#arrived.value = { name, how };
      });
    });
  }

  /** Whether someone looks at it. */
  get isOpen(): boolean {
    return this.isSeen.peek();
  }

  /** Asks about a pair of tokens, and for a step of its answer. */
  ask(pair: AskedPair, step?: HowKind): void {
    this.#wantedStep = step;
    this.#pair.value = { ...pair };
  }

  /** Asks about a pair as before the window was loaded again: for no step, and unless one is asked for. */
  askAgain(pair: AskedPair): void {
    this.#pair.value = pair;
  }

  /** The place of the step that was asked for among those that are shown, once; undefined where none is waited for, or it is not among them. */
  takeStep({ steps }: How): number | undefined {
    const at = steps.findIndex(({ kind }) => kind === this.#wantedStep);
    this.#wantedStep = undefined;
    return at < 0 ? undefined : at;
  }

  /** Asks about what is looked at: the cell under the crosshair, else a pinned token and another, else the pair from before. Returns whether there is one. */
  askHere(): boolean {
    const pair = this.pairHere();
    if (pair !== undefined) this.ask(pair);
    return this.pair.peek() !== undefined;
  }

  /** The pair that is looked at; undefined where there is none. */
  pairHere(): AskedPair | undefined {
    const { component, view, hovered, cursor, crosshair } = this.#sources;
    const shown = component.peek();
    const cell = crosshair.peek();
    if (shown === undefined) return undefined;
    if (cell !== undefined) return { query: cell.query, key: cell.key };
    const { pinned, direction } = view.peek();
    const [first] = pinned;
    const other = hovered.peek() ?? cursor.peek();
    if (first === undefined) return undefined;
    if (shown.queryStream !== shown.keyStream) {
      const query = [first, other].find((token) => token?.stream === shown.queryStream);
      const key = [first, other].find((token) => token?.stream === shown.keyStream);
      return query === undefined || key === undefined ? undefined : { query: query.position, key: key.position };
    }
    const second = other ?? first;
    return direction === 'reads'
      ? { query: first.position, key: second.position }
      : { query: second.position, key: first.position };
  }
}
