import type { Disposable } from '../../base/disposable';
import { ExplorerError } from '../../base/errors';
import type { PlainText } from '../../base/safeText';
import type { RunInfo } from '../../model/modelInfo';
import type { ExplainParams } from '../../protocol';
import type { EngineSupervisor } from '../engine/engineSupervisor';
import type { HeldRun } from '../engine/heldRun';
import type { HostFiles } from '../engine/hostFiles';
import { errorSentence, noticeLines, noticeSentence } from '../localize';
import type { ChosenLanguages } from '../model/chosenLanguages';
import { ignoredSettings } from '../model/ignoredSettings';
import { locateModel, type ModelLocation, type ModelPlaces } from '../model/modelLocation';
import { runFitting, type ModelsOfKinds } from '../model/modelsOfKinds';
import { readSettings } from '../readSettings';
import type { ViewStore } from '../view/viewStore';
import { readSource, type ExplainSource, type SourceText } from './explainSource';
import { scaleNotices } from './notices';
import { lastingPath, otherModelNotice } from './otherModel';
import { PartChooser, type Reading, type ReadPart } from './partChooser';
import { ShownRun, type ShownRunFacts } from './shownRun';
import { showProgress } from './showProgress';
import { syntaxEnds } from './syntaxEnds';
import type { TextRange } from './textRange';
import { TrackedPair } from './trackedPair';
import { TrackedText } from './trackedText';
import { unselectedNotice } from './unselectedNotice';

/** What texts are read with. */
export interface TextDependencies {
  readonly store: ViewStore;
  readonly supervisor: EngineSupervisor;
  readonly files: HostFiles;
  readonly places: ModelPlaces;
  readonly models: ModelsOfKinds;
  readonly languages: ChosenLanguages;
}

/** An explanation under way, as who runs it knows it. */
export interface RunAttempt {
  readonly controller: AbortController;
  /** What ended it, where that was not the person. */
  failure: ExplorerError | undefined;
  /** Whether no newer one has taken its place. */
  isCurrent(): boolean;
  /** Shows a run, which may still be under way. */
  show(run: ShownRun): void;
  /** Says what is to be explained again, unless a newer one has said it. */
  offer(find: () => ExplainSource): void;
}

/** A text whose part that is read never suits the model is read otherwise in the last of so many runs. */
const mostRuns = 5;

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

/** A part of a document, and the model that is to read it. */
interface ChosenPart {
  readonly source: ExplainSource;
  readonly used: UsedModel;
  readonly model: ModelLocation;
  readonly reading: Reading;
  /** A setting that could not be followed. */
  readonly ignored: ExplorerError | undefined;
  readonly part: ReadPart;
  readonly read: SourceText;
  /** The second text of a pair. */
  readonly other: SourceText | undefined;
  /** What was selected, in what is read; undefined where that alone is read. */
  readonly focus: TextRange | undefined;
}

/** Has texts read: as much of a document as fits the model, with the model that reads texts. */
export class TextRuns {
  readonly #deps: TextDependencies;
  readonly #parts = new PartChooser();

  constructor(deps: TextDependencies) {
    this.#deps = deps;
  }

