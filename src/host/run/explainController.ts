import type * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { ExplorerError, isCancelled } from '../../base/errors';
import { Emitter } from '../../base/event';
import { entry, failureEntry } from '../../base/logText';
import type { PlainText } from '../../base/safeText';
import { normalizeSelection, type HeadSelection } from '../../model/head';
import type { Notice } from '../../model/modelInfo';
import type { TokenRef } from '../../model/token';
import type { Scale, ViewState } from '../../model/viewState';
import type { PanelStatus } from '../../protocol';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import type { HeldRun } from '../engine/heldRun';
import type { HostFiles } from '../engine/hostFiles';
import type { FirstHeads } from '../model/firstHeads';
import type { ImageModels } from '../model/imageModels';
import { errorSentence, noticeLines, noticeSentence, panelError } from '../localize';
import { ignoredSettings } from '../model/ignoredSettings';
import { locateModel, type ModelPlaces } from '../model/modelLocation';
import { isSet, readSettings } from '../readSettings';
import type { ViewStore } from '../view/viewStore';
import { visibleEditor } from '../editor/visibleEditor';
import { caretPlace } from './caretPlace';
import { readingHabits, windowAroundCaret, type ReadingHabits } from './caretWindow';
import { readSource, type ExplainSource, type SourceText } from './explainSource';
import { firstLook } from './firstLook';
import { scaleNotices } from './notices';
import type { PictureSource } from './pictureSource';
import { reportFailure } from './reportFailure';
import { runPicture } from './runPicture';
import { ShownRun } from './shownRun';
import { showProgress } from './showProgress';
import { TrackedPicture } from './trackedPicture';
import type { TextRange } from './textRange';
import { cellNumber } from './textName';
import { TrackedText } from './trackedText';
import type { Log } from '../say/log';
import { said } from '../say/said';

/** What the controller needs of the window. */
export interface ExplainDependencies {
  readonly store: ViewStore;
  readonly supervisor: EngineSupervisor;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
  readonly imageModels: ImageModels;
  readonly firstHeads: FirstHeads;
  readonly log: Log;
  /** Opens the panel where it is not open, without taking the focus. */
  readonly showPanel: () => void;
  readonly isPanelVisible: () => boolean;
}

/** Says what is to be explained; it may have to open a document first. */
export type SourceFinder = () => ExplainSource | PictureSource | Promise<ExplainSource | PictureSource>;

/** One explanation under way. */
interface Attempt {
  readonly controller: AbortController;
  /** What was shown before, to go back to when the person cancels. */
  readonly statusBefore: PanelStatus;
  /** What ended it, where that was not the person. */
  failure: ExplorerError | undefined;
}

/** Runs explanations for the window: the newest wins, and every end is a status that the panel shows. */
export class ExplainController implements Disposable {
  readonly #deps: ExplainDependencies;
  readonly #store = new DisposableStore();
  #attempt: Attempt | undefined;
  /** What «Run Again» explains. */
  #last: SourceFinder | undefined;
  /** How models read that read less than was asked of them, by their specifications. */
  readonly #habits = new Map<string, ReadingHabits>();
  readonly #willExplainEmitter = this.#store.add(new Emitter<undefined>());
  /** Something was asked for. */
  readonly onWillExplain = this.#willExplainEmitter.event;

  constructor(deps: ExplainDependencies) {
    this.#deps = deps;
    const { supervisor, store } = deps;
    this.#store.add(
      supervisor.onDidProgress((progress) => {
        if (this.#attempt !== undefined) store.setStatus({ kind: 'busy', ...progress });
      }),
    );
    this.#store.add(
      supervisor.onDidChangeState((state) => {
        // During a run its own failure says it.
        if (state.kind === 'stopped' && this.#attempt === undefined) store.setStatus({ kind: 'engineStopped', error: panelError(new ExplorerError('engineStopped', [state.reason])) });
      }),
    );
  }

  get isBusy(): boolean {
    return this.#attempt !== undefined;
  }

