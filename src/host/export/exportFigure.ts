import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { labelText, type PlainText } from '../../base/safeText';
import { oneColumn, twoColumns } from '../../model/figures/paper';
import { figureViews, type FigureView } from '../../model/figures/viewFigures';
import { headLabel, type HeadSelection } from '../../model/head';
import { editorColours } from '../../model/ramp';
import type { SeenView } from '../../panelProtocol';
import type { ExplorerPanels } from '../panel/explorerPanels';
import { panelAppearance } from '../panel/panelSnapshots';
import { documentName } from '../run/documentName';
import type { ShownRun } from '../run/shownRun';
import { askWhereToSave } from '../say/dialogs';
import { chooseOf, type ListItem } from '../say/lists';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import type { ViewStore } from '../view/viewStore';
import { drawView } from './drawView';
import type { ViewToDraw } from './readView';
import { exportPage } from './exportPage';
import { version } from './ownExtension';
import { writeFile, type WriteWhole } from './writeFile';
import { offeredName } from './offeredName';

/** What an export needs of the window. */
export interface ExportPlace {
  readonly panel: Pick<ExplorerPanels, 'figure'>;
  readonly writeWhole: WriteWhole | undefined;
}

/** What a figure becomes; `times`: how many times as large as on a screen a picture is. */
type Kind =
  | { readonly to: 'drawn' }
  | { readonly to: 'svg' | 'svgCopy' }
  | { readonly to: 'png' | 'pngCopy'; readonly times: number };

/** What it is drawn on. */
interface Page {
  readonly isLight: boolean;
  readonly millimetres: number;
}

/** Exports a view as it stands: the person says which, as what and for what page. */
export async function exportFigure(store: ViewStore, { panel, writeWhole }: ExportPlace): Promise<void> {
  const { run } = store;
  if (run === undefined) throw new ExplorerError('unknownRun');
  const seen = await seenIn(panel);
  const what = await chooseView(run, seen);
  if (what === 'page') return exportPage(store, seen, writeWhole);
  const kind = what && (await chooseKind(what, seen !== undefined));
  if (what === undefined || kind === undefined) return;
  if (kind.to === 'drawn') {
    const answer = await panel.figure({ kind: 'drawn' });
    if (answer.kind === 'picture') await save(store, what, 'png', { bytes: answer.png, writeWhole });
    return;
  }
  const page = await choosePage(seen !== undefined);
  if (page === undefined) return;
  const { colourMap, tabSize } = panelAppearance(run);
  const { background, foreground } = page.isLight || seen === undefined ? editorColours.light : seen;
  const drawn: ViewToDraw = {
    run,
    view: store.view,
    seen,
    tokens: lookedAtIn(store),
    colourMap,
    background,
    foreground,
  };
  const svg = await drawView(what, drawn, { millimetres: page.millimetres, version: version(), tabSize });
  switch (kind.to) {
    case 'svg':
      return save(store, what, 'svg', { bytes: new TextEncoder().encode(svg), writeWhole });
    case 'svgCopy':
      await vscode.env.clipboard.writeText(svg);
      showInformation(said('The figure is in the clipboard, as SVG.'));
      return;
    case 'pngCopy':
      await panel.figure({ kind: 'copy', svg, times: kind.times });
      showInformation(said('The figure is in the clipboard, as a picture.'));
      return;
    case 'png': {
      const answer = await panel.figure({ kind: 'picture', svg, times: kind.times });
      if (answer.kind === 'picture') await save(store, what, 'png', { bytes: answer.png, writeWhole });
    }
  }
}

/** What is looked at: the pinned tokens, else the one that is lit. */
function lookedAtIn({ view, hovered, caret }: ViewStore): ViewToDraw['tokens'] {
  const lit = hovered?.token ?? caret;
  return view.pinned.length > 0 || lit === undefined ? view.pinned : [lit];
}

/** What the page shows; undefined where none is in sight. */
async function seenIn(panel: ExportPlace['panel']): Promise<SeenView | undefined> {
  const answer = await panel.figure({ kind: 'seen' }).catch(() => undefined);
  return answer?.kind === 'seen' ? answer.seen : undefined;
}

