import * as vscode from 'vscode';
import { DisposableStore, type Disposable } from '../../base/disposable';
import { firstToken } from '../../model/firstToken';
import type { Component } from '../../model/head';
import { lastSelectedWord, mostPinnedAtOnce, selectedTokens } from '../../model/selectedTokens';
import { isSameToken, type TokenRef } from '../../model/token';
import { visibleEditor } from '../editor/visibleEditor';
import { readSettings } from '../readSettings';
import type { ViewStore } from '../view/viewStore';
import { sourceOfEditor } from './explainSource';
import type { ShownRun } from './shownRun';

/** The token that a fresh run is looked at with, see {@link firstToken}; with nothing selected the one before the caret, of a selection in its context that one's last word. Undefined where the settings light nothing in the editor unasked. */
export function firstLook(
  { text, info, isPicture, isWholeDocument, focus, source, sourceIndex }: ShownRun,
  component: Component,
): TokenRef | undefined {
  if (!readSettings(text.uri).highlightOnHover) return undefined;
  if (focus !== undefined) {
    const position = lastSelectedWord(source, focus);
    return position === undefined ? undefined : { stream: sourceIndex, position };
  }
  const editor = isPicture ? undefined : visibleEditor(text.uri);
  const caret = isWholeDocument ? editor?.document.offsetAt(editor.selection.active) : undefined;
  return firstToken(
    info.streams,
    component,
    caret === undefined || caret <= text.range.start ? undefined : caret - text.range.start,
  );
}

/** The tokens that are pinned in a fresh run: those that were selected in their context, unless they are many. */
export function firstPins({ focus, source, sourceIndex }: ShownRun): TokenRef[] {
  const positions = focus === undefined ? [] : selectedTokens(source, focus);
  return positions.length > mostPinnedAtOnce ? [] : positions.map((position) => ({ stream: sourceIndex, position }));
}

/** Lets go of the first look as soon as the person looks elsewhere: hovers or pins a token, or moves the caret. Live mode has its own. */
export function endFirstLook(store: ViewStore): Disposable {
  const end = (): void => {
    if (store.run?.isLive === false) store.setCaret(undefined);
  };
  const registrations = new DisposableStore();
  registrations.add(store.onDidChangeHover((hovered) => hovered !== undefined && end()));
  registrations.add(store.onDidChangeView(({ pinned }) => pinned.length > 0 && end()));
  registrations.add(
    vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
      const { run } = store;
      if (run === undefined || textEditor.document.uri.toString() !== run.text.uri.toString()) return;
      // Word of the selection that was explained can come after the result.
      if (!isAsExplained(textEditor, run, store)) end();
    }),
  );
  return registrations;
}

/** Whether an editor's selection is still what a run was asked for with. */
function isAsExplained(editor: vscode.TextEditor, run: ShownRun, { caret, view }: ViewStore): boolean {
  if (run.isWholeDocument) return isSameToken(firstLook(run, view.selection.component), caret);
  const { range } = sourceOfEditor(editor);
  // Of a long selection the model has read the beginning.
  return range !== undefined && range.start === run.text.selected.start && range.end >= run.text.selected.end;
}
