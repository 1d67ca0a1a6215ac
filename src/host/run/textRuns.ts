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
import { locateModel, type ModelPlaces } from '../model/modelLocation';
import { runFitting, type ModelsOfKinds } from '../model/modelsOfKinds';
import { readSettings } from '../readSettings';
import type { ViewStore } from '../view/viewStore';
import { readSource, type ExplainSource, type SourceText } from './explainSource';
import { scaleNotices } from './notices';
import { lastingPath, otherModelNotice } from './otherModel';
import { PartChooser, type Reading } from './partChooser';
import { ShownRun, type ShownRunFacts } from './shownRun';
import { showProgress } from './showProgress';
import { syntaxEnds } from './syntaxEnds';
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
          ...noticesOf(run, read, ignored, { isInContext: part.isInContext, isSample: source.isSample }).map(
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
        if (!attempt.isCurrent() || shown !== undefined || isOfOtherPart(held.info)) return;
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
        return await this.#runPart({ ...source, second: undefined, pair: 'leftOut' }, attempt, used, numRuns);
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
        return await this.#runPart(
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
      attempt.offer(() => ({ ...again(source), range: selected, second: alsoSelected }));
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
}

function noticesOf(
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

/** What is asked for when a text is run again, maybe with another model. */
export function again(source: ExplainSource): ExplainSource {
  const { around, pair, ...others } = source;
  const anew = around === 'start' ? { ...others, around } : others;
  return anew.chat === 'yes' ? { ...anew, chat: 'wherePossible' } : anew;
}
