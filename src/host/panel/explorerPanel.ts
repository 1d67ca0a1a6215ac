import * as vscode from 'vscode';
import { DisposableStore, MutableDisposable, type Disposable } from '../../base/disposable';
import { ExplorerError } from '../../base/errors';
import { entry } from '../../base/logText';
import { Sparing } from '../../base/sparing';
import type { Continuation } from '../../model/continuation';
import type { PanelAction } from '../../model/panelAction';
import type {
  FigureAnswer,
  FigureRequest,
  PanelApi,
  PanelArrangement,
  PanelComparison,
  PanelDeed,
  PanelEvents,
  PanelIntents,
} from '../../panelProtocol';
import type { PanelProfile } from '../../model/profile/panelProfile';
import { openConnection, type Connection } from '../../rpc/connection';
import type { TokenRef } from '../../model/token';
import type { Log } from '../say/log';
import { nameTab } from '../say/panelTab';
import type { ShownRun } from '../run/shownRun';
import type { ViewStore } from '../view/viewStore';
import {
  checkAct,
  checkChangeView,
  checkCompareWith,
  checkContinuation,
  checkHeadTableParams,
  checkEffectParams,
  checkHeadEffectsParams,
  checkIntervenedParams,
  checkHowParams,
  checkMethodReasonsParams,
  checkPainted,
  checkPictureParams,
  checkPredictOtherParams,
  checkPredictParams,
  checkRandomParams,
  checkTokenOrNull,
  checkTokenRef,
  checkWritesParams,
} from './panelMessages';
import { checkExample, checkProfileParams } from './profileMessages';
import { checkFigure } from './figureMessages';
import { checkArrangement } from './checkArrangement';
import { formedRequests } from './formedRequests';
import { FirstPatternFetcher } from './firstPattern';
import { makeNonce, panelHtml } from './panelHtml';
import type { PanelMemory } from './panelMemory';
import { panelAppearance, panelLive, panelRun, panelTitle, persistedPanel } from './panelSnapshots';
import { WebviewChannel } from './webviewChannel';
import { said } from '../say/said';

/** What the panel shows of comparisons, and asks of them. */
interface PanelComparisons {
  readonly shown: PanelComparison | null;
  readonly onDidChange: (listener: () => void) => Disposable;
  readonly want: (wanted: PanelIntents['compareWith']) => void;
}

/** What the panel shows of profiles, and asks of them. */
interface PanelProfiles {
  readonly shown: (params: Parameters<PanelApi['profile']>[0]) => Promise<PanelProfile | null>;
  readonly onDidChange: (listener: () => void) => Disposable;
  readonly open: (example: PanelIntents['openExample']) => void;
}

/** What the panel needs of the window. */
export interface PanelDependencies {
  readonly store: ViewStore;
  readonly memory: Pick<PanelMemory, 'kept' | 'remember'>;
  readonly extensionUri: vscode.Uri;
  readonly log: Log;
  readonly act: (action: PanelAction) => void;
  readonly comparisons: () => PanelComparisons;
  /** Undefined where there are none. */
  readonly profiles?: PanelProfiles;
  /** Lets the model go on with the text. */
  readonly goOn: (continuation: Continuation) => void;
  readonly reveal: (token: TokenRef) => void;
  readonly onDidChangeSettings: (listener: () => void) => Disposable;
}

/** The type of our panel in the manifest and in what survives a reload. */
export const panelViewType = 'attentionExplorer.panel';

/** A run's text that moves is announced when it rests. */
const moveMilliseconds = 150;

/** A panel that is shown again has a new page, which says so well within this time; else the page it had stayed. */
const reshowMilliseconds = 500;

/** A page draws a figure well within this time. */
const figureMilliseconds = 5000;

/** A page says how it is arranged well within this time. */
const arrangementMilliseconds = 2000;

