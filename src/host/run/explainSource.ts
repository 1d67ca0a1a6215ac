import * as vscode from 'vscode';
import type { Continuation } from '../../model/continuation';
import { ExplorerError } from '../../base/errors';
import { checkFileLimit } from '../../model/fileLimits';
import { isOwnTab } from '../ownTabs';
import { checkIsNoPipe } from '../readFileAtMost';
import type { SelectionMode } from '../settings';
import { documentName } from './documentName';
import { checkText, maxTextUnits } from './textGuards';
import type { TextRange } from './textRange';

/** What is to be explained, before anything of it is read. */
export interface ExplainSource {
  readonly document: vscode.TextDocument;
  /** Undefined: from the start of the document, as far as the model reads. */
  readonly range: TextRange | undefined;
  /** A second selection, where there are two, to be read with the first as a pair. */
  readonly second?: TextRange | undefined;
  /** Whether a model that reads no pairs refuses the second selection, or leaves it out: then that is told. Undefined: as it is wished. */
  readonly pair?: 'yes' | 'wherePossible' | 'leftOut' | undefined;
  /** The part that is read, with what is selected or the caret in it, or the document's start; undefined: what the settings say and the model can read. */
  readonly around?: TextRange | 'start' | undefined;
  /** Whether what is selected is read with the text around it; undefined: as the settings say. */
  readonly mode?: SelectionMode | undefined;
  /** Whether it is one of our samples, which are explained whole by design. */
  readonly isSample?: boolean;
  /** The target of an encoder–decoder model; undefined: what the model writes. */
  readonly target?: string | undefined;
  /** How the model goes on with it. */
  readonly continuation?: Continuation | undefined;
  /** Whether the model's chat template is put around it, which a model without one refuses or, where it is only wished for, leaves out; undefined: no. */
  readonly chat?: 'no' | 'yes' | 'wherePossible';
}

/** A text as the engine gets it. */
export interface SourceText {
  readonly text: string;
  /** UTF-16 offset of its first character in the document. */
  readonly start: number;
  /** Length of what was asked for; `text` is shorter where that is more than any model reads. */
  readonly fullLength: number;
}

/** The first selection of an editor that is not empty, with the second where there are just two, else its whole document. */
export function sourceOfEditor(editor: vscode.TextEditor): ExplainSource {
  const { document } = editor;
  const [range, second, third] = editor.selections
    .filter(({ isEmpty }) => !isEmpty)
    .map(({ start, end }): TextRange | undefined => ({ start: document.offsetAt(start), end: document.offsetAt(end) }));
  return third === undefined && second !== undefined ? { document, range, second } : { document, range };
}

/** What the person looks at: a text editor's selection, the source of a Markdown preview, or the file of a tab that has no text editor (which then is said to be binary or too large). Throws `nothingOpen`. */
export async function activeSource(): Promise<ExplainSource> {
  const editor = vscode.window.activeTextEditor ?? (await sourceOfPreview()) ?? editorBesidePanel();
  if (editor !== undefined) return sourceOfEditor(editor);
  const uri =
    uriOfTab(vscode.window.tabGroups.activeTabGroup.activeTab) ??
    vscode.window.tabGroups.all.map((group) => uriOfTab(group.activeTab)).find((candidate) => candidate !== undefined);
  if (uri === undefined) throw new ExplorerError('nothingOpen');
  return { document: await openDocument(uri), range: undefined };
}

/** Opens a document, and says what is wrong where it is no text. Throws `textTooLarge`, `binaryFile`, `fileNotFound` or `fileUnreadable`. */
export async function openDocument(uri: vscode.Uri): Promise<vscode.TextDocument> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (open !== undefined) return open;
  const name = documentName(uri);
  let [type, size] = [vscode.FileType.File, 0];
  try {
    ({ type, size } = await vscode.workspace.fs.stat(uri));
  } catch {
    // Documents of providers have no file behind them: opening says whether they exist.
  }
  checkIsNoPipe(type, name);
  checkFileLimit('text', name, size);
  try {
    return await vscode.workspace.openTextDocument(uri);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/binary/i.test(message)) throw new ExplorerError('binaryFile', [name], { cause: error });
    if (size === 0) throw new ExplorerError('fileNotFound', [name], { cause: error });
    throw new ExplorerError('fileUnreadable', [name, message], { cause: error });
  }
}

/** Reads a part of a document, or all of it. Throws `emptyText` or `binaryFile`. */
export function readSource(document: vscode.TextDocument, range: TextRange | undefined): SourceText {
  const start = range?.start ?? 0;
  const end = range?.end ?? document.offsetAt(document.lineAt(document.lineCount - 1).range.end);
  const read = Math.min(end, start + maxTextUnits);
  const text = document.getText(new vscode.Range(document.positionAt(start), document.positionAt(read)));
  checkText(text, documentName(document.uri));
  return { text, start, fullLength: end - start };
}

/** A Markdown preview shows a text that can be explained: its source takes its place. */
async function sourceOfPreview(): Promise<vscode.TextEditor | undefined> {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (!(input instanceof vscode.TabInputWebview) || !input.viewType.endsWith('markdown.preview')) return undefined;
  try {
    await vscode.commands.executeCommand('markdown.showSource');
  } catch {
    return undefined; // the built-in Markdown support can be turned off
  }
  return vscode.window.activeTextEditor;
}

/** With the panel focused there is no active editor: the one meant is beside it, rather one with a selection. */
function editorBesidePanel(): vscode.TextEditor | undefined {
  if (!isOwnTab(vscode.window.tabGroups.activeTabGroup.activeTab)) return undefined;
  // Editors without a column are those of other panels, such as the log.
  const editors = vscode.window.visibleTextEditors
    .filter(({ viewColumn }) => viewColumn !== undefined)
    .sort((a, b) => Number(a.viewColumn) - Number(b.viewColumn));
  return editors.find(({ selection }) => !selection.isEmpty) ?? editors[0];
}

function uriOfTab(tab: vscode.Tab | undefined): vscode.Uri | undefined {
  const input = tab?.input;
  return input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom ? input.uri : undefined;
}
