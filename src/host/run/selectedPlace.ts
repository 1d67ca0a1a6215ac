import * as vscode from 'vscode';
import type { SelectedPlace } from '../../model/contextWindow';
import type { TextRange } from './textRange';

/** Where a selection stands in a document. */
export function selectedPlace(
  document: vscode.TextDocument,
  selection: TextRange,
  nodeEnds: readonly number[] = [],
): SelectedPlace {
  const [first, last] = [document.positionAt(selection.start), document.positionAt(selection.end)];
  const endOfLine = (line: number): number => document.offsetAt(document.lineAt(line).range.end);
  return {
    selection,
    nodeEnds,
    firstLineStart: document.offsetAt(first.with({ character: 0 })),
    // A selection of whole lines ends at the start of the next one.
    lastLineEnd: last.character === 0 ? selection.end : endOfLine(last.line),
    documentLength: endOfLine(document.lineCount - 1),
    lineStartFrom: (offset) => {
      const place = document.positionAt(offset);
      return place.character === 0 ? offset : document.offsetAt(new vscode.Position(place.line + 1, 0));
    },
    lineEndUntil: (offset) => {
      const { line } = document.positionAt(offset);
      return endOfLine(line) <= offset ? endOfLine(line) : line === 0 ? 0 : endOfLine(line - 1);
    },
  };
}

/** A part of a document without the halves of characters that it would cut. */
export function withWholeCharacters(document: vscode.TextDocument, { start, end }: TextRange): TextRange {
  const isHalved = (offset: number): boolean =>
    /^[\ud800-\udbff][\udc00-\udfff]$/.test(
      document.getText(new vscode.Range(document.positionAt(offset - 1), document.positionAt(offset + 1))),
    );
  return { start: start > 0 && isHalved(start) ? start + 1 : start, end: isHalved(end) ? end - 1 : end };
}
