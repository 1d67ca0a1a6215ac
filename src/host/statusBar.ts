import { DisposableStore, MutableDisposable, type Disposable } from '../base/disposable';
import { iconLabel, joinPlain, linesOf, plain, type PlainText } from '../base/safeText';
import { longRunMilliseconds } from '../model/longRun';
import { numTokensOf, type Notice } from '../model/modelInfo';
import { selectedTokens } from '../model/selectedTokens';
import { commands } from './commands/commandIds';
import type { EngineSupervisor } from './engine/engineSupervisor';
import { noticeLines, progressTitle } from './localize';
import { selectedPlaceName } from './panel/panelSnapshots';
import type { ShownRun } from './run/shownRun';
import type { LiveState, ViewStore } from './view/viewStore';
import { said } from './say/said';
import { StatusItem, type StatusLook } from './say/statusItem';

/** Says which model is used, on what, and on how many tokens; a click opens the menu of commands. */
export class StatusBar implements Disposable {
  readonly #viewStore: ViewStore;
  readonly #supervisor: EngineSupervisor;
  readonly #store = new DisposableStore();
  readonly #item = this.#store.add(new StatusItem('attentionExplorer.status', 'Attention Explorer', commands.showMenu));
  readonly #following = this.#store.add(new MutableDisposable());
  #turnTimer: ReturnType<typeof setTimeout> | undefined;
  #isTurning = false;

  constructor(viewStore: ViewStore, supervisor: EngineSupervisor) {
    this.#viewStore = viewStore;
    this.#supervisor = supervisor;
    const update = (): void => this.#update();
    this.#store.add(viewStore.onDidChangeStatus(update));
    this.#store.add(
      viewStore.onDidChangeRun((shown) => {
        this.#following.value = shown?.held.onDidIntervene(update);
        update();
      }),
    );
    this.#store.add(viewStore.onDidChangeLive(update));
    this.#store.add(supervisor.onDidChangeState(update));
  }

  get text(): string {
    return this.#item.text;
  }

  get tooltip(): string {
    return this.#item.tooltip;
  }

  dispose(): void {
    clearTimeout(this.#turnTimer);
    this.#store.dispose();
  }

  #update(): void {
    const { status, run, live } = this.#viewStore;
    this.#turn(status.kind === 'busy');
    if (status.kind === 'empty' && run === undefined && live.kind === 'off') {
      this.#item.hide();
      return;
    }
    const isStopped =
      status.kind === 'engineStopped' || (this.#supervisor.state.kind === 'stopped' && status.kind !== 'busy');
    this.#item.show({ ...this.#look(isStopped), isWarning: isStopped });
  }

  #look(isStopped: boolean): Omit<StatusLook, 'isWarning'> {
    const { status, run, live } = this.#viewStore;
    if (status.kind === 'busy')
      return {
        label: iconLabel(this.#isTurning ? 'loading~spin' : 'loading', progressTitle(status)),
        tooltip: said('Attention Explorer is busy'),
      };
    if (isStopped)
      return { label: iconLabel('warning', said('Attention engine stopped')), tooltip: said('Click to restart it') };
    if (live.kind === 'paused')
      return { label: iconLabel('debug-pause', said('Live mode rests')), tooltip: live.sentence };
    return run === undefined ? lookWithoutRun(live) : lookOfRun(run, live);
  }

  #turn(isBusy: boolean): void {
    if (!isBusy) {
      clearTimeout(this.#turnTimer);
      this.#turnTimer = undefined;
      this.#isTurning = false;
    } else
      this.#turnTimer ??= setTimeout(() => {
        this.#isTurning = true;
        this.#update();
      }, longRunMilliseconds);
  }
}

/** What live mode does, or what went wrong in it last; undefined where it is off. */
function followingSentence(live: LiveState): PlainText | undefined {
  if (live.kind !== 'on') return undefined;
  return live.sentence ?? said('The text around the caret is explained as you type.');
}

function lookWithoutRun(live: LiveState): Omit<StatusLook, 'isWarning'> {
  return {
    label: live.kind === 'on' ? iconLabel('pulse', said('Live')) : iconLabel('eye', said('Attention')),
    tooltip: followingSentence(live) ?? plain('Attention Explorer'),
  };
}

function lookOfRun(run: ShownRun, live: LiveState): Omit<StatusLook, 'isWarning'> {
  const icon = live.kind === 'off' ? 'eye' : live.sentence === undefined ? 'pulse' : 'warning';
  return { label: iconLabel(icon, joinPlain(labelParts(run, live), ' · ')), tooltip: linesOf(tooltipLines(run, live)) };
}

/** Model, backend and number of tokens, behind what is not the usual. */
function labelParts({ held, info, focus, source }: ShownRun, live: LiveState): PlainText[] {
  return [
    ...(live.kind === 'off' ? [] : [said('Live')]),
    ...(held.intervened === undefined ? [] : [said('Intervened run')]),
    info.model.name,
    plain(info.model.backend),
    focus === undefined
      ? said('{0} tokens', numTokensOf(info))
      : said('{0} of {1} tokens', selectedTokens(source, focus).length, numTokensOf(info)),
  ];
}

function tooltipLines(run: ShownRun, live: LiveState): PlainText[] {
  const { model, inputFacts = [], languages, streams } = run.info;
  const following = followingSentence(live);
  const target = streams.find(({ role }) => role === 'target');
  return [
    ...(following === undefined ? [] : [following]),
    ...(run.held.intervened === undefined
      ? []
      : [
          said(
            'What is lit in the editor, and the weights in its cards, are those of the run with what is switched on in Effects.',
          ),
        ]),
    ...(run.selected === undefined ? [] : [selectedPlaceName(run)]),
    said('Model: {0}', model.path),
    ...(model.readFiles === undefined ? [] : [said('Files read: {0}', joinPlain(model.readFiles, ', '))]),
    ...inOneLine(model.settings, (settings) => said('Settings used: {0}', settings)),
    ...inOneLine(model.assumptions, (assumptions) => said('Assumed: {0}', assumptions)),
    said('Backend: {0}, {1} threads', model.backend, model.numThreads),
    ...(model.backendReason === '' ? [] : [model.backendReason]),
    ...noticeLines(inputFacts),
    ...(languages === undefined
      ? []
      : [said('Languages: {0} to {1}', languages.source ?? '?', languages.target ?? '?')]),
    ...(target === undefined
      ? []
      : [said('{0} tokens of the text, {1} of the target', run.source.tokens.length, target.tokens.length)]),
  ];
}

function inOneLine(notices: readonly Notice[] = [], say: (sentences: PlainText) => PlainText): PlainText[] {
  return notices.length === 0 ? [] : [say(joinPlain(noticeLines(notices), ' '))];
}
