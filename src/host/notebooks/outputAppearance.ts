import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { panelAppearance } from '../panel/panelSnapshots';

/** The renderer of outputs in the manifest. */
const rendererId = 'attentionExplorer.output';

/** Tells notebooks that show attention in their outputs how that is to look: when they ask, and when the settings change. */
export function dressOutputs(onDidChangeSettings: (listener: () => void) => Disposable): Disposable {
  const owned = new DisposableStore();
  const messaging = vscode.notebooks.createRendererMessaging(rendererId);
  owned.add(
    messaging.onDidReceiveMessage(({ editor }) => void messaging.postMessage(panelAppearance(undefined), editor)),
  );
  owned.add(onDidChangeSettings(() => void messaging.postMessage(panelAppearance(undefined))));
  return owned;
}
