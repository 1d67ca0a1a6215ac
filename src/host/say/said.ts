import * as vscode from 'vscode';
import { plainArgument } from '../../base/errors';
import type { MarkdownText } from '../../base/markdown';
import type { PlainText } from '../../base/safeText';

/** A localised sentence of our own; each argument, wherever it comes from, becomes one bounded line of it. */
export function said(template: string, ...args: readonly (string | number)[]): PlainText {
  return vscode.l10n.t(template, ...args.map(plainArgument)) as PlainText; // the template is ours, the arguments are plain
}

/** A localised sentence of our own as Markdown, around what is Markdown already. */
export function saidMarkdown(template: string, ...args: readonly (MarkdownText | number)[]): MarkdownText {
  return vscode.l10n.t(template, ...args) as MarkdownText; // the template is ours, the arguments are Markdown
}
