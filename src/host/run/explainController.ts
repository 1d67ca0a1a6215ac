import { DisposableStore, type Disposable } from '../../base/disposable';
import { ExplorerError, isCancelled } from '../../base/errors';
import { Emitter } from '../../base/event';
import { entry, failureEntry } from '../../base/logText';
import type { PlainText } from '../../base/safeText';
import { normalizeSelection, type HeadSelection } from '../../model/head';
import type { RunInfo } from '../../model/modelInfo';
import type { TokenRef } from '../../model/token';
import type { Scale, ViewState } from '../../model/viewState';
import type { PanelStatus } from '../../panelProtocol';
import type { ExplainParams } from '../../protocol';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import type { HeldRun } from '../engine/heldRun';
import type { HostFiles } from '../engine/hostFiles';
import type { ChosenLanguages } from '../model/chosenLanguages';
import type { FirstHeads } from '../model/firstHeads';
import { errorSentence, noticeLines, noticeSentence, panelError } from '../localize';
import { ignoredSettings } from '../model/ignoredSettings';
import { locateModel, type ModelPlaces } from '../model/modelLocation';
import { runFitting, type ModelsOfKinds, type WhileAsking } from '../model/modelsOfKinds';
import { isSet, readSettings } from '../readSettings';
import type { ViewStore } from '../view/viewStore';
import { readSource, type ExplainSource, type SourceText } from './explainSource';
import { firstLook, firstPins } from './firstLook';
import { scaleNotices } from './notices';
import { lastingPath, otherModelNotice } from './otherModel';
import { PartChooser, type Reading } from './partChooser';
import type { PictureSource } from './pictureSource';
import { reportFailure } from './reportFailure';
import { askPictureText, runPicture } from './runPicture';
import { ShownRun, type ShownRunFacts } from './shownRun';
import { showProgress } from './showProgress';
import { syntaxEnds } from './syntaxEnds';
import { TrackedPair } from './trackedPair';
import { TrackedPicture } from './trackedPicture';
import { TrackedText } from './trackedText';
import { unselectedNotice } from './unselectedNotice';
import type { Log } from '../say/log';
import { said } from '../say/said';

/** What the controller needs of the window. */
export interface ExplainDependencies {
  readonly store: ViewStore;
  readonly supervisor: EngineSupervisor;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
  readonly models: ModelsOfKinds;
  readonly firstHeads: FirstHeads;
  readonly languages: ChosenLanguages;
  readonly log: Log;
  /** Opens the panel where it is not open, without taking the focus. */
  readonly showPanel: () => void;
  readonly isPanelVisible: () => boolean;
}

/** Says what is to be explained; it may have to open a document first. */
export type SourceFinder = () => ExplainSource | PictureSource | Promise<ExplainSource | PictureSource>;

/** A text whose part that is read never suits the model is read otherwise in the last of so many runs. */
const mostRuns = 5;

/** One explanation under way. */
interface Attempt {
  readonly controller: AbortController;
  /** What was shown before, to go back to when the person cancels. */
  readonly statusBefore: PanelStatus;
  /** What ended it, where that was not the person. */
  failure: ExplorerError | undefined;
  /** Shows a run, which may still be under way. */
  show: (run: ShownRun) => void;
}

/** What an engine was asked for; it may still be under way. */
interface Answer {
  readonly held: HeldRun;
  readonly isWithoutTemplate: boolean;
}

/** The model that a text is read with. */
interface UsedModel {
  /** As settings have it. */
  readonly modelPath: string;
  /** The name of the one in the settings, where that reads pictures. */
  readonly instead: string | undefined;
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
  readonly #parts = new PartChooser();
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
      show: () => {},
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
      const run = await ('picture' in source ? this.#runPicture(source, attempt) : this.#runText(source, attempt));
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

  /** Explains a text with the model of the settings; where that reads pictures, with the one that read texts last. */
  #runText(source: ExplainSource, attempt: Attempt): Promise<ShownRun> {
    const { models, places } = this.#deps;
    const { uri } = source.document;
    const settings = readSettings(uri);
    return runFitting<ShownRun>({
      kind: 'text',
      written: settings.modelPath,
      models,
      whileAsking: (ask) => ask(),
      signal: attempt.controller.signal,
      run: async (modelPath, instead) => {
        const run = await this.#run(source, attempt, { modelPath, instead });
        return { run, path: lastingPath(uri, modelPath, locateModel({ ...settings, modelPath }, places, uri), places) };
      },
    });
  }

