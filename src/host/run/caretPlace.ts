import * as vscode from 'vscode';
import type { TextRange } from './textRange';

/** Where a caret stands in a document, in UTF-16 offsets. */
export interface CaretPlace {
  readonly caret: number;
  /** Its line, the break left out. */
  readonly line: TextRange;
  readonly documentLength: number;
  /** The start of the first line that begins at an offset or after it. */
  readonly lineStartFrom: (offset: number) => number;
}

/** Where a position stands in a document. */
export function caretPlace(document: vscode.TextDocument, position: vscode.Position): CaretPlace {
  const line = document.lineAt(position.line).range;
  return {
    caret: document.offsetAt(position),
    line: { start: document.offsetAt(line.start), end: document.offsetAt(line.end) },
    documentLength: document.offsetAt(document.lineAt(document.lineCount - 1).range.end),
    lineStartFrom: (offset) => {
      const place = document.positionAt(offset);
      return place.character === 0 ? offset : document.offsetAt(new vscode.Position(place.line + 1, 0));
    },
  };
}
