import * as vscode from 'vscode';
import { plain, type PlainText } from '../../base/safeText';
import type { ViewState } from '../../model/viewState';
import type { PanelAppearance, PanelLive, PanelRun, PersistedPanel } from '../../panelProtocol';
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
  const second = text.second === undefined ? undefined : startOfSecond(run);
  // What it has to say is said in sentences.
  return {
    info: { ...run.info, notices: [] },
    documentName: textName(text.uri),
    startLine: start.line,
    startCharacter: start.character,
    ...(second === undefined ? {} : { second: { startLine: second.line, startCharacter: second.character } }),
    notices: run.notices,
    ...(run.selected === undefined ? {} : { selected: { ...run.selected, place: selectedPlaceName(run) } }),
    ...(run.isLive ? { isLive: true } : {}),
    ...(run.held.isGrowing ? { isGrowing: true } : {}),
  };
}

/** Where what was selected stands, and the lines that it was read in: `file.py 19, in lines 12–30`. */
export function selectedPlaceName(run: ShownRun): PlainText {
  const all = linesOfRun(run);
  if (run.focus === undefined)
    return run.selected === undefined ? placeName(run, all) : said('{0}, alone', placeName(run, all));
  const own = placeName(run, linesOfRun(run, run.focus));
  return all.includes('–') ? said('{0}, in lines {1}', own, all) : said('{0}, in its line', own);
}

/** A text's name and lines of it. */
function placeName({ text }: ShownRun, lines: PlainText): PlainText {
  const name = textName(text.uri);
  // A number after that of a cell needs a word.
  if (cellNumber(text.uri) === undefined) return plain(`${name} ${lines}`);
  return lines.includes('–') ? said('{0}, lines {1}', name, lines) : said('{0}, line {1}', name, lines);
}

/** The lines, from one, of a run's text or of a part of it. */
function linesOfRun(run: ShownRun, { start, end } = { start: 0, end: run.text.text.length }): PlainText {
  const { text, texts } = run.text;
  const lines = (at: number, read: string): string =>
    countNewlines(read) === 0 ? `${at}` : `${at}–${at + countNewlines(read)}`;
  const from = startOf(run).line + 1;
  if (texts !== undefined) return plain(`${lines(from, texts[0])} + ${lines(startOfSecond(run).line + 1, texts[1])}`);
  return plain(lines(from + countNewlines(text.slice(0, start), false), text.slice(start, end)));
}

/** What the panel's tab is called: the text, and the lines where only some are explained. */
export function panelTitle(run: ShownRun | undefined): PlainText {
  if (run === undefined) return plain('Attention Explorer');
  const name = textName(run.text.uri);
  // What is explained in live mode moves with the caret; the tab's title does not.
  if (run.isWholeDocument || run.isLive) return plain(`Attention Explorer: ${name}`);
  return plain(
    `Attention Explorer: ${run.focus === undefined ? placeName(run, linesOfRun(run)) : selectedPlaceName(run)}`,
  );
}

/** Live mode as the panel gets it. */
export function panelLive(live: LiveState): PanelLive | null {
  return live.kind === 'off' ? null : { isPaused: live.kind === 'paused', sentence: live.sentence };
}

/** What outlives a reload of the window. */
export function persistedPanel(run: ShownRun, view: ViewState): PersistedPanel {
  const { start, end } = run.text.range;
  const { second, texts: [first, other] = [run.text.text, ''] } = run.text;
  return {
    version: 1,
    uri: run.text.uri.toString(),
    start,
    end,
    textHash: textHash(first),
    ...(second === undefined ? {} : { second: { ...second, textHash: textHash(other) } }),
    isWholeDocument: run.isWholeDocument,
    ...(run.isPicture ? { isPicture: true } : {}),
    ...(run.isChatMessage ? { isChatMessage: true } : {}),
    ...(run.target === undefined ? {} : { target: run.target }),
    ...(run.focus === undefined ? {} : { focus: { start: run.focus.start, end: run.focus.end } }),
    view,
  };
}

/** How the panel should look, by the settings and the editor of the run. */
export function panelAppearance(run: ShownRun | undefined): PanelAppearance {
  const uri = run?.text.uri;
  const editor = visibleEditor(uri);
  const written =
    editor?.options.tabSize ?? vscode.workspace.getConfiguration('editor', uri ?? null).get<unknown>('tabSize');
  const tabSize = typeof written === 'number' && written >= 1 && written <= 64 ? Math.round(written) : 4;
  return { colourMap: readSettings(uri).colourMap, tabSize, l10n: vscode.l10n.bundle };
}

/** Where the text starts; a document that is closed says no more than that it did. */
function startOf({ text }: ShownRun): vscode.Position {
  return text.document?.positionAt(text.range.start) ?? new vscode.Position(0, 0);
}

function startOfSecond({ text }: ShownRun): vscode.Position {
  return text.document?.positionAt(text.second?.start ?? 0) ?? new vscode.Position(0, 0);
}

function countNewlines(text: string, isLastLeftOut = true): number {
  const trimmed = isLastLeftOut ? text.replace(/(\r\n|\n|\r)$/, '') : text;
  return trimmed.split(/\r\n|\n|\r/).length - 1;
}
