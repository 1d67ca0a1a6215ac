import { DisposableStore, type Disposable } from '../../base/disposable';
import { Emitter } from '../../base/event';
import type { PlainText } from '../../base/safeText';
import { isSameSelection, normalizeSelection } from '../../model/head';
import { isSameToken, type TokenRef } from '../../model/token';
import { initialView, type ViewState } from '../../model/viewState';
import type { PanelStatus } from '../../panelProtocol';
import type { ShownRun } from '../run/shownRun';

/** Which side the pointer is on. */
type HoverOrigin = 'editor' | 'panel';

/** The token under the pointer. */
export interface Hovered {
  readonly token: TokenRef;
  readonly origin: HoverOrigin;
}

/** What live mode is doing; `sentence` says what went wrong last. */
export type LiveState = { readonly kind: 'off' } | { readonly kind: 'on' | 'paused'; readonly sentence?: PlainText };

/** The one source of what is shown: panel and editor read it, and only intents change it. */
export class ViewStore implements Disposable {
  readonly #store = new DisposableStore();
  readonly #statusEmitter = this.#store.add(new Emitter<PanelStatus>());
  readonly #runEmitter = this.#store.add(new Emitter<ShownRun | undefined>());
  readonly #growthEmitter = this.#store.add(new Emitter<ShownRun>());
  readonly #viewEmitter = this.#store.add(new Emitter<ViewState>());
  readonly #hoverEmitter = this.#store.add(new Emitter<Hovered | undefined>());
  readonly #caretEmitter = this.#store.add(new Emitter<TokenRef | undefined>());
  readonly #liveEmitter = this.#store.add(new Emitter<LiveState>());
  readonly onDidChangeStatus = this.#statusEmitter.event;
  /** Another run, or the place of its text. */
  readonly onDidChangeRun = this.#runEmitter.event;
  /** More of the run's layers are there, or no more will come. */
  readonly onDidGrowRun = this.#growthEmitter.event;
  readonly onDidChangeView = this.#viewEmitter.event;
  readonly onDidChangeHover = this.#hoverEmitter.event;
  /** The token before the caret in live mode; else the one that a run is first looked at with. */
  readonly onDidChangeCaret = this.#caretEmitter.event;
  readonly onDidChangeLive = this.#liveEmitter.event;
  #status: PanelStatus = { kind: 'empty' };
  #run: ShownRun | undefined;
  #view: ViewState = initialView;
  #hovered: Hovered | undefined;
  #caret: TokenRef | undefined;
  #live: LiveState = { kind: 'off' };

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

  /** The token that lights up where nothing is hovered or pinned. */
  get caret(): TokenRef | undefined {
    return this.#caret;
  }

  get live(): LiveState {
    return this.#live;
  }

  setLive(live: LiveState): void {
    this.#live = live;
    this.#liveEmitter.fire(live);
  }

  setCaret(token: TokenRef | undefined): void {
    if (isSameToken(token, this.#caret)) return;
    this.#caret = token;
    this.#caretEmitter.fire(token);
  }

  setStatus(status: PanelStatus): void {
    this.#status = status;
    this.#statusEmitter.fire(status);
  }

  /** Shows another run and disposes of the former; the view is kept as far as the new run has what it names. */
  setRun(run: ShownRun, view: ViewState, caret?: TokenRef): void {
    const former = this.#run;
    if (this.#hovered !== undefined) this.setHovered(undefined);
    this.#run = run;
    this.#view = fitView(view, run);
    this.#caret = caret;
    former?.dispose();
    this.#runEmitter.fire(run);
    this.#viewEmitter.fire(this.#view);
    this.#caretEmitter.fire(caret);
  }

  /** Says that more of a run's layers are there, or that no more will come. */
  runGrew(run: ShownRun): void {
    if (run !== this.#run) return;
    this.#growthEmitter.fire(run);
    const view = fitView(this.#view, run);
    if (isSameSelection(view.selection, this.#view.selection)) return;
    this.#view = view;
    this.#viewEmitter.fire(view);
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
  const isThere = ({ stream, position }: TokenRef): boolean => position < (info.streams[stream]?.tokens.length ?? 0);
  return {
    ...view,
    selection: normalizeSelection(view.selection, info.components),
    pinned: view.pinned.filter(isThere),
    marked: view.marked.filter(isThere),
  };
}
