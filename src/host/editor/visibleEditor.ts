import * as vscode from 'vscode';

/** An editor that shows a document now; undefined where none does. */
export function visibleEditor(uri: vscode.Uri | undefined): vscode.TextEditor | undefined {
  return vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri?.toString());
}