  /** Whether there is something to run again. */
  get canRerun(): boolean {
    return this.#last !== undefined;
  }

  /** Explains what `find` finds. Never throws: what fails is shown. Resolves to the run, or undefined where there is none. */
  async explain(find: SourceFinder, view?: () => ViewState): Promise<ShownRun | undefined> {
    const { store, log, showPanel, firstHeads } = this.#deps;
    this.#willExplainEmitter.fire(undefined);
    const former = this.#attempt;
    const attempt: Attempt = { controller: new AbortController(), statusBefore: former?.statusBefore ?? store.status, failure: undefined };
    this.#attempt = attempt;
    former?.controller.abort();
    const started = performance.now();
    // What is looked at is settled before the panel opens beside it.
    const finding = (async () => find())();
    store.setStatus({ kind: 'busy', stage: 'startEngine' });
    showPanel();
    const loading = firstHeads.load();
    try {
      const source = await finding;
      this.#last = () => source;
      const run = await ('picture' in source ? this.#runPicture(source, attempt) : this.#run(source, attempt));
      await loading;
      if (attempt !== this.#attempt) {
        run.dispose();
        return undefined;
      }
      this.#attempt = undefined;
      run.askedAt = started;
      this.show(run, source, view === undefined ? { caret: ({ component }) => firstLook(run, component) } : { view: view() });
      log.info(entry`Explained ${run.source.tokens.length} tokens in ${(performance.now() - started).toFixed(0)} ms, from the command to the result.`);
      return run;
    } catch (error) {
      if (attempt === this.#attempt) {
        this.#attempt = undefined;
        const failure = attempt.failure ?? ExplorerError.from(error);
        // Whoever closes what a reload would have brought back, wants nothing.
        const isUnwanted = view !== undefined && failure.code === 'documentClosed';
        this.#fail(isUnwanted ? new ExplorerError('cancelled') : failure, attempt.statusBefore);
      }
      return undefined;
    }
  }

  /** Finds what «Run Again» explains; undefined where there is nothing. */
  get lastSource(): SourceFinder | undefined {
    return this.#last;
  }

  /** Explains the same again, as the text stands now. */
  async rerun(): Promise<ShownRun | undefined> {
    return this.#last && this.explain(this.#last);
  }

  /** Cancels the explanation under way. */
  cancel(): void {
    this.#attempt?.controller.abort();
  }

  /** Says what «Run Again» explains, without running it. */
  offer(find: SourceFinder): void {
    this.#last = find;
  }

  /** Says that what is shown no longer holds, where something is shown. */
  markStale(reason: PlainText): void {
    const { store } = this.#deps;
    if (store.run !== undefined && this.#attempt === undefined && store.status.kind !== 'engineStopped' && !this.#isFollowed(store.run)) store.setStatus({ kind: 'stale', reason });
  }

  /** Says that the text was edited, where it was: live mode has ended, which would have followed. */
  markIfEdited(): void {
    const { run } = this.#deps.store;
    if (run?.text.isEdited === true) this.markStale(editedReason(run));
  }

  dispose(): void {
    this.#attempt?.controller.abort();
    this.#attempt = undefined;
    this.#store.dispose();
  }

  async #run(source: ExplainSource, attempt: Attempt): Promise<ShownRun> {
    const { files, places, supervisor, store } = this.#deps;
    const { signal } = attempt.controller;
    const { document, target } = source;
    const settings = readSettings(document.uri);
    const model = locateModel(settings, places, document.uri);
    const ignored = await ignoredSettings();
    if (signal.aborted) throw new ExplorerError('cancelled');
    const habitsKey = JSON.stringify([model.spec, settings.tokenLimit]);
    const around = source.around ?? this.#partAround(source, this.#habits.get(habitsKey));
    const read = readSource({ ...source, around });
    const text = new TrackedText(document, read.start, read.text);
    const watching = text.onDidChange((change) => {
      if (change === 'edited' || change === 'closed') {
        attempt.failure = new ExplorerError(change === 'edited' ? 'documentChanged' : 'documentClosed');
        attempt.controller.abort();
      }
    });
    files.allowModel(model.uri, model.tokenizerUri);
    const progress = showProgress(store, () => attempt.controller.abort());
    let held: HeldRun | undefined;
    try {
      const params = { model: model.spec, text: read.text, tokenLimit: settings.tokenLimit, target };
      const { chat = 'no' } = source;
      let isWithoutTemplate = false;
      held = await supervisor.explain(chat === 'no' ? params : { ...params, isChatMessage: true }, signal).catch((error: unknown) => {
        // What was a chat message for one model is a text like any other for a model that has no chats.
        if (chat !== 'wherePossible' || !(error instanceof ExplorerError) || error.code !== 'chatTemplateNotFound') throw error;
        isWithoutTemplate = true;
        return supervisor.explain(params, signal);
      });
      const habits = around === undefined ? readingHabits(held.info, read.fullLength) : undefined;
      if (habits !== undefined) this.#habits.set(habitsKey, habits);
      const other = this.#partAround(source, habits);
      if (other !== undefined) {
        // What the model reads from the start does not have the caret in it.
        held.release();
        for (const each of [text, watching, progress]) each.dispose();
        return await this.#run({ ...source, around: other }, attempt);
      }
      const notices = [...(isWithoutTemplate ? [noticeSentence({ code: 'notAsChatMessage', args: [held.info.model.name] })] : []), ...(source.range === undefined && source.isSample !== true ? [noticeSentence(unselectedNotice(document, around))] : []), ...this.#notices(held, read, ignored, source.isSample)];
      const run = new ShownRun(held, text, source.range === undefined, notices, undefined, target);
      text.narrow(run.source.text.length);
      return run;
    } catch (error) {
      held?.release();
      const range = source.range && text.range;
      if (attempt === this.#attempt) this.#last = () => ({ ...again(source), range });
      text.dispose();
      throw error;
    } finally {
      watching.dispose();
      progress.dispose();
    }
  }

  /** The part of a document around the caret, where nothing is selected and the model does not read that far. */
  #partAround({ document, range, isSample, chat = 'no', around }: ExplainSource, habits: ReadingHabits | undefined): TextRange | undefined {
    const editor = range !== undefined || isSample === true || chat !== 'no' || around !== undefined || habits === undefined ? undefined : visibleEditor(document.uri);
    return editor && habits && windowAroundCaret(caretPlace(document, editor.selection.active), habits);
  }

  async #runPicture({ picture }: PictureSource, attempt: Attempt): Promise<ShownRun> {
    const ignored = await ignoredSettings();
    if (attempt.controller.signal.aborted) throw new ExplorerError('cancelled');
    const tracked = new TrackedPicture(picture);
    const progress = showProgress(this.#deps.store, () => attempt.controller.abort());
    try {
      const { held, model, notices } = await runPicture(picture, this.#deps, attempt.controller.signal);
      return new ShownRun(held, tracked, true, [...(ignored === undefined ? [] : [errorSentence(ignored)]), ...notices, ...noticeLines(held.info.notices)], model);
    } catch (error) {
      tracked.dispose();
      throw error;
    } finally {
      progress.dispose();
    }
  }

  #notices(held: HeldRun, read: SourceText, ignored: ExplorerError | undefined, isSample = false): PlainText[] {
    // A sample says them on purpose.
    const told = held.info.notices.filter(({ code }) => !isSample || code !== 'specialInText');
    return [
      ...(ignored === undefined ? [] : [errorSentence(ignored)]),
      ...noticeLines(scaleNotices(told, read.fullLength / read.text.length)),
    ];
  }

  /** Whether live mode will show what has become of a run's text. */
  #isFollowed(run: ShownRun): boolean {
    return run.isLive && this.#deps.store.live.kind !== 'off';
  }

  /** Shows a run in place of the one before. */
  show(run: ShownRun, source: ExplainSource | PictureSource, { view, caret }: { readonly view?: ViewState | undefined; /** The token that lights up at first, given the heads that are shown. */ readonly caret?: (selection: HeadSelection) => TokenRef | undefined } = {}): void {
    const { store, firstHeads } = this.#deps;
    const former = store.run;
    // Pins are places in a text: they stay where the text is the same.
    const isSameText = former !== undefined && former.info.streams.length === run.info.streams.length && former.info.streams.every(({ text }, stream) => text === run.info.streams[stream].text) && former.text.uri.toString() === run.text.uri.toString();
    const selection = firstHeads.next(former && { path: former.info.model.path, selection: store.view.selection }, run.info.model.path);
    const kept = view ?? { ...store.view, selection, ...(former?.isPicture === run.isPicture ? {} : { scale: firstScale(run) }), pinned: isSameText ? store.view.pinned : [] };
    store.setRun(run, kept, caret?.(normalizeSelection(kept.selection, run.info.components)));
    if (!('picture' in source)) this.#last = () => ({ ...again(source), document: run.text.document ?? source.document, range: run.isWholeDocument ? undefined : run.text.range, target: run.target });
    run.text.onDidChange((change) => {
      if (run !== store.run) return;
      if (change === 'edited') {
        // What live mode lights stands until it has something newer.
        if (this.#isFollowed(run)) return;
        store.setHovered(undefined);
        this.markStale(editedReason(run));
      } else if (change !== 'closed') {
        if (change === 'restored' && store.status.kind === 'stale' && run.held.isHeld) store.setStatus({ kind: 'ready' });
        store.runMoved();
      }
    });
    if (store.status.kind !== 'ready') store.setStatus({ kind: 'ready' });
  }

  #fail(error: ExplorerError, statusBefore: PanelStatus): void {
    const { store, log } = this.#deps;
    if (isCancelled(error)) {
      store.setStatus(this.#statusAfterCancel(statusBefore));
      return;
    }
    log.error(failureEntry(error));
    const shown = panelError(error);
    store.setStatus(error.code === 'engineStopped' ? { kind: 'engineStopped', error: shown } : { kind: 'failed', error: shown });
    reportFailure(shown, this.#deps.isPanelVisible());
  }

  #statusAfterCancel(before: PanelStatus): PanelStatus {
    const { run } = this.#deps.store;
    if (run === undefined) return before.kind === 'failed' ? before : { kind: 'empty' };
    // Ending a run ends its engine, and with it the attention that was shown before.
    if (!run.held.isHeld) return { kind: 'stale', reason: said('Cancelling ended the engine that held this attention.') };
    if (run.text.isEdited) return { kind: 'stale', reason: editedReason(run) };
    return before.kind === 'busy' || before.kind === 'empty' ? { kind: 'ready' } : before;
  }
}

/** What is said where nothing was selected. */
function unselectedNotice(document: vscode.TextDocument, around: TextRange | undefined): Notice {
  if (around === undefined) return { code: cellNumber(document.uri) === undefined ? 'wholeDocument' : 'wholeCell', args: [] };
  return { code: 'aroundCaret', args: [around.start, around.end].map((offset) => document.positionAt(offset).line + 1) };
}

/** What is asked for when a text is run again, maybe with another model. */
function again(source: ExplainSource): ExplainSource {
  const { around, ...anew } = source;
  return anew.chat === 'yes' ? { ...anew, chat: 'wherePossible' } : anew;
}

function editedReason(run: ShownRun): PlainText {
  return run.isPicture ? said('The picture was changed.') : said('The text was edited.');
}

/** The scale that a run begins with. Weights over a picture's many patches are small by themselves: unless the settings say otherwise, they are shown by row. */
function firstScale(run: ShownRun): Scale {
  return run.isPicture && !isSet('scale', run.text.uri) ? 'row' : readSettings(run.text.uri).scale;
}
