import * as vscode from 'vscode';
import type { KnownDefinition } from '../../model/relations/relationPairs';
import type { TrackedSource } from './trackedPicture';

/** How long language servers may take altogether, in milliseconds. */
const patience = 3000;
/** Names that are asked about, and how many at a time. */
const maxAsked = 400;
const together = 16;

/** Where VS Code's definition providers say that the names of a text are defined, as far as that is in the text and told in time. */
export async function knownDefinitions(text: TrackedSource): Promise<readonly KnownDefinition[]> {
  const { document, texts } = text;
  if (document === undefined || texts !== undefined || text.isEdited) return [];
  const range = text.rangeOf(document, 0, text.text.length);
  if (range === undefined) return [];
  const from = document.offsetAt(range.start);
  const names = [...text.text.matchAll(/[\p{L}_$][\p{L}\p{N}_$]*/gu)].slice(0, maxAsked);
  const found: KnownDefinition[] = [];
  const until = performance.now() + patience;
  for (let next = 0; next < names.length && performance.now() < until; next += together) {
    const asked = names.slice(next, next + together).map(async ({ index }) => {
      const definition = await definitionAt(document, document.positionAt(from + index));
      if (definition === undefined) return;
      const [start, end] = [document.offsetAt(definition.start) - from, document.offsetAt(definition.end) - from];
      if (start >= 0 && end > start && end <= text.text.length) found.push({ at: index, definition: [start, end] });
    });
    const late = new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, until - performance.now())));
    await Promise.race([Promise.all(asked), late]);
    // Where nobody knows the first names, nobody knows the language.
    if (next === 0 && found.length === 0) return [];
  }
  return found;
}

async function definitionAt(
  document: vscode.TextDocument,
  position: vscode.Position,
): Promise<vscode.Range | undefined> {
  try {
    const [first] =
      (await vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[] | undefined>(
        'vscode.executeDefinitionProvider',
        document.uri,
        position,
      )) ?? [];
    if (first === undefined) return undefined;
    if ('targetUri' in first)
      return first.targetUri.toString() === document.uri.toString()
        ? (first.targetSelectionRange ?? first.targetRange)
        : undefined;
    return first.uri.toString() === document.uri.toString() ? first.range : undefined;
  } catch {
    return undefined; // another extension's matter
  }
}
