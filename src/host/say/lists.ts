import * as vscode from 'vscode';
import type { LabelText, PlainText } from '../../base/safeText';

/** An entry of a list, whose texts VS Code searches for icons. */
export interface ListItem extends vscode.QuickPickItem {
  readonly label: LabelText;
  readonly description?: LabelText;
  readonly detail?: LabelText;
}

/** What a list is headed with. */
export interface ListHead {
  readonly title: PlainText;
  readonly placeholder?: PlainText;
  /** Whether it stays open when the panel takes the keyboard: one of several lists in a row, between which that comes back. */
  readonly staysOpen?: boolean;
}

/** Lets the person choose an entry; descriptions are searched too. */
export function chooseOf<Item extends ListItem>(
  items: readonly Item[],
  { title, placeholder, staysOpen = false }: ListHead,
): Thenable<Item | undefined> {
  return vscode.window.showQuickPick(items, {
    title,
    matchOnDescription: true,
    ignoreFocusOut: staysOpen,
    ...(placeholder === undefined ? {} : { placeHolder: placeholder }),
  });
}

/** A list whose entries come and go, searched in what is told of them too. */
export function createList<Item extends ListItem>({ title, placeholder }: ListHead): vscode.QuickPick<Item> {
  const list = vscode.window.createQuickPick<Item>();
  list.title = title;
  list.placeholder = placeholder;
  list.matchOnDescription = true;
  list.matchOnDetail = true;
  return list;
}

/** Heads a list anew. */
export function nameList(list: vscode.QuickPick<ListItem>, title: PlainText): void {
  list.title = title;
}

/** A line between entries. */
export function separator(label: LabelText): ListItem {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

/** A button of an entry. */
export function itemButton(icon: string, tooltip: PlainText): vscode.QuickInputButton {
  return { iconPath: new vscode.ThemeIcon(icon), tooltip };
}
