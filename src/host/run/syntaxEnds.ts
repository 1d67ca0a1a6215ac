import * as vscode from 'vscode';
import type { TextRange } from './textRange';

/** How long whoever knows the language may take, in milliseconds: an explanation waits for it no longer. */
export const syntaxPatience = 100;

const bodies: readonly vscode.SymbolKind[] = [
  vscode.SymbolKind.Function,
  vscode.SymbolKind.Method,
  vscode.SymbolKind.Constructor,
];

/**
 * Where the text around a selection, or a caret, comes to an end by its language, in whole lines after the selection's own, the best first: the
 * function that it stands in, then the statement or bracket that goes on below it. Empty where nobody says so at once.
 */
export async function syntaxEnds(
  document: vscode.TextDocument,
  selection: TextRange,
  patience = syntaxPatience,
): Promise<readonly number[]> {
  const range = new vscode.Range(document.positionAt(selection.start), document.positionAt(selection.end));
  const ask = async <T>(command: string, ...args: unknown[]): Promise<T[]> => {
    try {
      return (await vscode.commands.executeCommand<T[] | undefined>(command, document.uri, ...args)) ?? [];
    } catch {
      return []; // another extension's matter
    }
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<[]>((resolve) => (timer = setTimeout(() => resolve([]), patience)));
  const asked = Promise.all([
    ask<vscode.DocumentSymbol | vscode.SymbolInformation>('vscode.executeDocumentSymbolProvider'),
    ask<vscode.SelectionRange>('vscode.executeSelectionRangeProvider', [range.start]),
  ]);
  const [symbols = [], [chain] = []] = await Promise.race([asked, late]);
  clearTimeout(timer);
  const ends = [functionAround(symbols, range), nodeBeyond(chain, range, document)].flatMap((node) =>
    node === undefined ? [] : [endOfLines(document, node)],
  );
  return ends.filter((end) => end > document.offsetAt(document.lineAt(range.end.line).range.end));
}

/** The innermost function around a range. */
function functionAround(
  symbols: readonly (vscode.DocumentSymbol | vscode.SymbolInformation)[],
  range: vscode.Range,
): vscode.Range | undefined {
  let found: vscode.Range | undefined;
  for (const symbol of symbols) {
    const own = 'location' in symbol ? symbol.location.range : symbol.range;
    if (!own.contains(range)) continue;
    const inner = 'children' in symbol ? functionAround(symbol.children, range) : undefined;
    const candidate = inner ?? (bodies.includes(symbol.kind) ? own : undefined);
    if (candidate !== undefined && (found === undefined || found.contains(candidate))) found = candidate;
  }
  return found;
}

/** The innermost node around a range that ends on a later line and is not all of the document. */
function nodeBeyond(
  chain: vscode.SelectionRange | undefined,
  range: vscode.Range,
  document: vscode.TextDocument,
): vscode.Range | undefined {
  for (let node = chain; node !== undefined; node = node.parent) {
    const isAll = node.range.start.line === 0 && node.range.end.line >= document.lineCount - 1;
    if (!isAll && node.range.contains(range) && node.range.end.line > range.end.line) return node.range;
  }
  return undefined;
}

/** The end of the last line that a range has something of. */
function endOfLines(document: vscode.TextDocument, { end }: vscode.Range): number {
  const line = end.character === 0 && end.line > 0 ? end.line - 1 : end.line;
  return document.offsetAt(document.lineAt(Math.min(line, document.lineCount - 1)).range.end);
}