  /** Runs a model on what is asked for; where a run shows that the model reads otherwise than was thought, on another part of it. */
  async #run(source: ExplainSource, attempt: Attempt, used: UsedModel, numRuns = 1): Promise<ShownRun> {
    const { files, places, store, supervisor } = this.#deps;
    const { signal } = attempt.controller;
    const { document, target, range, second, pair = 'wherePossible' } = source;
    const { instead, modelPath } = used;
    const settings = { ...readSettings(document.uri), modelPath };
    const model = locateModel(settings, places, document.uri);
    const ignored = await ignoredSettings();
    const known: Reading = { model: JSON.stringify([model.spec, settings.tokenLimit]), settings };
    const place = second === undefined ? this.#parts.placeOf(source, known) : undefined;
    supervisor.begin(model.spec);
    const reading = place === undefined ? known : { ...known, nodeEnds: await syntaxEnds(document, place) };
    if (signal.aborted) throw new ExplorerError('cancelled');
    const part = second === undefined ? this.#parts.choose(source, reading) : { range, isInContext: false };
    const read = readSource(document, part.range);
    const other = second && readSource(document, second);
    const focus =
      part.isInContext && range !== undefined
        ? { start: range.start - read.start, end: range.end - read.start }
        : undefined;
    const track = (start: number, otherStart: number): TrackedText | TrackedPair => {
      const tracked = new TrackedText(document, start, read.text, focus);
      return other === undefined
        ? tracked
        : new TrackedPair(tracked, new TrackedText(document, otherStart, other.text));
    };
    const text = track(read.start, other?.start ?? 0);
    const watching = text.onDidChange((change) => {
      if (change === 'edited' || change === 'closed') {
        attempt.failure = new ExplorerError(change === 'edited' ? 'documentChanged' : 'documentClosed');
        attempt.controller.abort();
      }
    });
    files.allowModel(model.uri, model.tokenizerUri);
    const progress = showProgress(store, () => attempt.controller.abort());
    let held: HeldRun | undefined;
    let shown: ShownRun | undefined;
    try {
      const params = {
        model: model.spec,
        text: read.text,
        second: other?.text,
        tokenLimit: settings.tokenLimit,
        target,
        continuation: source.continuation,
        languages: this.#deps.languages.of(model.spec.path),
      };
      let isElsewhere: boolean | undefined;
      /** Whether a run shows that another part is to be read. */
      const isOfOtherPart = (info: RunInfo): boolean =>
        (isElsewhere ??=
          second === undefined &&
          numRuns < mostRuns &&
          this.#parts.learn(source, reading, { part, info, askedUnits: read.fullLength }));
      const factsOf = ({ held: run, isWithoutTemplate }: Answer): ShownRunFacts => ({
        isWholeDocument: range === undefined,
        notices: [
          ...(instead === undefined ? [] : [{ sentence: otherModelNotice('text', instead, run.info.model.name) }]),
          ...(isWithoutTemplate
            ? [{ sentence: noticeSentence({ code: 'notAsChatMessage', args: [run.info.model.name] }) }]
            : []),
          ...(pair === 'leftOut'
            ? [{ sentence: noticeSentence({ code: 'notAsPair', args: [run.info.model.name] }) }]
            : []),
          ...(range === undefined && source.isSample !== true ? [unselectedNotice(document, part.range)] : []),
          ...this.#notices(run, read, ignored, { isInContext: part.isInContext, isSample: source.isSample }).map(
            (sentence) => ({ sentence }),
          ),
        ],
        target,
        selected:
          focus !== undefined
            ? { ...focus, isInContext: true }
            : second !== undefined || this.#parts.contextOf(source, reading) === undefined
              ? undefined
              : { start: 0, end: run.info.streams[0].text.length, isInContext: false },
        model: instead === undefined ? undefined : model,
      });
      const make = (answer: Answer, of: TrackedText | TrackedPair): ShownRun => {
        const run = new ShownRun(answer.held, of, factsOf(answer), (grown) => store.runGrew(grown));
        of.narrow(run.source);
        return run;
      };
      const onGrowing = (answer: Answer): void => {
        held?.release();
        held = answer.held;
        if (attempt !== this.#attempt || shown !== undefined || isOfOtherPart(held.info)) return;
        shown = make(answer, text);
        held = undefined;
        attempt.show(shown);
      };
      const answer = await this.#ask(
        focus === undefined ? params : { ...params, isInContext: true },
        source,
        signal,
        onGrowing,
      );
      if (answer === 'noPair') {
        for (const each of [text, watching, progress]) each.dispose();
        return await this.#run({ ...source, second: undefined, pair: 'leftOut' }, attempt, used, numRuns);
      }
      if (answer === undefined) this.#parts.noteWriter(reading.model);
      else if (answer.held === shown?.held) {
        shown.complete(factsOf(answer));
        return shown;
      }
      if (held !== answer?.held) held?.release();
      held = answer?.held;
      if (answer === undefined || isOfOtherPart(answer.held.info)) {
        held?.release();
        for (const each of [text, watching, progress]) each.dispose();
        const { around, ...anew } = source;
        return await this.#run(
          { ...anew, ...(around === 'start' ? { around } : {}), ...(numRuns + 1 < mostRuns ? {} : { mode: 'alone' }) },
          attempt,
          used,
          numRuns + 1,
        );
      }
      return make(
        answer,
        shown === undefined ? text : track(text.range.start, text instanceof TrackedPair ? text.second.start : 0),
      );
    } catch (error) {
      held?.release();
      const selected = range && text.selected;
      const alsoSelected = text instanceof TrackedPair ? text.second : undefined;
      if (attempt === this.#attempt) this.#last = () => ({ ...again(source), range: selected, second: alsoSelected });
      if (shown === undefined) text.dispose();
      throw error;
    } finally {
      watching.dispose();
      progress.dispose();
    }
  }

  /** Has a text explained; undefined where the model takes no text around a selection, `noPair` where it takes no second text and that is only wished for. */
  async #ask(
    params: ExplainParams,
    { chat = 'no', pair = 'wherePossible' }: ExplainSource,
    signal: AbortSignal,
    onGrowing: (answer: Answer) => void,
  ): Promise<Answer | 'noPair' | undefined> {
    const ask = async (asked: ExplainParams, isWithoutTemplate: boolean): Promise<Answer> => ({
      held: await this.#deps.supervisor.explain(asked, signal, (held) => onGrowing({ held, isWithoutTemplate })),
      isWithoutTemplate,
    });
    try {
      return await ask(chat === 'no' ? params : { ...params, isChatMessage: true }, false);
    } catch (error) {
      if (!(error instanceof ExplorerError)) throw error;
      if (error.code === 'contextNotRead') return undefined;
      if (error.code === 'pairNotRead' && pair === 'wherePossible') return 'noPair';
      // What was a chat message for one model is a text like any other for a model that has no chats.
      if (chat !== 'wherePossible' || error.code !== 'chatTemplateNotFound') throw error;
      return ask(params, true);
    }
  }

  async #runPicture({ picture, isQuiet }: PictureSource, attempt: Attempt): Promise<ShownRun> {
    const ignored = await ignoredSettings();
    if (attempt.controller.signal.aborted) throw new ExplorerError('cancelled');
    const tracked = new TrackedPicture(picture);
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
      const { held, model, notices } = await runPicture(picture, this.#deps, attempt.controller.signal, {
        whileAsking,
        askText,
      });
      const sentences = [
        ...(ignored === undefined ? [] : [errorSentence(ignored)]),
        ...notices,
        ...noticeLines(held.info.notices),
      ];
      return new ShownRun(held, tracked, {
        isWholeDocument: true,
        notices: sentences.map((sentence) => ({ sentence })),
        model,
      });
    } catch (error) {
      tracked.dispose();
      throw error;
    } finally {
      progress.dispose();
    }
  }

  #notices(
    { info }: HeldRun,
    read: SourceText,
    ignored: ExplorerError | undefined,
    { isInContext, isSample = false }: { readonly isInContext: boolean; readonly isSample: boolean | undefined },
  ): PlainText[] {
    // A sample says them on purpose.
    const told = info.notices.filter(({ code }) => !isSample || code !== 'specialInText');
    // How much is read around a selection was for us to say.
    const notices = isInContext
      ? told.filter(({ code }) => !code.startsWith('cutTo'))
      : scaleNotices(told, read.fullLength / read.text.length);
    return [...(ignored === undefined ? [] : [errorSentence(ignored)]), ...noticeLines(notices)];
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

/** What is asked for when a text is run again, maybe with another model. */
function again(source: ExplainSource): ExplainSource {
  const { around, pair, ...others } = source;
  const anew = around === 'start' ? { ...others, around } : others;
  return anew.chat === 'yes' ? { ...anew, chat: 'wherePossible' } : anew;
}

function editedReason(run: ShownRun): PlainText {
  return run.isPicture ? said('The picture was changed.') : said('The text was edited.');
}

/** The scale that a run begins with. Weights over a picture's many patches are small by themselves: unless the settings say otherwise, they are shown by row. */
function firstScale(run: ShownRun): Scale {
  return run.isPicture && !isSet('scale', run.text.uri) ? 'row' : readSettings(run.text.uri).scale;
}
