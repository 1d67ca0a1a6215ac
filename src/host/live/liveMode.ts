import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { ExplorerError, isCancelled, type ErrorCode } from '../../base/errors';
import { entry, failureEntry } from '../../base/logText';
import type { PlainText } from '../../base/safeText';
import { budgetOf, initialUnitsPerToken } from '../../model/contextWindow';
import type { TokenRef } from '../../model/token';
import type { ViewState } from '../../model/viewState';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import type { HeldRun } from '../engine/heldRun';
import type { HostFiles } from '../engine/hostFiles';
import { errorSentence, noticeLines, panelError } from '../localize';
import type { FirstHeads } from '../model/firstHeads';
import { ignoredSettings } from '../model/ignoredSettings';
import { locateModel, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { readSettings } from '../readSettings';
import { documentName } from '../run/documentName';
import type { ExplainController } from '../run/explainController';
import { caretPlace } from '../run/caretPlace';
import { showProgress } from '../run/showProgress';
import { ShownRun } from '../run/shownRun';
import { checkText } from '../run/textGuards';
import type { TextRange } from '../run/textRange';
import { TrackedText } from '../run/trackedText';
import type { ViewStore } from '../view/viewStore';
import { chooseWindow, commonTokens, moveWindow, tokenBefore } from './liveWindow';
import type { Log } from '../say/log';
import { showInStatusBar } from '../say/notifications';
import { said } from '../say/said';

/** What live mode needs of the window. */
export interface LiveDependencies {
  readonly store: ViewStore;
  readonly supervisor: EngineSupervisor;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
  readonly controller: ExplainController;
  readonly firstHeads: FirstHeads;
  readonly log: Log;
  readonly showPanel: () => void;
  readonly onDidChangeSettings: (listener: () => void) => Disposable;
}

/** What is wrong with the model and not with the text: the next edit changes nothing. */
const lasting = new Set<ErrorCode>([
  'liveWrites',
  'untrustedModel',
  'fileOutside',
  'modelReadsImages',
  'modelNotFound',
  'modelAmbiguous',
  'modelNotOnnx',
  'modelNoAttention',
  'modelUnsupported',
  'modelTooLarge',
  'tokenizerNotFound',
  'tokenizerInvalid',
  'tokenizerUnsupported',
  'inputNotMade',
]);
/** After so many failures in a row live mode rests. */
const mostFailures = 3;
/** A text whose tokens never fit is shown as far as they do. */
const mostRefits = 5;
/** The first picture may have to wait for a model: from then on this is shown. */
const patienceMilliseconds = 300;
/** Editors that show no document. */
const foreign = new Set(['output', 'debug', 'comment', 'attention-explorer-report']);

/** What is known of a model from its runs. */
interface KnownModel {
  readonly key: string;
  isCausal: boolean;
  unitsPerToken: number;
  contextLength: number;
  hasRun: boolean;
}

/** What one run of live mode reads: a window around the caret, as it was when the run was asked for. */
interface LiveTurn {
  readonly editor: vscode.TextEditor;
  readonly location: ModelLocation;
  readonly known: KnownModel;
  /** The most tokens that are read. */
  readonly limit: number;
  /** Of the document. */
  readonly range: TextRange;
  readonly text: string;
  /** Edits of the document until then. */
  readonly edits: number;
}

/**
 * Explains the text around the caret anew as it is typed or the caret moves: some time after the last of it, one run at a time,
 * and the newest after that. A run is never ended; what is no longer wanted of it is dropped. What stands is shown until the
 * next is there.
 */
export class LiveMode implements Disposable {
  readonly #deps: LiveDependencies;
  readonly #store = new DisposableStore();
  /** What is listened to while it is on. */
  #active: DisposableStore | undefined;
  #timer: number | undefined;
  #isRunning = false;
  /** Whether something came while a run was under way. */
  #isWaiting = false;
  #failures = 0;
  #window: { readonly uri: string; range: TextRange } | undefined;
  #model: KnownModel | undefined;
  /** Counts the edits of the document in question. */
  #edits = 0;
  #delay = 0;
  /** How often the window was made smaller in a row, as the text had more tokens than expected. */
  #refits = 0;
  #abort = new AbortController();

  constructor(deps: LiveDependencies) {
    this.#deps = deps;
    this.#store.add(
      deps.controller.onWillExplain(() => this.#end(said('Live mode has ended: what you asked for is shown.'))),
    );
  }

  get isOn(): boolean {
    return this.#active !== undefined;
  }

  /** Turns it on or off. */
  toggle(): void {
    if (this.isOn) this.#end();
    else this.#begin();
  }

  /** Starts over after a change of model, settings or engine. */
  refresh(): void {
    if (!this.isOn) return;
    this.#failures = 0;
    this.#window = undefined;
    this.#model = undefined;
    this.#deps.store.setLive({ kind: 'on' });
    this.#schedule(0);
  }

  /** Ends the first run, which may be loading a model, and live mode with it. */
  cancel(): void {
    if (this.isOn && this.#deps.store.status.kind === 'busy') this.#end();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#active?.dispose();
    this.#active = undefined;
    this.#store.dispose();
  }

  #begin(): void {
    const { store, showPanel, supervisor, onDidChangeSettings } = this.#deps;
    const active = (this.#active = new DisposableStore());
    this.#abort = new AbortController();
    this.#failures = 0;
    this.#window = undefined;
    this.#model = undefined;
    this.#delay = readSettings().liveDelay;
    active.add(
      vscode.window.onDidChangeTextEditorSelection(
        ({ textEditor }) => textEditor === vscode.window.activeTextEditor && this.#schedule(),
      ),
    );
    active.add(vscode.window.onDidChangeActiveTextEditor((editor) => editor !== undefined && this.#schedule()));
    active.add(vscode.workspace.onDidChangeTextDocument((event) => this.#edited(event)));
    active.add(onDidChangeSettings(() => this.refresh()));
    active.add(vscode.workspace.onDidChangeConfiguration(() => (this.#delay = readSettings().liveDelay)));
    active.add(supervisor.onDidChangeState(({ kind }) => kind === 'stopped' && this.#modelGone()));
    store.setLive({ kind: 'on' });
    supervisor.setBackground(true);
    showPanel();
    this.#schedule(0);
  }

  #end(message?: PlainText): void {
    if (!this.isOn) return;
    const { store, controller, supervisor } = this.#deps;
    clearTimeout(this.#timer);
    this.#active?.dispose();
    this.#active = undefined;
    this.#isWaiting = false;
    if (store.status.kind === 'busy' && message === undefined) {
      this.#abort.abort();
      store.setStatus(store.run === undefined ? { kind: 'empty' } : { kind: 'ready' });
    }
    supervisor.setBackground(false);
    store.setCaret(undefined);
    store.setLive({ kind: 'off' });
    if (message !== undefined) showInStatusBar(message, 5000);
    else controller.markIfEdited();
  }

  /** A new engine has to load the model again. */
  #modelGone(): void {
    if (this.#model !== undefined) this.#model.hasRun = false;
  }

  // What happens at every key is cheap: a comparison, and a timer.

  #edited({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    if (contentChanges.length === 0) return;
    const isOurs = document.uri.toString() === this.#window?.uri;
    if (this.#window !== undefined && isOurs) {
      this.#edits++;
      this.#window.range = moveWindow(this.#window.range, contentChanges);
    }
    if (isOurs || document === vscode.window.activeTextEditor?.document) this.#schedule();
  }

  #schedule(milliseconds?: number): void {
    if (!this.isOn) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tick(), milliseconds ?? this.#delay);
  }

  async #tick(): Promise<void> {
    if (!this.isOn || this.#deps.store.live.kind === 'off') return;
    if (this.#isRunning) {
      this.#isWaiting = true;
      return;
    }
    this.#isRunning = true;
    try {
      await this.#explain();
    } catch (error) {
      this.#failed(ExplorerError.from(error));
    } finally {
      this.#isRunning = false;
      if (this.#isWaiting) {
        this.#isWaiting = false;
        this.#schedule(0);
      }
    }
  }

  async #explain(): Promise<void> {
    const { store, supervisor, files, log } = this.#deps;
    const turn = this.#nextTurn();
    if (turn === undefined) return;
    const { editor, location, known, text, limit } = turn;
    const shown = this.#shownOf(turn);
    if (shown !== undefined) {
      store.setCaret(this.#caretOf(shown, editor));
      return;
    }
    checkText(text, documentName(editor.document.uri));
    const started = performance.now();
    const held = await this.#run(known, () => {
      files.allowModel(location.uri, location.tokenizerUri);
      return supervisor.explainInTurn(
        { model: location.spec, text, tokenLimit: limit, isLive: true },
        this.#abort.signal,
      );
    });
    if (!this.#isWanted(turn)) {
      held.release();
      return;
    }
    this.#failures = 0;
    if (store.live.kind !== 'on' || store.live.sentence !== undefined) store.setLive({ kind: 'on' });
    if (!this.#learn(turn, held)) {
      held.release();
      this.#schedule(0);
      return;
    }
    await this.#show(turn, held);
    log.debug(
      entry`Live: ${held.info.streams[0].tokens.length} tokens, ${held.info.numReused ?? 0} as they were, in ${(performance.now() - started).toFixed(0)} ms.`,
    );
  }

  /** What is to be read now; undefined where there is nothing, or what is there is not to be touched. */
  #nextTurn(): LiveTurn | undefined {
    const { store, places } = this.#deps;
    const editor = this.#editor();
    // Something selected is about to be copied, replaced or explained by itself: what is shown stays.
    if (editor === undefined || !editor.selection.isEmpty || foreign.has(editor.document.uri.scheme)) return undefined;
    const { document } = editor;
    const settings = readSettings(document.uri);
    const location = locateModel(settings, places, document.uri);
    const known = this.#knownModel(location);
    if (store.live.kind === 'paused' && document.uri.toString() === this.#window?.uri) return undefined;
    const limit = Math.min(
      settings.liveTokens,
      ...[settings.tokenLimit, known.contextLength].map((most) => (most > 0 ? most : Infinity)),
    );
    const range = this.#chooseWindow(editor, known, limit);
    const text = textOf(document, range);
    return text.trim() === '' ? undefined : { editor, location, known, limit, range, text, edits: this.#edits };
  }

  /** The run that is shown, where it is of just this. */
  #shownOf({ editor: { document }, known, range, text }: LiveTurn): ShownRun | undefined {
    const shown = this.#deps.store.run;
    const isOfThis =
      shown?.isLive === true &&
      shown.held.isHeld &&
      shown.text.uri.toString() === document.uri.toString() &&
      !shown.text.isEdited &&
      shown.text.range.start === range.start &&
      shown.source.text === text &&
      known.hasRun;
    return isOfThis ? shown : undefined;
  }

  /** Whether what was asked for is still what is to be shown. */
  #isWanted({ editor: { document }, known, edits }: LiveTurn): boolean {
    return (
      this.isOn &&
      edits === this.#edits &&
      this.#model === known &&
      document.uri.toString() === this.#window?.uri &&
      !document.isClosed
    );
  }

  /** The editor that has the caret; while the panel has the focus, the one that is explained or else one beside it. */
  #editor(): vscode.TextEditor | undefined {
    const { activeTextEditor, visibleTextEditors } = vscode.window;
    if (activeTextEditor !== undefined) return activeTextEditor;
    const uri = this.#window?.uri ?? this.#deps.store.run?.text.uri.toString();
    // Editors without a column are those of other panels, such as the log.
    const editors = visibleTextEditors.filter(({ viewColumn }) => viewColumn !== undefined);
    return editors.find(({ document }) => document.uri.toString() === uri) ?? editors[0];
  }

  /** Runs; where a model may have to be loaded, that is shown after a while and can be ended. */
  async #run(known: KnownModel, run: () => Promise<HeldRun>): Promise<HeldRun> {
    if (known.hasRun) return run();
    const { store, supervisor } = this.#deps;
    const before = store.status;
    const busy = new DisposableStore();
    const timer = setTimeout(() => {
      store.setStatus({ kind: 'busy', stage: 'startEngine' });
      busy.add(supervisor.onDidProgress((progress) => store.setStatus({ kind: 'busy', ...progress })));
      busy.add(showProgress(store, () => this.#end()));
    }, patienceMilliseconds);
    try {
      const held = await run();
      known.hasRun = true;
      return held;
    } finally {
      clearTimeout(timer);
      busy.dispose();
      if (this.isOn && store.status.kind === 'busy')
        store.setStatus(before.kind === 'busy' ? { kind: store.run === undefined ? 'empty' : 'ready' } : before);
    }
  }

  #knownModel({ spec }: ModelLocation): KnownModel {
    const key = JSON.stringify(spec);
    if (this.#model?.key !== key)
      this.#model = { key, isCausal: true, unitsPerToken: initialUnitsPerToken, contextLength: 0, hasRun: false };
    return this.#model;
  }

  #chooseWindow({ document, selection }: vscode.TextEditor, known: KnownModel, limit: number): TextRange {
    const uri = document.uri.toString();
    const request = {
      ...caretPlace(document, selection.active),
      budget: budgetOf(limit, known.unitsPerToken),
      isCausal: known.isCausal,
    };
    const former = this.#window?.uri === uri ? this.#window.range : undefined;
    const kept = chooseWindow({ ...request, former });
    // Where all of the window was deleted, what stands before it is there to be read.
    const isLeftBlank = former !== undefined && textOf(document, kept).trim() === '';
    const range = isLeftBlank ? chooseWindow({ ...request, former: undefined }) : kept;
    if (this.#window?.uri !== uri) this.#resume();
    this.#window = { uri, range };
    return range;
  }

  /** Another document is a new attempt. */
  #resume(): void {
    this.#failures = 0;
    if (this.#deps.store.live.kind === 'paused') this.#deps.store.setLive({ kind: 'on' });
  }

  /** Notes what a run tells of its model; false where the window has to be another one. */
  #learn({ editor: { document, selection }, known, range, text }: LiveTurn, { info }: HeldRun): boolean {
    const caret = document.offsetAt(selection.active) - range.start;
    const [stream] = info.streams;
    // One token by itself shows no order.
    const isCausal =
      stream.tokens.length < 2 ? known.isCausal : info.components.every((component) => component.isCausal);
    known.contextLength = info.model.contextLength ?? 0;
    const written = stream.tokens.filter(({ start, end }) => end > start).length;
    const isCut = stream.text.length < text.length;
    if (written > 0)
      known.unitsPerToken = isCut
        ? Math.min(0.8 * known.unitsPerToken, stream.text.length / written)
        : written > 16
          ? 0.7 * known.unitsPerToken + 0.3 * (stream.text.length / written)
          : known.unitsPerToken;
    const wasCausal = known.isCausal;
    known.isCausal = isCausal;
    if (isCut && stream.text.length < caret && this.#refits < mostRefits) {
      this.#refits++;
      this.#window = undefined;
      return false;
    }
    this.#refits = 0;
    if (wasCausal && !isCausal && range.end < document.offsetAt(document.lineAt(document.lineCount - 1).range.end)) {
      // It reads on both sides: what stands after the caret belongs to the picture.
      this.#window = undefined;
      return false;
    }
    return true;
  }

  async #show({ editor, range, text }: LiveTurn, held: HeldRun): Promise<void> {
    const { document } = editor;
    const { store, controller } = this.#deps;
    const former = store.run;
    const ignored = former?.isLive === true ? undefined : await ignoredSettings();
    await this.#deps.firstHeads.load();
    if (!this.isOn) return held.release();
    const notices = [
      ...(ignored === undefined ? [] : [errorSentence(ignored)]),
      ...noticeLines(held.info.notices.filter(({ code }) => !code.startsWith('cutTo'))),
    ];
    const tracked = new TrackedText(document, range.start, text);
    const run = new ShownRun(held, tracked, {
      isWholeDocument: false,
      notices: notices.map((sentence) => ({ sentence })),
      isLive: true,
    });
    tracked.narrow(run.source);
    controller.show(
      run,
      { document, range: tracked.range, mode: 'alone' },
      { view: this.#viewFor(run, former), caret: () => this.#caretOf(run, editor) },
    );
  }

  /** Pinned tokens stay where nothing before them has changed. */
  #viewFor(run: ShownRun, former: ShownRun | undefined): ViewState | undefined {
    const { view } = this.#deps.store;
    if (former?.isLive !== true || former.info.model.path !== run.info.model.path) return undefined;
    const numSame =
      former.text.uri.toString() === run.text.uri.toString() ? commonTokens(former.source, run.source) : 0;
    const kept = ({ position }: TokenRef): boolean => position < numSame;
    return { ...view, pinned: view.pinned.filter(kept), marked: view.marked.filter(kept) };
  }

  #caretOf(run: ShownRun, { document, selection }: vscode.TextEditor): TokenRef {
    return {
      stream: run.sourceIndex,
      position: tokenBefore(run.source, document.offsetAt(selection.active) - run.text.range.start),
    };
  }

  #failed(error: ExplorerError): void {
    const { store, log } = this.#deps;
    // A text of spaces only has no tokens to look at.
    if (!this.isOn || isCancelled(error) || error.code === 'noTokens' || error.code === 'emptyText') return;
    log.warn(failureEntry(error, 'Live: '));
    this.#failures++;
    const isPaused = this.#failures >= mostFailures || lasting.has(error.code);
    store.setLive({ kind: isPaused ? 'paused' : 'on', sentence: errorSentence(error) });
    if (store.run === undefined && error.code !== 'engineStopped')
      store.setStatus({ kind: 'failed', error: panelError(error) });
  }
}

function textOf(document: vscode.TextDocument, { start, end }: TextRange): string {
  return document.getText(new vscode.Range(document.positionAt(start), document.positionAt(end)));
}