  /** Explains a text with the model of the settings; where that reads pictures, with the one that read texts last. */
  run(source: ExplainSource, attempt: RunAttempt): Promise<ShownRun> {
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
        const run = await this.#runPart(source, attempt, { modelPath, instead });
        return { run, path: lastingPath(uri, modelPath, locateModel({ ...settings, modelPath }, places, uri), places) };
      },
    });
  }

  /** Runs a model on what is asked for; where a run shows that the model reads otherwise than was thought, on another part of it. */
  async #runPart(source: ExplainSource, attempt: RunAttempt, used: UsedModel, numRuns = 1): Promise<ShownRun> {
    const { files, store } = this.#deps;
    const { controller } = attempt;
    const chosen = await this.#choose(source, used, controller.signal);
    const text = track(chosen);
    const watching = endWhereEdited(text, attempt);
    files.allowModel(chosen.model.uri, chosen.model.tokenizerUri);
    const progress = showProgress(store, () => controller.abort());
    const leave = (): void => [text, watching, progress].forEach((each) => each.dispose());
    let held: HeldRun | undefined;
    const hold = (next: HeldRun | undefined): void => {
      if (held !== next) held?.release();
      held = next;
    };
    let shown: ShownRun | undefined;
    const make = (answer: Answer, of: TrackedText | TrackedPair): ShownRun => {
      const run = new ShownRun(answer.held, of, this.#factsOf(chosen, answer), (grown) => store.runGrew(grown));
      of.narrow(run.source);
      return run;
    };
    let isElsewhere: boolean | undefined;
    /** Whether a run shows that another part is to be read. */
    const isOfOtherPart = (info: RunInfo): boolean => (isElsewhere ??= numRuns < mostRuns && this.#learn(chosen, info));
    const onGrowing = (answer: Answer): void => {
      hold(answer.held);
      if (!attempt.isCurrent() || shown !== undefined || isOfOtherPart(answer.held.info)) return;
      shown = make(answer, text);
      held = undefined;
      attempt.show(shown);
    };
    try {
      const answer = await this.#ask(this.#paramsOf(chosen), source, controller.signal, onGrowing);
      if (answer === 'noPair') {
        leave();
        return await this.#runPart({ ...source, second: undefined, pair: 'leftOut' }, attempt, used, numRuns);
      }
      if (answer === undefined) this.#parts.noteWriter(chosen.reading.model);
      else if (answer.held === shown?.held) {
        shown.complete(this.#factsOf(chosen, answer));
        return shown;
      }
      hold(answer?.held);
      if (answer === undefined || isOfOtherPart(answer.held.info)) {
        hold(undefined);
        leave();
        return await this.#runPart(anew(source, numRuns + 1), attempt, used, numRuns + 1);
      }
      return make(answer, shown === undefined ? text : trackAgain(chosen, text));
    } catch (error) {
      hold(undefined);
      const places = { range: source.range && text.selected, second: secondOf(text) };
      attempt.offer(() => ({ ...again(source), ...places }));
      if (shown === undefined) text.dispose();
      throw error;
    } finally {
      watching.dispose();
      progress.dispose();
    }
  }

  /** Chooses what is read of what is asked for. Throws `cancelled`, and what reading a document throws. */
  async #choose(source: ExplainSource, used: UsedModel, signal: AbortSignal): Promise<ChosenPart> {
    const { places, supervisor } = this.#deps;
    const { document, range, second } = source;
    const settings = { ...readSettings(document.uri), modelPath: used.modelPath };
    const model = locateModel(settings, places, document.uri);
    const ignored = await ignoredSettings();
    const known: Reading = { model: JSON.stringify([model.spec, settings.tokenLimit]), settings };
    const place = second === undefined ? this.#parts.placeOf(source, known) : undefined;
    supervisor.begin(model.spec);
    const reading = place === undefined ? known : { ...known, nodeEnds: await syntaxEnds(document, place) };
    if (signal.aborted) throw new ExplorerError('cancelled');
    const part = second === undefined ? this.#parts.choose(source, reading) : { range, isInContext: false };
    const read = readSource(document, part.range);
    const focus =
      part.isInContext && range !== undefined
        ? { start: range.start - read.start, end: range.end - read.start }
        : undefined;
    return { source, used, model, reading, ignored, part, read, other: second && readSource(document, second), focus };
  }

  #paramsOf({ source, model, reading, read, other, focus }: ChosenPart): ExplainParams {
    return {
      model: model.spec,
      text: read.text,
      second: other?.text,
      tokenLimit: reading.settings.tokenLimit,
      target: source.target,
      continuation: source.continuation,
      languages: this.#deps.languages.of(model.spec.path),
      ...(focus === undefined ? {} : { isInContext: true }),
    };
  }

  /** Notes what a run has shown of its model; true where another part is to be read. */
  #learn({ source, reading, part, read }: ChosenPart, info: RunInfo): boolean {
    return (
      source.second === undefined && this.#parts.learn(source, reading, { part, info, askedUnits: read.fullLength })
    );
  }

  #factsOf(chosen: ChosenPart, { held, isWithoutTemplate }: Answer): ShownRunFacts {
    const { source, used, model, part } = chosen;
    const { range, pair, target, isSample } = source;
    const { name } = held.info.model;
    return {
      isWholeDocument: range === undefined,
      notices: [
        ...(used.instead === undefined ? [] : [{ sentence: otherModelNotice('text', used.instead, name) }]),
        ...(isWithoutTemplate ? [{ sentence: noticeSentence({ code: 'notAsChatMessage', args: [name] }) }] : []),
        ...(pair === 'leftOut' ? [{ sentence: noticeSentence({ code: 'notAsPair', args: [name] }) }] : []),
        ...(range === undefined && isSample !== true ? [unselectedNotice(source.document, part.range)] : []),
        ...noticesOf(held, chosen).map((sentence) => ({ sentence })),
      ],
      target,
      selected: this.#selectedOf(chosen, held),
      model: used.instead === undefined ? undefined : model,
    };
  }

  /** What of a run was selected; undefined where nothing around it could be read. */
  #selectedOf({ source, reading, focus }: ChosenPart, { info }: HeldRun): ShownRunFacts['selected'] {
    if (focus !== undefined) return { ...focus, isInContext: true };
    return source.second !== undefined || this.#parts.contextOf(source, reading) === undefined
      ? undefined
      : { start: 0, end: info.streams[0].text.length, isInContext: false };
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
}

