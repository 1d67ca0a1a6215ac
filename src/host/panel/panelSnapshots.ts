import * as vscode from 'vscode';
import { plain, type PlainText } from '../../base/safeText';
import type { ViewState } from '../../model/viewState';
import type { PanelAppearance, PanelLive, PanelRun, PersistedPanel } from '../../protocol';
import { visibleEditor } from '../editor/visibleEditor';
import type { ShownRun } from '../run/shownRun';
import { cellNumber, textName } from '../run/textName';
import { textHash } from '../run/textHash';
import { said } from '../say/said';
import type { LiveState } from '../view/viewStore';
import { readSettings } from '../readSettings';

/** A run as the panel gets it. */
export function panelRun(run: ShownRun): PanelRun {
  const { text } = run;
  const start = startOf(run);
  // What it has to say is said in sentences.
  return { info: { ...run.info, notices: [] }, documentName: textName(text.uri), startLine: start.line, startCharacter: start.character, notices: run.notices, ...(run.isLive ? { isLive: true } : {}) };
}

/** What the panel's tab is called: the text, and the lines where only some are explained. */
export function panelTitle(run: ShownRun | undefined): PlainText {
  if (run === undefined) return plain('Attention Explorer');
  const name = textName(run.text.uri);
  // What is explained in live mode moves with the caret; the tab's title does not.
  if (run.isWholeDocument || run.isLive) return plain(`Attention Explorer: ${name}`);
  const first = startOf(run).line + 1;
  const last = first + countNewlines(run.text.text);
  const lines = first === last ? `${first}` : `${first}–${last}`;
  // A number after that of a cell needs a word.
  return plain(`Attention Explorer: ${cellNumber(run.text.uri) === undefined ? `${name} ${lines}` : first === last ? said('{0}, line {1}', name, lines) : said('{0}, lines {1}', name, lines)}`);
}

/** Live mode as the panel gets it. */
export function panelLive(live: LiveState): PanelLive | null {
  return live.kind === 'off' ? null : { isPaused: live.kind === 'paused', sentence: live.sentence };
}

/** What outlives a reload of the window. */
export function persistedPanel(run: ShownRun, view: ViewState): PersistedPanel {
  const { start, end } = run.text.range;
  return { version: 1, uri: run.text.uri.toString(), start, end, textHash: textHash(run.text.text), isWholeDocument: run.isWholeDocument, ...(run.isPicture ? { isPicture: true } : {}), ...(run.isChatMessage ? { isChatMessage: true } : {}), ...(run.target === undefined ? {} : { target: run.target }), view };
}

/** How the panel should look, by the settings and the editor of the run. */
export function panelAppearance(run: ShownRun | undefined): PanelAppearance {
  const uri = run?.text.uri;
  const editor = visibleEditor(uri);
  const written = editor?.options.tabSize ?? vscode.workspace.getConfiguration('editor', uri ?? null).get<unknown>('tabSize');
  const tabSize = typeof written === 'number' && written >= 1 && written <= 64 ? Math.round(written) : 4;
  return { colourMap: readSettings(uri).colourMap, tabSize, l10n: vscode.l10n.bundle };
}

/** Where the text starts; a document that is closed says no more than that it did. */
function startOf({ text }: ShownRun): vscode.Position {
  return text.document?.positionAt(text.range.start) ?? new vscode.Position(0, 0);
}

function countNewlines(text: string): number {
  const trimmed = text.replace(/(\r\n|\n|\r)$/, '');
  return trimmed.split(/\r\n|\n|\r/).length - 1;
}
