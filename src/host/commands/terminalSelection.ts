import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { sampleScheme } from '../course/scenes';
import type { ExplainSource } from '../run/explainSource';
import { checkText, maxTextUnits } from '../run/textGuards';

/** The folder, among the files in memory, of what was selected in terminals. */
const folder = 'terminal';
let numRead = 0;

/**
 * What is selected in the terminal that has the focus, as a document in memory that opens beside. VS Code gives a terminal's selection to nobody but the
 * clipboard, which gets back the text that it had. Throws `emptyText` where nothing is selected.
 */
export async function terminalSource(): Promise<ExplainSource> {
  const text = (await selectedInTerminal()).slice(0, maxTextUnits);
  const name = vscode.window.activeTerminal?.name.replaceAll(/[^\p{L}\p{N} ._-]/gu, '_').slice(0, 60) ?? folder;
  checkText(text, name);
  const uri = vscode.Uri.from({ scheme: sampleScheme, path: `/${folder}/${++numRead}/${name}.txt` });
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One, preview: true });
  return { document, range: undefined, isSample: true };
}

async function selectedInTerminal(): Promise<string> {
  const { clipboard } = vscode.env;
  const before = await clipboard.readText();
  try {
    await clipboard.writeText('');
    await vscode.commands.executeCommand('workbench.action.terminal.copySelection');
    const text = await clipboard.readText();
    if (text.trim() === '') throw new ExplorerError('emptyText');
    return text;
  } finally {
    await clipboard.writeText(before);
  }
}
