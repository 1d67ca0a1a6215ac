import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import type { RowReader } from '../editor/rowReader';
import { checkMenuToken } from '../panel/panelMessages';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';
import { weightsTable } from './weightsTable';

/** Pins the token that the panel's menu was opened over, or lets it go. */
export function pinHere(store: ViewStore, context: unknown): void {
  const token = checkMenuToken(context, store.run?.info);
  if (token !== undefined) store.togglePin(token);
}

/** Copies what a token reads, or what reads it, in the heads shown: of the one that the menu was opened over, else of what is pinned or lit. */
export async function copyWeights(store: ViewStore, rows: RowReader, context: unknown): Promise<void> {
  const { run, view, hovered, caret } = store;
  if (run === undefined) throw new ExplorerError('unknownRun');
  const asked = checkMenuToken(context, run.info);
  const lit = hovered?.token ?? caret;
  const tokens = asked !== undefined ? [asked] : view.pinned.length > 0 || lit === undefined ? view.pinned : [lit];
  const row = await rows.read(run, view, tokens);
  if (row === undefined) {
    showInformation(said('Pin a token first: its weights are then what is copied.'));
    return;
  }
  await vscode.env.clipboard.writeText(weightsTable(row.over, row.weights, row.method));
}
