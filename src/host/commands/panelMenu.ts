import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { headLabel, type HeadSelection } from '../../model/head';
import type { RowReader } from '../editor/rowReader';
import type { ExplorerPanels } from '../panel/explorerPanels';
import { checkMenuToken } from '../panel/panelMessages';
import { documentName } from '../run/documentName';
import { askWhereToSave } from '../say/dialogs';
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

/** Saves the matrix as it is drawn. */
export async function saveFigure(store: ViewStore, panels: ExplorerPanels): Promise<void> {
  const { run, view } = store;
  if (run === undefined) throw new ExplorerError('unknownRun');
  const png = await panels.figure();
  const name =
    `${documentName(run.text.uri)}-${headsName(view.selection)}${view.method === 'attention' ? '' : `-${view.method}`}.png`.replaceAll(
      /[^\w.-]+/g,
      '-',
    );
  const target = await askWhereToSave({
    title: said('Save Figure'),
    name: plain(name),
    kind: { name: said('PNG picture'), extensions: ['png'] },
    besides: run.text.uri,
  });
  if (target === undefined) return;
  try {
    await vscode.workspace.fs.writeFile(target, png);
  } catch (error) {
    throw new ExplorerError('fileNotWritten', [target.fsPath, String(error)], { cause: error });
  }
}

function headsName({ component, heads, aggregation }: HeadSelection): string {
  const [first] = heads;
  return heads.length === 1 && first !== undefined
    ? `${component}-${headLabel(first)}`
    : `${component}-${aggregation}-of-${heads.length}`;
}