/** What is read of a document, from where it stands there now. */
function track(
  { source: { document }, read, other, focus }: ChosenPart,
  [start, otherStart] = [read.start, other?.start ?? 0],
): TrackedText | TrackedPair {
  const tracked = new TrackedText(document, start, read.text, focus);
  return other === undefined ? tracked : new TrackedPair(tracked, new TrackedText(document, otherStart, other.text));
}

/** The same once more, from where it stands now. */
function trackAgain(chosen: ChosenPart, text: TrackedText | TrackedPair): TrackedText | TrackedPair {
  return track(chosen, [text.range.start, secondOf(text)?.start ?? 0]);
}

function secondOf(text: TrackedText | TrackedPair): TextRange | undefined {
  return text instanceof TrackedPair ? text.second : undefined;
}

/** Ends an attempt once its text is another, or gone. */
function endWhereEdited(text: TrackedText | TrackedPair, attempt: RunAttempt): Disposable {
  return text.onDidChange((change) => {
    if (change !== 'edited' && change !== 'closed') return;
    attempt.failure = new ExplorerError(change === 'edited' ? 'documentChanged' : 'documentClosed');
    attempt.controller.abort();
  });
}

function noticesOf({ info }: HeldRun, { source, read, ignored, part: { isInContext } }: ChosenPart): PlainText[] {
  const { isSample = false } = source;
  // A sample says them on purpose.
  const told = info.notices.filter(({ code }) => !isSample || code !== 'specialInText');
  // How much is read around a selection was for us to say.
  const notices = isInContext
    ? told.filter(({ code }) => !code.startsWith('cutTo'))
    : scaleNotices(told, read.fullLength / read.text.length);
  return [...(ignored === undefined ? [] : [errorSentence(ignored)]), ...noticeLines(notices)];
}

/** What is asked for where a run has shown that another part is to be read: the part is chosen anew, and in the last run what is selected is read alone. */
function anew({ around, ...source }: ExplainSource, numRuns: number): ExplainSource {
  return {
    ...source,
    ...(around === 'start' ? { around } : {}),
    ...(numRuns < mostRuns ? {} : { mode: 'alone' }),
  };
}

/** What is asked for when a text is run again, maybe with another model. */
export function again(source: ExplainSource): ExplainSource {
  const { around, pair, ...others } = source;
  const anew = around === 'start' ? { ...others, around } : others;
  return anew.chat === 'yes' ? { ...anew, chat: 'wherePossible' } : anew;
}
