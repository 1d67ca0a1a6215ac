import { DisposableStore, type Disposable } from '../../base/disposable';
import { ExplorerError, isCancelled } from '../../base/errors';
import { Emitter } from '../../base/event';
import { entry, failureEntry } from '../../base/logText';
import type { PlainText } from '../../base/safeText';
import { normalizeSelection, type HeadSelection } from '../../model/head';
import type { TokenRef } from '../../model/token';
import type { Scale, ViewState } from '../../model/viewState';
import type { PanelStatus } from '../../panelProtocol';
import type { FirstHeads } from '../model/firstHeads';
import { errorSentence, noticeLines, panelError } from '../localize';
import { ignoredSettings } from '../model/ignoredSettings';
import type { WhileAsking } from '../model/modelsOfKinds';
import { isSet, readSettings } from '../readSettings';
import type { ExplainSource } from './explainSource';
import { firstLook, firstPins } from './firstLook';
import type { PictureSource } from './pictureSource';
import { reportFailure } from './reportFailure';
import { askPictureText, runPicture, type PictureRun } from './runPicture';
import { ShownRun, type ShownRunFacts } from './shownRun';
import { showProgress } from './showProgress';
import { TrackedPicture } from './trackedPicture';
import type { Log } from '../say/log';
import { said } from '../say/said';
import { again, TextRuns, type RunAttempt, type TextDependencies } from './textRuns';

/** What the controller needs of the window. */
export interface ExplainDependencies extends TextDependencies {
  readonly firstHeads: FirstHeads;
  readonly log: Log;
  /** Opens the panel where it is not open, without taking the focus. */
  readonly showPanel: () => void;
  readonly isPanelVisible: () => boolean;
}

/** Says what is to be explained; it may have to open a document first. */
export type SourceFinder = () => ExplainSource | PictureSource | Promise<ExplainSource | PictureSource>;

/** One explanation under way. */
interface Attempt extends RunAttempt {
  /** What was shown before, to go back to when the person cancels. */
  readonly statusBefore: PanelStatus;
}

/** Runs explanations for the window: the newest wins, and every end is a status that the panel shows. */
export class ExplainController implements Disposable {
  readonly #deps: ExplainDependencies;
  readonly #store = new DisposableStore();
  #attempt: Attempt | undefined;
  /** What «Run Again» explains. */
  #last: SourceFinder | undefined;
  /** What was read with a picture last. */
  #pictureText = '';
  readonly #texts: TextRuns;
  readonly #willExplainEmitter = this.#store.add(new Emitter<undefined>());
  /** Something was asked for. */
  readonly onWillExplain = this.#willExplainEmitter.event;

