import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import type { PersistedPanel } from '../../panelProtocol';
import type { ExplainController } from '../run/explainController';
import { openDocument, type ExplainSource } from '../run/explainSource';
import { findByHash } from '../run/findByHash';
import type { TextRange } from '../run/textRange';
import type { Recalled } from './panelMemory';

/** Explains again what a panel showed before the window was reloaded, with the same head, or says that it is not there any more, or not known here. */
export async function restorePanel(recalled: Recalled, controller: ExplainController): Promise<void> {
  if (recalled === 'nothing') return;
  if (recalled === 'unknown') {
    await controller.explain(() => {
      throw new ExplorerError('notShownHere');
    });
    return;
  }
  await explainAgain(recalled, controller);
}

async function explainAgain(state: PersistedPanel, controller: ExplainController): Promise<void> {
  if (state.isPicture === true) {
    await controller.explain(
      () => ({ picture: vscode.Uri.parse(state.uri), isQuiet: true }),
      () => state.view,
    );
    return;
  }
  let changed: ExplainSource | undefined;
  let { view } = state;
  const { target } = state;
  const find = async (): Promise<ExplainSource> => {
    const document = await openAgain(vscode.Uri.parse(state.uri));
    const text = document.getText();
    const start = findByHash(text, state);
    // Pins are places in a text: another text has others.
    const secondStart = state.second && findByHash(text, state.second);
    const isThere = start !== undefined && (state.second === undefined || secondStart !== undefined);
    if (!isThere) view = { ...view, pinned: [], marked: [] };
    const second = state.second && {
      start: secondStart ?? state.second.start,
      end: (secondStart ?? state.second.start) + state.second.end - state.second.start,
    };
    const chat = state.isChatMessage === true ? 'wherePossible' : 'no';
    const was = { start: start ?? state.start, end: (start ?? state.start) + state.end - state.start };
    // The same part again, wherever the caret is now.
    if (state.isWholeDocument)
      return {
        document,
        range: undefined,
        around: state.start === 0 ? 'start' : start === undefined ? undefined : was,
        target,
        chat,
      };
    const selected =
      state.focus === undefined ? was : { start: was.start + state.focus.start, end: was.start + state.focus.end };
    const mode = state.focus === undefined ? 'alone' : 'inContext';
    if (isThere)
      return {
        document,
        range: selected,
        second,
        ...(state.focus === undefined ? {} : { around: was }),
        mode,
        target,
        chat,
      };
    // The text is gone: what stands at its place now is offered, not explained unasked.
    const within = (range: TextRange): TextRange => ({
      start: Math.min(range.start, text.length),
      end: Math.min(range.end, text.length),
    });
    changed = { document, range: within(selected), second: second && within(second), mode, target, chat };
    throw new ExplorerError('documentChanged');
  };
  await controller.explain(find, () => view);
  const source = changed;
  if (source !== undefined && !controller.isBusy) controller.offer(() => source);
}

/** A cell can only be opened with its notebook. */
async function openAgain(uri: vscode.Uri): Promise<vscode.TextDocument> {
  if (uri.scheme !== 'vscode-notebook-cell') return openDocument(uri);
  const find = (): vscode.TextDocument | undefined =>
    vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (find() === undefined) {
    for (const scheme of new Set([
      ...(vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.scheme),
      'file',
    ])) {
      try {
        await vscode.workspace.openNotebookDocument(uri.with({ scheme, fragment: '' }));
        break;
      } catch {
        // The notebook is on another file system, or gone.
      }
    }
  }
  const cell = find();
  if (cell === undefined) throw new ExplorerError('documentClosed');
  return cell;
}
