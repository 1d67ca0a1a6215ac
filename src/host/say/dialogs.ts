import * as vscode from 'vscode';
import { messageText, type PlainText } from '../../base/safeText';

/** What the person is asked to write. */
export interface Question {
  readonly title: PlainText;
  readonly prompt: PlainText;
  readonly placeholder: PlainText;
  /** What stands there already: text to edit, as it is. */
  readonly value: string;
  /** Whether nobody is to read over one's shoulder. */
  readonly isSecret?: boolean;
  /** Says what is wrong with what was written. */
  readonly check: (text: string) => PlainText | undefined;
}

/** Asks for a text; undefined where the person leaves. */
export function askForText({
  title,
  prompt,
  placeholder,
  value,
  isSecret = false,
  check,
}: Question): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title,
    prompt: messageText(prompt),
    placeHolder: placeholder,
    value,
    password: isSecret,
    // A panel that comes into sight meanwhile takes the focus, and what was being written would be gone.
    ignoreFocusOut: true,
    validateInput: (text) => {
      const found = check(text);
      return found && messageText(found);
    },
  });
}

/** Where something is to be kept. */
export interface SaveQuestion {
  readonly title: PlainText;
  /** Of the file, until the person chooses another. */
  readonly name: PlainText;
  readonly kind: { readonly name: PlainText; readonly extensions: readonly string[] };
  /** The folder of this file is where one starts. */
  readonly besides: vscode.Uri;
}

/** Asks where to save a file; undefined where the person leaves. */
export function askWhereToSave({ title, name, kind, besides }: SaveQuestion): Thenable<vscode.Uri | undefined> {
  // What is in no folder (a text that was never saved, a sample) has none to start in.
  const folder =
    besides.scheme === 'file' || besides.scheme === 'vscode-remote' || besides.scheme === 'vscode-vfs'
      ? vscode.Uri.joinPath(besides, '..')
      : vscode.workspace.workspaceFolders?.[0]?.uri;
  return vscode.window.showSaveDialog({
    title,
    filters: { [kind.name]: [...kind.extensions] },
    ...(folder === undefined ? {} : { defaultUri: vscode.Uri.joinPath(folder, name) }),
  });
}

/** Which file is asked for. */
export interface FileQuestion {
  readonly title: PlainText;
  readonly button: PlainText;
  /** A kind of files and how their names end; without one, a folder is asked for. */
  readonly kind: { readonly name: PlainText; readonly extensions: readonly string[] } | undefined;
  readonly startAt?: vscode.Uri;
}

/** Asks for a file or a folder; undefined where the person leaves. */
export async function askForFile({ title, button, kind, startAt }: FileQuestion): Promise<vscode.Uri | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title,
    openLabel: button,
    canSelectFiles: kind !== undefined,
    canSelectFolders: kind === undefined,
    ...(kind === undefined ? {} : { filters: { [kind.name]: [...kind.extensions] } }),
    ...(startAt === undefined ? {} : { defaultUri: startAt }),
  });
  return chosen?.[0];
}