/** The panel of the window: serves the webview what it asks for and posts snapshots of the view, but only while it is seen. */
export class ExplorerPanel implements Disposable {
  readonly #panel: vscode.WebviewPanel;
  readonly #deps: PanelDependencies;
  readonly #store = new DisposableStore();
  readonly #connection = this.#store.add(new MutableDisposable<Connection<object, PanelEvents, PanelIntents>>());
  /** A page may send what it likes, and as often. */
  readonly #malformed: Sparing;
  #channel: WebviewChannel | undefined;
  /** Whether a page has said that it listens. */
  #isReady = false;
  /** Whether the first page was posted a run before it said that it listens: VS Code keeps messages until a page has loaded. */
  #isAhead = false;
  readonly #openedAt = performance.now();
  #showTimer: number | undefined;
  #wasVisible = true;
  /** Number of the newest intent that the view takes into account. */
  #sequence = 0;
  /** Where a figure that was asked for goes; nobody else's is taken. */
  #takeFigure: ((answer: FigureAnswer) => void) | undefined;
  #takeArrangement: ((arrangement: PanelIntents['arrangement']) => void) | undefined;
  readonly #first = new FirstPatternFetcher();
  /** What waits for a run's first pattern, in order; undefined where nothing has to. */
  #heldPosts: (() => void)[] | undefined;
  /** Posts what the page is to open once it is there. */
  #postWhenReady: (() => void) | undefined;
  #shownRunId: number | undefined;
  #shownUri: string | undefined;
  #moveTimer: number | undefined;
  /** Milliseconds from the arrival of the newest run to its first paint. */
  lastPaint: { readonly runId: number; readonly milliseconds: number } | undefined;