async function chooseView(run: ShownRun, seen: SeenView | undefined): Promise<FigureView | 'page' | undefined> {
  const offered = {
    matrix: [said('Matrix'), said('The selected heads, with labels')],
    source: [
      said('Source'),
      run.isPicture ? said('The picture with its patches lit') : said('The text with its highlights'),
    ],
    list: [said('Strongest Sources'), said('What the pinned token reads, or what reads it, with numbers')],
    grid: [said('All Heads'), said('A small picture of each')],
    heads: [said('Metrics of Heads'), said('As a table, in the order of the panel’s own')],
    how: [said('How a Weight Came About'), said('All steps of the weight that the panel shows')],
    differences: [said('Differences'), said('How far heads are from those of the compared run')],
    page: [
      said('Interactive Page (HTML)'),
      said('One file that answers to hover, pins and the choice of a head, without a network'),
    ],
  } as const;
  const isOffered: Partial<Record<FigureView | 'page', boolean>> = {
    how: seen?.pair !== undefined,
    differences: run.held.comparedWith !== undefined,
  };
  const items = ([...figureViews, 'page'] as const)
    .filter((view) => isOffered[view] !== false)
    .map((view): ListItem & { readonly view: FigureView | 'page' } => ({
      label: labelText(offered[view][0]),
      detail: labelText(offered[view][1]),
      view,
    }));
  const chosen = await chooseOf(items, { title: said('Export'), staysOpen: true, placeholder: said('Which view?') });
  return chosen?.view;
}

async function chooseKind(what: FigureView, isInSight: boolean): Promise<Kind | undefined> {
  const item = (label: PlainText, detail: PlainText, becomes: Kind): ListItem & { readonly becomes: Kind } => ({
    label: labelText(label),
    detail: labelText(detail),
    becomes,
  });
  // Pictures are made by the page.
  const pictures = isInSight
    ? [
        ...[1, 2, 4].map((times) =>
          item(said('PNG, {0}×', times), said('{0} dots an inch', 96 * times), { to: 'png', times }),
        ),
        ...(what === 'matrix'
          ? [
              item(
                said('PNG, as It Is Drawn'),
                said('The part of the matrix that is seen, in the colours of the theme'),
                {
                  to: 'drawn',
                },
              ),
            ]
          : []),
      ]
    : [];
  const chosen = await chooseOf(
    [
      item(said('SVG'), said('Text stays text, and cells are shapes while there are few'), { to: 'svg' }),
      ...pictures,
      item(said('Copy as SVG'), said('Into the clipboard, as text'), { to: 'svgCopy' }),
      ...(isInSight
        ? [
            item(said('Copy as Picture'), said('Into the clipboard, {0} dots an inch', 192), {
              to: 'pngCopy',
              times: 2,
            }),
          ]
        : []),
    ],
    { title: said('Export'), staysOpen: true, placeholder: said('As what?') },
  );
  return chosen?.becomes;
}

async function choosePage(isInSight: boolean): Promise<Page | undefined> {
  const item = (label: PlainText, page: Page): ListItem & { readonly page: Page } => ({
    label: labelText(label),
    page,
  });
  const columns = (isLight: boolean): readonly (ListItem & { readonly page: Page })[] => [
    item(
      isLight
        ? said('Light Page, {0} mm Wide (One Column)', oneColumn)
        : said('As Seen, {0} mm Wide (One Column)', oneColumn),
      { isLight, millimetres: oneColumn },
    ),
    item(
      isLight
        ? said('Light Page, {0} mm Wide (Two Columns)', twoColumns)
        : said('As Seen, {0} mm Wide (Two Columns)', twoColumns),
      { isLight, millimetres: twoColumns },
    ),
  ];
  const chosen = await chooseOf([...columns(true), ...(isInSight ? columns(false) : [])], {
    title: said('Export'),
    staysOpen: true,
    placeholder: said('For what page? As seen: in the colours of the theme'),
  });
  return chosen?.page;
}

async function save(
  { run, view }: ViewStore,
  what: FigureView,
  ending: 'svg' | 'png',
  { bytes, writeWhole }: { readonly bytes: Uint8Array; readonly writeWhole: WriteWhole | undefined },
): Promise<void> {
  if (run === undefined) throw new ExplorerError('unknownRun');
  const method = view.method === 'attention' ? '' : `-${view.method}`;
  const target = await askWhereToSave({
    title: said('Save Figure'),
    name: offeredName(documentName(run.text.uri), `-${what}-${headsName(view.selection)}${method}.${ending}`),
    kind: { name: ending === 'png' ? said('PNG picture') : said('SVG picture'), extensions: [ending] },
    besides: run.text.uri,
  });
  if (target === undefined) return;
  await writeFile(target, oneOf(bytes), writeWhole);
  showInformation(said('The figure was written to {0}.', target.fsPath));
}

function headsName({ component, heads, aggregation }: HeadSelection): string {
  const [first] = heads;
  return heads.length === 1 && first !== undefined
    ? `${component}-${headLabel(first)}`
    : `${component}-${aggregation}-of-${heads.length}`;
}

async function* oneOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
