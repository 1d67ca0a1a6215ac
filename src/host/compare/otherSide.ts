import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { rangeInOther } from '../../model/compare/otherSide';
import { openDocument, readSource } from '../run/explainSource';
import type { TextRange } from '../run/textRange';

/** The other document of a comparison that is open and has this one; undefined where none is. Rather that of a tab that is seen. */
export function otherSideOf(uri: vscode.Uri): vscode.Uri | undefined {
  const address = uri.toString();
  const { all } = vscode.window.tabGroups;
  const tabs = [...all.flatMap(({ activeTab }) => activeTab ?? []), ...all.flatMap((group) => group.tabs)];
  for (const { input } of tabs) {
    if (!(input instanceof vscode.TabInputTextDiff)) continue;
    if (input.original.toString() === address) return input.modified;
    if (input.modified.toString() === address) return input.original;
  }
  return undefined;
}

/** What a part of a document is in another version of it. Throws `notCompared` where nothing of it is there, and what opening and reading throw. */
export async function textOfOtherSide(uri: vscode.Uri, range: TextRange, other: vscode.Uri): Promise<string> {
  const [own, document] = [await openDocument(uri), await openDocument(other)];
  const place = rangeInOther(own.getText(), document.getText(), range);
  if (place.end === place.start)
    throw new ExplorerError('notCompared', ['the other side has nothing in the place of this text']);
  return readSource(document, place).text;
}
