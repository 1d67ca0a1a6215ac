import * as vscode from 'vscode';
import { plain, type PlainText } from '../../base/safeText';
import { said } from '../say/said';
import { documentName } from './documentName';

/** UTF-16 units of a document's own name, beside which there is room for more. */
const maxName = 200;

/** What a text is called: its document, of a notebook also the cell, of a comparison also the side. */
export function textName(uri: vscode.Uri): PlainText {
  const name = plain(documentName(uri), maxName);
  const cell = cellNumber(uri);
  if (cell !== undefined) return said('{0}, cell {1}', name, cell);
  switch (diffSide(uri)) {
    case 'left':
      return said('{0}, left side', name);
    case 'right':
      return said('{0}, right side', name);
    default:
      return name;
  }
}

/** The number of the notebook's cell, from one, that a document is; undefined where it is none. */
export function cellNumber(uri: vscode.Uri): number | undefined {
  const address = uri.toString();
  for (const notebook of vscode.workspace.notebookDocuments) {
    const index = notebook.getCells().findIndex(({ document }) => document.uri.toString() === address);
    if (index >= 0) return index + 1;
  }
  return undefined;
}

/** The side that a document is of a comparison that can be seen. */
function diffSide(uri: vscode.Uri): 'left' | 'right' | undefined {
  const address = uri.toString();
  for (const { activeTab } of vscode.window.tabGroups.all) {
    const input = activeTab?.input;
    if (!(input instanceof vscode.TabInputTextDiff)) continue;
    if (input.original.toString() === address) return 'left';
    if (input.modified.toString() === address) return 'right';
  }
  return undefined;
}
