import * as vscode from 'vscode';
import { ExplorerError } from '../../base/errors';
import { labelText, plain, type PlainText } from '../../base/safeText';
import { matrixSvg } from '../../model/figures/matrixSvg';
import { headLabel, type HeadSelection } from '../../model/head';
import { joinedComponent, joinsHeads, methodOf } from '../../model/methods';
import { editorColours, rampFor } from '../../model/ramp';
import { visibleText } from '../../model/token';
import { unitsOf, unitStream } from '../../model/units';
import type { ViewState } from '../../model/viewState';
import type { ExplorerPanels } from '../panel/explorerPanels';
import { readSettings } from '../readSettings';
import { documentName } from '../run/documentName';
import type { ShownRun } from '../run/shownRun';
import { askWhereToSave } from '../say/dialogs';
import { chooseOf, type ListItem } from '../say/lists';
import { showInformation } from '../say/notifications';
import { said } from '../say/said';
import { selectionLabel } from '../selectionLabel';
import type { ViewStore } from '../view/viewStore';
import { writeFile, type WriteWhole } from './writeFile';

/** What a figure may become; `millimetres` is its width on paper. */
type Kind =
  | { readonly to: 'png' }
  | { readonly to: 'svg'; readonly millimetres: number }
  | { readonly to: 'clipboard'; readonly millimetres: number };

/** Widths of papers of one column and of two, in millimetres. */
const [oneColumn, twoColumns] = [85, 174];

/** Saves the matrix: as it is drawn, or as a figure for a light page, whatever the theme. */
export async function saveFigure(
  store: ViewStore,
  panels: Pick<ExplorerPanels, 'figure'>,
  writeWhole: WriteWhole | undefined,
): Promise<void> {
  const { run, view } = store;
  if (run === undefined) throw new ExplorerError('unknownRun');
  const kind = await chooseKind();
  if (kind === undefined) return;
  const bytes =
    kind.to === 'png' ? await panels.figure() : new TextEncoder().encode(await svgOf(run, view, kind.millimetres));
  if (kind.to === 'clipboard') {
    await vscode.env.clipboard.writeText(new TextDecoder().decode(bytes));
    showInformation(said('The figure is in the clipboard, as SVG.'));
    return;
  }
  const method = view.method === 'attention' ? '' : `-${view.method}`;
  const target = await askWhereToSave({
    title: said('Save Figure'),
    name: plain(
      `${documentName(run.text.uri)}-${headsName(view.selection)}${method}.${kind.to}`.replaceAll(/[^\w.-]+/g, '-'),
    ),
    kind:
      kind.to === 'png'
        ? { name: said('PNG picture'), extensions: ['png'] }
        : { name: said('SVG picture'), extensions: ['svg'] },
    besides: run.text.uri,
  });
  if (target !== undefined) await writeFile(target, oneOf(bytes), writeWhole);
}

async function chooseKind(): Promise<Kind | undefined> {
  const item = (label: PlainText, detail: PlainText, figure: Kind): ListItem & { readonly figure: Kind } => ({
    label: labelText(label),
    detail: labelText(detail),
    figure,
  });
  const light = said('The whole matrix for a light page, whatever the theme: text stays text, cells are shapes');
  const chosen = await chooseOf(
    [
      item(said('PNG, as It Is Drawn'), said('The part of the matrix that is seen, in the colours of the theme'), {
        to: 'png',
      }),
      item(said('SVG, {0} mm Wide (One Column)', oneColumn), light, { to: 'svg', millimetres: oneColumn }),
      item(said('SVG, {0} mm Wide (Two Columns)', twoColumns), light, { to: 'svg', millimetres: twoColumns }),
      item(said('Copy as SVG'), light, { to: 'clipboard', millimetres: oneColumn }),
    ],
    { title: said('Save Figure'), placeholder: said('As what kind of picture?') },
  );
  return chosen?.figure;
}

/** The matrix that a view shows of a run, as an SVG file. Throws `unknownRun` where the attention is gone, `methodNotOffered`. */
async function svgOf(run: ShownRun, view: ViewState, millimetres: number): Promise<string> {
  const { info, held } = run;
  const { selection, method, level, sinks, scale, direction, threshold } = view;
  const component = info.components.find((each) => each.component === selection.component);
  if (component === undefined) throw new ExplorerError('unknownRun');
  const { ceiling } = method === 'attention' ? { ceiling: 1 } : await held.weighing(selection.component, method);
  const pattern = await held.pattern(selection, await held.weightForm(selection.component, view));
  const symbols = level === 'symbol' ? await held.symbols() : [];
  const labels = (stream: number): readonly string[] => {
    const over = unitStream(info.streams[stream], unitsOf(info.streams[stream], level, symbols));
    return over.tokens.map((_, position) => visibleText(over, position));
  };
  const { background, foreground } = editorColours.light;
  const { title, unit } = methodOf(method);
  const shown = joinsHeads(method) ? info.components.map(joinedComponent) : info.components;
  const scales = { absolute: said('absolute scale'), row: said('scale by row'), log: said('logarithmic scale') };
  return matrixSvg({
    pattern,
    queries: labels(component.queryStream),
    keys: labels(component.keyStream),
    caption: [
      [
        info.model.name,
        documentName(run.text.uri),
        selectionLabel(selection, shown),
        said(title), // eslint-disable-line no-restricted-syntax -- the table is ours
        ...(unit === 'norm' ? [said('full depth: {0}', Number(ceiling.toPrecision(3)))] : []),
        ...(level === 'token' ? [] : [level]),
        ...(sinks === 'show' ? [] : [sinks === 'fade' ? said('sinks faded') : said('sinks removed')]),
        scales[scale],
      ].join(' · '),
      `${said('Rows: queries, columns: keys')} · Attention Explorer ${version()}`,
    ],
    scale,
    ceiling,
    threshold,
    ramp: rampFor(readSettings(run.text.uri).colourMap, background, foreground, direction),
    background,
    foreground,
    millimetres,
  });
}

function version(): string {
  const { version: ours } = Object(
    vscode.extensions.getExtension('attention-explorer.attention-explorer')?.packageJSON,
  ) as { readonly version?: unknown };
  return typeof ours === 'string' ? ours : '';
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
