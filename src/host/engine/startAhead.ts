import * as vscode from 'vscode';
import { toDisposable, type Disposable } from '../../base/disposable';
import type { ModelSpec } from '../../protocol';
import type { ViewStore } from '../view/viewStore';
import type { EngineSupervisor } from './engineSupervisor';

const key = 'lastExplained';
/** A workspace in which nothing was explained for so long gets no engine before it asks for one. */
const daysRemembered = 7;
/** The window has other things to do first. */
const delayMilliseconds = 3000;

/** What starting ahead needs of the window. */
export interface StartAheadDependencies {
  readonly store: ViewStore;
  readonly supervisor: EngineSupervisor;
  readonly memory: vscode.Memento;
  /** The model that the settings name; undefined where it is not one of ours, which are small. Throws where there is none. */
  readonly bundledModel: () => ModelSpec | undefined;
}

/**
 * Starts the engine with its model when a window opens on a workspace in which something was explained lately, so that the first
 * command finds it ready. Whoever does not use the extension there pays nothing for it.
 */
export function startAhead({ store, supervisor, memory, bundledModel }: StartAheadDependencies): Disposable {
  const remembering = store.onDidChangeRun((run) => {
    // Where nothing can be stored, the next window starts a little later.
    if (run !== undefined) void memory.update(key, Date.now()).then(undefined, () => {});
  });
  const last = memory.get(key);
  const isUsed = typeof last === 'number' && Date.now() - last < daysRemembered * 24 * 3600 * 1000;
  const timer = isUsed && vscode.workspace.isTrusted ? setTimeout(() => start(), delayMilliseconds) : undefined;
  return toDisposable(() => {
    clearTimeout(timer);
    remembering.dispose();
  });

  function start(): void {
    if (supervisor.state.kind !== 'notStarted') return;
    let model: ModelSpec | undefined;
    try {
      model = bundledModel();
    } catch {
      return; // the first command says what is wrong with the setting
    }
    // What fails here fails again, with its sentence, when someone asks for it.
    if (model !== undefined) supervisor.prepare(model).catch(() => {});
  }
}
