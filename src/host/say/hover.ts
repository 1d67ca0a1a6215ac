import * as vscode from 'vscode';
import type { MarkdownText } from '../../base/markdown';

/** A card over a stretch of a text; its links run these commands only. */
export function hoverOf(card: MarkdownText, range: vscode.Range, enabledCommands: readonly string[]): vscode.Hover {
  const markdown = new vscode.MarkdownString(card);
  markdown.isTrusted = { enabledCommands };
  return new vscode.Hover(markdown, range);
}