  constructor(deps: ExplainDependencies) {
    this.#deps = deps;
    this.#texts = new TextRuns(deps);
    const { supervisor, store } = deps;
    this.#store.add(
      supervisor.onDidProgress((progress) => {
        if (this.#attempt !== undefined) store.setStatus({ kind: 'busy', ...progress });
      }),
    );
    this.#store.add(
      supervisor.onDidChangeState((state) => {
        // During a run its own failure says it.
        if (state.kind === 'stopped' && this.#attempt === undefined)
          store.setStatus({
            kind: 'engineStopped',
            error: panelError(new ExplorerError('engineStopped', [state.reason])),
          });
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
    const attempt: Attempt = {
      controller: new AbortController(),
      statusBefore: former?.statusBefore ?? store.status,
      failure: undefined,
      isCurrent: () => attempt === this.#attempt,
      show: () => {},
      offer: (next) => {
        if (attempt === this.#attempt) this.#last = next;
      },
    };
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
      attempt.show = (run) => {
        run.askedAt = started;
        this.show(
          run,
          source,
          view === undefined ? { caret: ({ component }) => firstLook(run, component) } : { view: view() },
        );
      };
      const run = await ('picture' in source ? this.#runPicture(source, attempt) : this.#texts.run(source, attempt));
      await loading;
      if (attempt !== this.#attempt) {
        if (run !== store.run) run.dispose();
        return undefined;
      }
      this.#attempt = undefined;
      if (run === store.run) {
        store.runMoved();
        store.setStatus({ kind: 'ready' });
      } else attempt.show(run);
      log.info(
        entry`Explained ${run.source.tokens.length} tokens in ${(performance.now() - started).toFixed(0)} ms, from the command to the result.`,
      );
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
    if (
      store.run !== undefined &&
      this.#attempt === undefined &&
      store.status.kind !== 'engineStopped' &&
      !this.#isFollowed(store.run)
    )
      store.setStatus({ kind: 'stale', reason });
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

  async #runPicture({ picture, isQuiet }: PictureSource, attempt: Attempt): Promise<ShownRun> {
    const ignored = await ignoredSettings();
    if (attempt.controller.signal.aborted) throw new ExplorerError('cancelled');
    const tracked = new TrackedPicture(picture);
    let shown: ShownRun | undefined;
    const showing = (): Disposable => showProgress(this.#deps.store, () => attempt.controller.abort());
    let progress = showing();
    /** While the person is asked, nothing is under way. */
    const whileAsking: WhileAsking = async (ask) => {
      const { store } = this.#deps;
      progress.dispose();
      store.setStatus(this.#statusAfterCancel(attempt.statusBefore));
      const answer = await ask();
      if (attempt === this.#attempt) {
        store.setStatus({ kind: 'busy', stage: 'readModel' });
        progress = showing();
      }
      return answer;
    };
    try {
      const askText = async (): Promise<string | undefined> => {
        if (isQuiet === true) return undefined;
        const text = await whileAsking(() => askPictureText(this.#pictureText));
        if (text !== undefined) this.#pictureText = text;
        return text;
      };
      const factsOf = ({ held, model, notices }: PictureRun): ShownRunFacts => ({
        isWholeDocument: true,
        notices: [
          ...(ignored === undefined ? [] : [errorSentence(ignored)]),
          ...notices,
          ...noticeLines(held.info.notices),
        ].map((sentence) => ({ sentence })),
        model,
      });
      const make = (run: PictureRun, of: TrackedPicture): ShownRun =>
        new ShownRun(run.held, of, factsOf(run), (grown) => this.#deps.store.runGrew(grown));
      const onGrowing = (run: PictureRun): void => {
        if (attempt !== this.#attempt || shown !== undefined) return run.held.release();
        shown = make(run, tracked);
        attempt.show(shown);
      };
      const { signal } = attempt.controller;
      const run = await runPicture(picture, this.#deps, signal, { whileAsking, askText, onGrowing });
      if (run.held !== shown?.held) return make(run, shown === undefined ? tracked : new TrackedPicture(picture));
      shown.complete(factsOf(run));
      return shown;
    } catch (error) {
      if (shown === undefined) tracked.dispose();
      throw error;
    } finally {
      progress.dispose();
    }
  }

  /** Whether live mode will show what has become of a run's text. */
  #isFollowed(run: ShownRun): boolean {
    return run.isLive && this.#deps.store.live.kind !== 'off';
  }

  /** Shows a run in place of the one before. */
  show(
    run: ShownRun,
    source: ExplainSource | PictureSource,
    {
      view,
      caret,
    }: {
      readonly view?: ViewState | undefined;
      /** The token that lights up at first, given the heads that are shown. */ readonly caret?: (
        selection: HeadSelection,
      ) => TokenRef | undefined;
    } = {},
  ): void {
    const { store, firstHeads } = this.#deps;
    const former = store.run;
    // Pins are places in a text: they stay where the text is the same, and what is selected in it.
    const isSameText =
      former !== undefined &&
      former.info.streams.length === run.info.streams.length &&
      former.info.streams.every(({ text }, stream) => text === run.info.streams[stream].text) &&
      former.text.uri.toString() === run.text.uri.toString() &&
      isSameFocus(former, run);
    const selection = firstHeads.next(
      former && { path: former.info.model.path, selection: store.view.selection },
      run.info.model.path,
    );
    const kept = view ?? {
      ...store.view,
      selection,
      ...(former?.isPicture === run.isPicture ? {} : { scale: firstScale(run) }),
      pinned: isSameText ? store.view.pinned : firstPins(run),
      marked: isSameText ? store.view.marked : [],
    };
    store.setRun(
      run,
      kept,
      run.focus !== undefined && kept.pinned.length > 0
        ? undefined
        : caret?.(normalizeSelection(kept.selection, run.info.components)),
    );
    if (!('picture' in source))
      this.#last = () => ({
        ...again(source),
        document: run.text.document ?? source.document,
        range: run.isWholeDocument ? undefined : run.text.selected,
        second: run.text.second,
        target: run.target,
        // What was written after the text then is not written again unasked.
        continuation: undefined,
      });
    run.text.onDidChange((change) => {
      if (run !== store.run) return;
      if (change === 'edited') {
        // What live mode lights stands until it has something newer.
        if (this.#isFollowed(run)) return;
        store.setHovered(undefined);
        this.markStale(editedReason(run));
      } else if (change !== 'closed') {
        if (change === 'restored' && store.status.kind === 'stale' && run.held.isHeld)
          store.setStatus({ kind: 'ready' });
        store.runMoved();
      }
    });
    if (!run.held.isGrowing && store.status.kind !== 'ready') store.setStatus({ kind: 'ready' });
  }

  #fail(error: ExplorerError, statusBefore: PanelStatus): void {
    const { store, log } = this.#deps;
    if (isCancelled(error)) {
      store.setStatus(this.#statusAfterCancel(statusBefore));
      return;
    }
    log.error(failureEntry(error));
    const shown = panelError(error);
    store.setStatus(
      error.code === 'engineStopped' ? { kind: 'engineStopped', error: shown } : { kind: 'failed', error: shown },
    );
    reportFailure(shown, this.#deps.isPanelVisible());
  }

  #statusAfterCancel(before: PanelStatus): PanelStatus {
    const { run } = this.#deps.store;
    if (run === undefined) return before.kind === 'failed' ? before : { kind: 'empty' };
    // Ending a run ends its engine, and with it the attention that was shown before.
    if (!run.held.isHeld)
      return { kind: 'stale', reason: said('Cancelling ended the engine that held this attention.') };
    if (run.text.isEdited) return { kind: 'stale', reason: editedReason(run) };
    const { done, of } = run.numLayers;
    if (done < of) return { kind: 'stale', reason: said('Cancelled: {0} of {1} layers were read.', done, of) };
    return before.kind === 'busy' || before.kind === 'empty' ? { kind: 'ready' } : before;
  }
}

/** Whether two runs of the same text were asked for with the same selection in it; another model cuts it into other tokens. */
function isSameFocus(one: ShownRun, other: ShownRun): boolean {
  if (one.focus === undefined && other.focus === undefined) return true;
  return (
    one.focus?.start === other.focus?.start &&
    one.focus?.end === other.focus?.end &&
    one.info.model.path === other.info.model.path
  );
}

function editedReason(run: ShownRun): PlainText {
  return run.isPicture ? said('The picture was changed.') : said('The text was edited.');
}

/** The scale that a run begins with. Weights over a picture's many patches are small by themselves: unless the settings say otherwise, they are shown by row. */
function firstScale(run: ShownRun): Scale {
  return run.isPicture && !isSet('scale', run.text.uri) ? 'row' : readSettings(run.text.uri).scale;
}