  constructor(panel: vscode.WebviewPanel, deps: PanelDependencies) {
    this.#panel = panel;
    this.#deps = deps;
    const { store, extensionUri } = deps;
    this.#malformed = this.#store.add(
      new Sparing({
        first: 5,
        milliseconds: 10_000,
        tellCount: (count) => deps.log.warn(entry`The panel sent ${count} more messages that were not understood.`),
      }),
    );
    const dist = vscode.Uri.joinPath(extensionUri, 'dist');
    panel.webview.options = { enableScripts: true, localResourceRoots: [dist] };
    panel.iconPath = {
      light: vscode.Uri.joinPath(extensionUri, 'media', 'panel-light.svg'),
      dark: vscode.Uri.joinPath(extensionUri, 'media', 'panel-dark.svg'),
    };
    nameTab(panel, panelTitle(store.run));
    // A panel that is hidden loses its page and gets it anew: all state is in the store, so it is drawn again at once, and
    // a page that nobody sees costs no memory. (Hence no `retainContextWhenHidden`.)
    this.#store.add(panel.onDidChangeViewState(() => this.#viewStateChanged()));
    this.#connect();
    void this.#loadPage(dist);
    this.#store.add(store.onDidChangeStatus((status) => this.#post('status', status)));
    this.#store.add(store.onDidChangeRun(() => this.#runChanged()));
    this.#store.add(store.onDidGrowRun((run) => this.#runGrew(run)));
    this.#store.add(store.onDidChangeView(() => this.#postView()));
    this.#store.add(store.onDidChangeHover((hovered) => hovered?.origin !== 'panel' && this.#postHover()));
    this.#store.add(store.onDidChangeCaret(() => this.#postHover()));
    this.#store.add(deps.comparisons().onDidChange(() => this.#post('comparison', deps.comparisons().shown)));
    const { profiles } = deps;
    if (profiles !== undefined) this.#store.add(profiles.onDidChange(() => this.#post('profile', {})));
    this.#store.add(store.onDidChangeLive((live) => this.#post('live', panelLive(live))));
    this.#store.add(deps.onDidChangeSettings(() => this.#postAppearance()));
  }

  async #loadPage(dist: vscode.Uri): Promise<void> {
    const { webview } = this.#panel;
    try {
      const [script, style] = await Promise.all(
        ['webview.js', 'webview.css'].map(async (name) =>
          new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(dist, name))),
        ),
      );
      if (this.#store.isDisposed) return;
      const addressOf = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(dist, name)).toString();
      webview.html = panelHtml(
        {
          script,
          style,
          codicons: addressOf('codicon.css'),
          elements: addressOf('elements.js'),
          views: addressOf('views.js'),
          cspSource: webview.cspSource,
        },
        makeNonce(),
        vscode.env.language,
        said('Loading the panel …'),
      );
    } catch (error) {
      this.#deps.log.error(entry`The panel's page could not be read: ${String(error)}`);
    }
  }

  get viewColumn(): vscode.ViewColumn | undefined {
    return this.#panel.viewColumn;
  }

  get isVisible(): boolean {
    return this.#panel.visible;
  }

  /** Whether the page has drawn and listens. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Bytes of typed arrays that were posted to the page. */
  get postedBytes(): number {
    return this.#channel?.postedBytes ?? 0;
  }

  reveal(preserveFocus: boolean): void {
    this.#panel.reveal(undefined, preserveFocus);
  }

  /** Asks the page for something that a figure needs. Throws `figureNotDrawn` where it is not in sight, or does not answer in time. */
  async figure(request: FigureRequest): Promise<FigureAnswer> {
    if (!this.#isReady || !this.#panel.visible) throw new ExplorerError('figureNotDrawn');
    // A page has the clipboard while it has the keyboard.
    if (request.kind === 'copy') this.reveal(false);
    const answered = new Promise<FigureAnswer>((resolve, reject) => {
      this.#takeFigure = resolve;
      setTimeout(() => reject(new ExplorerError('figureNotDrawn')), figureMilliseconds);
    });
    this.#post('figure', request);
    const answer = await answered;
    if (answer.kind === 'failed') throw new ExplorerError('figureNotDrawn');
    return answer;
  }

  /** How the person has arranged the page; undefined where no page answers. */
  arrangement(): Promise<PanelIntents['arrangement'] | undefined> {
    if (!this.#isReady || !this.#panel.visible) return Promise.resolve(undefined);
    const told = new Promise<PanelIntents['arrangement'] | undefined>((resolve) => {
      this.#takeArrangement = resolve;
      setTimeout(() => resolve(undefined), arrangementMilliseconds);
    });
    this.#post('arrangement', {});
    return told;
  }

  /** Arranges the page as one was that was kept, now or when it is there. */
  restore(arrangement: unknown): void {
    this.#whenReady(() => this.#post('restore', { arrangement }));
  }

  /** Closes the tab. */
  close(): void {
    this.#panel.dispose();
  }

  dispose(): void {
    clearTimeout(this.#moveTimer);
    clearTimeout(this.#showTimer);
    this.#store.dispose();
    this.#isReady = false;
    this.#forgetIntervened();
    this.#forgetHover();
  }

  #connect(): void {
    const { store, log, act, goOn, reveal } = this.#deps;
    const channel = new WebviewChannel(this.#panel.webview);
    this.#channel = channel;
    const run = () => store.run?.info;
    const connection = openConnection<PanelApi, object, PanelEvents, PanelIntents>(
      channel,
      [],
      {
        ...formedRequests(() => this.#held(), run),
        measureRandom: async (params, signal) => this.#held().measureRandom(checkRandomParams(params, run()), signal),
        how: async (params, signal) => this.#held().how(checkHowParams(params, run()).cell, signal),
        predict: async (params, signal) =>
          this.#held().predictions.predict(checkPredictParams(params, run()).mask, signal),
        effect: async (params, signal) => this.#held().effect(checkEffectParams(params, run()), signal),
        intervene: async (params, signal) => this.#held().intervene(checkIntervenedParams(params, run()), signal),
        headEffects: async (params, signal) =>
          this.#held().headEffects(
            checkHeadEffectsParams(params, run()),
            (grown) => this.#post('effects', grown),
            signal,
          ),
        writes: async (params, signal) => this.#held().writes(checkWritesParams(params, run()), signal),
        compare: async (params, signal) => this.#held().compare(checkMethodReasonsParams(params, run()), signal),
        predictOther: async (params, signal) => {
          checkPredictOtherParams(params, run());
          const other = this.#held().comparedWith?.other;
          if (other === undefined) throw new ExplorerError('unknownRun');
          return other.predictions.predict(undefined, signal);
        },
        headTable: async (params, signal) => this.#held().headTable(checkHeadTableParams(params, run()), signal),
        profile: async (params) => (await this.#deps.profiles?.shown(checkProfileParams(params, run()))) ?? null,
        picture: async (params, signal) => {
          checkPictureParams(params, run());
          return this.#held().picture(signal);
        },
      },
      (what) =>
        this.#malformed.tell(() => log.warn(entry`The panel sent something that is not of the protocol: ${what}`)),
    );
    const on = (intent: keyof PanelIntents, handle: (value: unknown) => void): void => {
      connection.on(intent, (value) => {
        try {
          handle(value);
        } catch (error) {
          this.#malformed.tell(() =>
            log.warn(entry`The panel sent what cannot be: ${ExplorerError.from(error).message}`),
          );
        }
      });
    };
    on('ready', () => this.#pageIsReady());
    on('changeView', (value) => {
      const { view, sequence } = checkChangeView(value, run());
      this.#sequence = sequence;
      store.changeView(view);
    });
    on('hover', (value) => {
      const token = checkTokenOrNull(value, run());
      store.setHovered(token === null ? undefined : { token, origin: 'panel' });
    });
    on('reveal', (value) => reveal(checkTokenRef(value, run())));
    on('continueText', (value) => goOn(checkContinuation(value)));
    on('act', (value) => act(checkAct(value).action));
    on('compareWith', (value) => this.#deps.comparisons().want(checkCompareWith(value)));
    on('openExample', (value) => this.#deps.profiles?.open(checkExample(value, run())));
    on('figure', (value) => {
      const answer = checkFigure(value);
      this.#takeFigure?.(answer);
      this.#takeFigure = undefined;
    });
    on('arrangement', (value) => {
      const arrangement = checkArrangement(value);
      this.#takeArrangement?.(arrangement);
      this.#takeArrangement = undefined;
    });
    on('painted', (value) => {
      this.lastPaint = checkPainted(value);
      const askedAt = store.run?.runId === this.lastPaint.runId ? store.run.askedAt : undefined;
      log[store.run?.isLive === true ? 'debug' : 'info'](
        entry`First paint of the panel ${this.lastPaint.milliseconds.toFixed(0)} ms after the run had arrived${askedAt === undefined ? '' : `, ${(performance.now() - askedAt).toFixed(0)} ms after the command`}.`,
      );
      if (store.caret !== undefined) this.#postHover();
    });
    this.#connection.value = connection;
  }

  #held() {
    const held = this.#deps.store.run?.held;
    if (held === undefined) throw new ExplorerError('unknownRun');
    return held;
  }

  /** Nobody would see any longer that what the editor shows is of another run: a page that wants it asks for it. */
  #forgetIntervened(): void {
    void this.#deps.store.run?.held.intervene({ interventions: [] });
  }

  /** A page has loaded, perhaps after another: what that one asked is not answered to this one, which counts from one again. */
  #pageIsReady(): void {
    clearTimeout(this.#showTimer);
    const isAhead = this.#isAhead;
    this.#isAhead = false;
    if (this.#isReady) this.#connect();
    else
      this.#deps.log.info(
        entry`The panel's page listens ${(performance.now() - this.#openedAt).toFixed(0)} ms after it was opened.`,
      );
    this.#isReady = true;
    this.#sequence = 0;
    this.#forgetIntervened();
    if (!isAhead) return this.#postAll();
    this.#postWaiting();
    // It has all that there is, unless it is another page than the one that was opened.
    this.#showTimer = setTimeout(
      () => this.lastPaint?.runId !== this.#shownRunId && this.#postAll(),
      reshowMilliseconds,
    );
  }

  /** Opens one of the page's views, now or when the page is there. */
  showView(view: PanelEvents['show']['view'], does?: PanelDeed): void {
    this.#whenReady(() => this.#post('show', { view, ...(does === undefined ? {} : { does }) }));
  }

  /** Arranges the page anew, now or when it is there. */
  arrange(arrangement: PanelArrangement): void {
    this.#whenReady(() => this.#post('arrange', arrangement));
  }

  #whenReady(post: () => void): void {
    this.#postWhenReady = undefined;
    if (this.#isReady && this.#panel.visible) post();
    else this.#postWhenReady = post;
  }

  #postWaiting(): void {
    this.#postWhenReady?.();
    this.#postWhenReady = undefined;
  }

  #postAll(): void {
    const { store } = this.#deps;
    this.#postAppearance();
    this.#post('status', store.status);
    this.#postRun();
    this.#postView();
    this.#post('live', panelLive(store.live));
    this.#post('comparison', this.#deps.comparisons().shown);
    this.#postHover();
    this.#postWaiting();
  }

  #postHover(): void {
    const { hovered, caret, run } = this.#deps.store;
    // A fresh run is drawn first, and then what is looked at in it.
    const look = run?.isLive === true || this.lastPaint?.runId === run?.runId ? caret : undefined;
    this.#post('hover', (hovered?.origin === 'editor' ? hovered.token : look) ?? null);
  }

  /** Events of this kind can come late, after the new page has said that it listens, so nothing is concluded from them alone. */
  #viewStateChanged(): void {
    const { visible } = this.#panel;
    if (visible === this.#wasVisible) return;
    this.#wasVisible = visible;
    clearTimeout(this.#showTimer);
    this.#isAhead = false;
    if (!visible) this.#forgetHover();
    else if (this.#isReady) this.#showTimer = setTimeout(() => this.#postAll(), reshowMilliseconds);
  }

  #forgetHover(): void {
    const { store } = this.#deps;
    if (store.hovered?.origin === 'panel') store.setHovered(undefined);
  }

  #post<K extends keyof PanelEvents>(event: K, value: PanelEvents[K]): void {
    this.#inTurn(() => {
      if ((this.#isReady || this.#isAhead) && this.#panel.visible) this.#connection.value?.fire(event, value);
    });
  }

  #inTurn(post: () => void): void {
    if (this.#heldPosts === undefined) post();
    else this.#heldPosts.push(post);
  }

  /** Holds back what is posted until the first pattern of a run is here, which is a matter of milliseconds. */
  #holdFor(pending: Promise<unknown>): void {
    if (this.#heldPosts !== undefined) return;
    const held: (() => void)[] = (this.#heldPosts = []);
    void pending.then(() => {
      this.#heldPosts = undefined;
      for (const post of held) post();
    });
  }

  #runChanged(): void {
    const { run } = this.#deps.store;
    nameTab(this.#panel, panelTitle(run));
    clearTimeout(this.#moveTimer);
    if (run?.runId !== this.#shownRunId) {
      if (run !== undefined && this.#panel.visible) this.#first.fetch(run, this.#deps.store.view);
      this.#isAhead ||= run !== undefined && !this.#isReady && this.#panel.visible;
      if (this.#isAhead) this.#postAll();
      else this.#postRun();
    } else this.#moveTimer = setTimeout(() => this.#postRun(), moveMilliseconds);
  }

  #runGrew({ runId, info: { components } }: ShownRun): void {
    if (runId === this.#shownRunId) this.#post('grown', { runId, components });
  }

  #postRun(): void {
    const { run } = this.#deps.store;
    const uri = run?.text.uri.toString();
    // In live mode the looks are those of the run before, of the same document.
    if (run?.runId !== this.#shownRunId && !(run?.isLive === true && uri === this.#shownUri)) this.#postAppearance();
    this.#shownUri = uri;
    this.#shownRunId = run?.runId;
    if ((this.#isReady || this.#isAhead) && this.#first.pending !== undefined) this.#holdFor(this.#first.pending);
    this.#inTurn(() => {
      const first = run && this.#first.take(run.runId);
      if (first !== undefined) this.#post('first', first);
    });
    this.#post('run', run === undefined ? null : panelRun(run));
    this.#postPersisted();
  }

  #postView(): void {
    this.#post('view', { view: this.#deps.store.view, sequence: this.#sequence });
    this.#postPersisted();
  }

  #postAppearance(): void {
    this.#post('appearance', panelAppearance(this.#deps.store.run));
  }

  #postPersisted(): void {
    const {
      memory,
      store: { run, view },
    } = this.#deps;
    if (run === undefined) return;
    memory.remember(persistedPanel(run, view));
    this.#post('persist', memory.kept);
  }
}
