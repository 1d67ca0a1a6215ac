import * as vscode from 'vscode';
import { plain } from '../../base/safeText';
import type { TextSymbol } from '../../model/units';
import type { TrackedSource } from './trackedPicture';

/** How long whoever knows the language may take, in milliseconds: a choice of the level waits for it no longer. */
const patience = 3000;
/** Symbols of a text that are taken. */
const maxSymbols = 20_000;

/** The symbols of an explained text as VS Code's outline lists them, by offsets in the text; none where nobody knows its language, or in time. */
export async function documentSymbols(text: TrackedSource): Promise<readonly TextSymbol[]> {
  const { document, texts } = text;
  // Of a pair each text has a place of its own.
  if (document === undefined || texts !== undefined || text.isEdited) return [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), patience)));
  const asked = vscode.commands
    .executeCommand<(vscode.DocumentSymbol | vscode.SymbolInformation)[] | undefined>(
      'vscode.executeDocumentSymbolProvider',
      text.uri,
    )
    .then(
      (symbols) => symbols,
      () => undefined, // another extension's matter
    );
  const symbols = (await Promise.race([asked, late])) ?? [];
  clearTimeout(timer);
  const range = text.rangeOf(document, 0, text.text.length);
  if (range === undefined) return [];
  const from = document.offsetAt(range.start);
  const offset = (position: vscode.Position): number =>
    Math.max(0, Math.min(text.text.length, document.offsetAt(position) - from));
  const found: TextSymbol[] = [];
  const take = (list: readonly (vscode.DocumentSymbol | vscode.SymbolInformation)[]): void => {
    for (const symbol of list) {
      if (found.length >= maxSymbols) return;
      const own = 'location' in symbol ? symbol.location.range : symbol.range;
      const [start, end] = [offset(own.start), offset(own.end)];
      // What a symbol is made of, such as the fields of an object, is no unit of the text: whole lines are.
      if (end > start && own.end.line > own.start.line) found.push({ start, end, name: plain(symbol.name) });
      if ('children' in symbol) take(symbol.children);
    }
  };
  take(symbols);
  return found;
}
