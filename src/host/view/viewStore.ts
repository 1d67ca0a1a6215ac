import { DisposableStore, type Disposable } from '../../base/disposable';
import { Emitter } from '../../base/event';
import { normalizeSelection } from '../../model/head';
import { isSameToken, type TokenRef } from '../../model/token';
import { initialView, type ViewState } from '../../model/viewState';
import type { PanelStatus } from '../../protocol';
import type { ShownRun } from '../run/shownRun';

/** Which side the pointer is on. */
export type HoverOrigin = 'editor' | 'panel';

/** The token under the pointer. */
export interface Hovered {
  readonly token: TokenRef;
  readonly origin: HoverOrigin;
}

/** The one source of what is shown: panel and editor read it, and only intents change it. */
export class ViewStore implements Disposable {
  readonly #store = new DisposableStore();
  readonly #statusEmitter = this.#store.add(new Emitter<PanelStatus>());
  readonly #runEmitter = this.#store.add(new Emitter<ShownRun | undefined>());
  readonly #viewEmitter = this.#store.add(new Emitter<ViewState>());
  readonly #hoverEmitter = this.#store.add(new Emitter<Hovered | undefined>());
  readonly onDidChangeStatus = this.#statusEmitter.event;
  /** Another run, or the place of its text. */
  readonly onDidChangeRun = this.#runEmitter.event;
  readonly onDidChangeView = this.#viewEmitter.event;
  readonly onDidChangeHover = this.#hoverEmitter.event;
  #status: PanelStatus = { kind: 'empty' };
  #run: ShownRun | undefined;
  #view: ViewState = initialView;
  #hovered: Hovered | undefined;

  get status(): PanelStatus {
    return this.#status;
  }

  get run(): ShownRun | undefined {
    return this.#run;
  }

  get view(): ViewState {
    return this.#view;
  }

  get hovered(): Hovered | undefined {
    return this.#hovered;
  }

  setStatus(status: PanelStatus): void {
    this.#status = status;
    this.#statusEmitter.fire(status);
  }

  /** Shows another run and disposes of the former; the view is kept as far as the new run has what it names. */
  setRun(run: ShownRun, view: ViewState): void {
    const former = this.#run;
    if (this.#hovered !== undefined) this.setHovered(undefined);
    this.#run = run;
    this.#view = fitView(view, run);
    former?.dispose();
    this.#runEmitter.fire(run);
    this.#viewEmitter.fire(this.#view);
  }

  /** Says that the run's text stands elsewhere. */
  runMoved(): void {
    this.#runEmitter.fire(this.#run);
  }

  changeView(change: Partial<ViewState>): void {
    const next = { ...this.#view, ...change };
    this.#view = this.#run === undefined ? next : fitView(next, this.#run);
    this.#viewEmitter.fire(this.#view);
  }

  setHovered(hovered: Hovered | undefined): void {
    if (isSameToken(hovered?.token, this.#hovered?.token)) return;
    this.#hovered = hovered;
    this.#hoverEmitter.fire(hovered);
  }

  /** Pins a token, or unpins it if it is the one pinned. */
  togglePin(token: TokenRef): void {
    const isPinned = this.#view.pinned.some((pinned) => isSameToken(pinned, token));
    this.changeView({ pinned: isPinned ? [] : [token] });
  }

  dispose(): void {
    this.#run?.dispose();
    this.#run = undefined;
    this.#store.dispose();
  }
}

/** The view made fit for a run: heads and tokens that it has. */
function fitView(view: ViewState, { info }: ShownRun): ViewState {
  return {
    ...view,
    selection: normalizeSelection(view.selection, info.components),
    pinned: view.pinned.filter(({ stream, position }) => position < (info.streams[stream]?.tokens.length ?? 0)),
  };
}
