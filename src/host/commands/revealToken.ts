import * as vscode from 'vscode';
import type { TokenRef } from '../../model/token';
import { visibleEditor } from '../editor/visibleEditor';
import { openDocument } from '../run/explainSource';
import type { ShownRun } from '../run/shownRun';

/** Shows a token's place in an editor of its document, and selects it; a token of another stream has no place there. */
export async function revealToken(run: ShownRun, { stream, position }: TokenRef): Promise<void> {
  if (stream !== run.sourceIndex) return;
  const { uri } = run.text;
  if (run.isPicture) {
    await vscode.commands.executeCommand('vscode.open', uri, {
      preserveFocus: true,
      viewColumn: vscode.ViewColumn.One,
    });
    return;
  }
  const document = run.text.document ?? (await openDocument(uri));
  const { start, end } = run.source.tokens[position];
  const range = run.text.rangeOf(document, start, end);
  if (range === undefined) return;
  const visible = visibleEditor(uri);
  const column = visible?.viewColumn ?? columnOf(uri) ?? vscode.ViewColumn.One;
  // A cell has no tab of its own: its editor is shown where it stands.
  const editor =
    visible !== undefined && visible.viewColumn === undefined
      ? visible
      : await vscode.window.showTextDocument(document, { viewColumn: column, preserveFocus: false, preview: false });
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function columnOf(uri: vscode.Uri): vscode.ViewColumn | undefined {
  return vscode.window.tabGroups.all.find((group) =>
    group.tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString()),
  )?.viewColumn;
}
