import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../base/disposable';
import { longRunMilliseconds } from '../model/longRun';
import { numTokensOf } from '../model/modelInfo';
import { commands } from './commands/commandIds';
import type { EngineSupervisor } from './engine/engineSupervisor';
import { stageTitle } from './localize';
import type { ViewStore } from './view/viewStore';

/** Says which model is used, on what, and on how many tokens; a click opens the menu of commands. */
export class StatusBar implements Disposable {
  readonly #viewStore: ViewStore;
  readonly #supervisor: EngineSupervisor;
  readonly #store = new DisposableStore();
  readonly #item = this.#store.add(vscode.window.createStatusBarItem('attentionExplorer.status', vscode.StatusBarAlignment.Right, 90));
  #turnTimer: ReturnType<typeof setTimeout> | undefined;
  #isTurning = false;

  constructor(viewStore: ViewStore, supervisor: EngineSupervisor) {
    this.#viewStore = viewStore;
    this.#supervisor = supervisor;
    this.#item.name = 'Attention Explorer';
    this.#item.command = commands.showMenu;
    const update = (): void => this.#update();
    this.#store.add(viewStore.onDidChangeStatus(update));
    this.#store.add(viewStore.onDidChangeRun(update));
    this.#store.add(viewStore.onDidChangeLive(update));
    this.#store.add(supervisor.onDidChangeState(update));
  }

  get text(): string {
    return this.#item.text;
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
    const isStopped = status.kind === 'engineStopped' || (this.#supervisor.state.kind === 'stopped' && status.kind !== 'busy');
    this.#item.backgroundColor = isStopped ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    if (status.kind === 'busy') {
      this.#item.text = `$(${this.#isTurning ? 'loading~spin' : 'loading'}) ${stageTitle(status.stage)}`;
      this.#item.tooltip = vscode.l10n.t('Attention Explorer is busy');
    } else if (isStopped) {
      this.#item.text = `$(warning) ${vscode.l10n.t('Attention engine stopped')}`;
      this.#item.tooltip = vscode.l10n.t('Click to restart it');
    } else if (live.kind === 'paused') {
      this.#item.text = `$(debug-pause) ${vscode.l10n.t('Live mode rests')}`;
      this.#item.tooltip = live.sentence;
    } else if (run === undefined) {
      this.#item.text = live.kind === 'on' ? `$(pulse) ${vscode.l10n.t('Live')}` : `$(eye) ${vscode.l10n.t('Attention')}`;
      this.#item.tooltip = live.kind === 'on' ? (live.sentence ?? vscode.l10n.t('The text around the caret is explained as you type.')) : 'Attention Explorer';
    } else {
      const { model } = run.info;
      const tokens = vscode.l10n.t('{0} tokens', numTokensOf(run.info));
      const sign = live.kind === 'off' ? '$(eye)' : `${live.sentence === undefined ? '$(pulse)' : '$(warning)'} ${vscode.l10n.t('Live')} ·`;
      this.#item.text = `${sign} ${model.name} · ${model.backend} · ${tokens}`;
      const tooltip = [vscode.l10n.t('Model: {0}', model.path), vscode.l10n.t('Backend: {0}, {1} threads', model.backend, model.numThreads), ...(model.backendReason === '' ? [] : [model.backendReason])];
      const target = run.info.streams.find(({ role }) => role === 'target');
      if (target !== undefined) tooltip.push(vscode.l10n.t('{0} tokens of the text, {1} of the target', run.source.tokens.length, target.tokens.length));
      if (live.kind === 'on') tooltip.unshift(live.sentence ?? vscode.l10n.t('The text around the caret is explained as you type.'));
      this.#item.tooltip = tooltip.join('\n');
    }
    this.#item.accessibilityInformation = { label: `Attention Explorer: ${this.#item.text.replace(/\$\([^)]*\)\s*/, '')}`, role: 'button' };
    this.#item.show();
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
