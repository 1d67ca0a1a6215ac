import * as vscode from 'vscode';
import type { PlainText } from '../../base/safeText';

/** Opens a panel beside the editor. */
export function createPanel(viewType: string, title: PlainText, preserveFocus: boolean): vscode.WebviewPanel {
  return vscode.window.createWebviewPanel(
    viewType,
    title,
    { viewColumn: vscode.ViewColumn.Beside, preserveFocus },
    { enableScripts: true },
  );
}

/** Names a panel's tab. */
export function nameTab(panel: vscode.WebviewPanel, title: PlainText): void {
  panel.title = title;
}
