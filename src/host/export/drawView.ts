import { ExplorerError } from '../../base/errors';
import { plain, type PlainText } from '../../base/safeText';
import { comparedValues, type Comparison } from '../../model/compare/comparison';
import { figureNumber } from '../../model/figures/figureNumber';
import { gridSvg } from '../../model/figures/gridSvg';
import { differencesFigure, headsFigure, mostTableHeads } from '../../model/figures/headFigures';
import { listSvg } from '../../model/figures/listSvg';
import { matrixSvg, type MatrixFigure } from '../../model/figures/matrixSvg';
import type { Paper } from '../../model/figures/paper';
import { sourceSvg } from '../../model/figures/sourceSvg';
import { stepsSvg } from '../../model/figures/stepsSvg';
import { tableSvg } from '../../model/figures/tableSvg';
import {
  figureTokenName,
  gridFigure,
  listFigure,
  sourceFigure,
  stepsFigure,
  type FigureView,
} from '../../model/figures/viewFigures';
import { headsOf } from '../../model/head';
import type { Sources } from '../../model/lighting';
import { hasEnoughRows, tellingMetrics } from '../../model/metrics/headTable';
import { metricOf, type MetricId } from '../../model/metrics/metrics';
import { MetricText, metricTextOf } from '../../model/metrics/metricText';
import { joinedComponent, joinsHeads, methodOf } from '../../model/methods';
import { visibleText, type TokenStream } from '../../model/token';
import { documentName } from '../run/documentName';
import { said } from '../say/said';
import { selectionLabel } from '../selectionLabel';
import { fitsWhole, patternOf, readView, type ReadView, type ViewToDraw } from './readView';

/** The side of a head's picture in the grid, in cells. */
const thumbnailSize = 48;

/** What a figure is to be drawn for, with the version of what draws it. */
export interface DrawnFor {
  readonly millimetres: number;
  readonly version: string;
  readonly tabSize: number;
}

/** A view of a run as an SVG file. Throws `unknownRun` where the attention is gone, `methodNotOffered`, and what reading it throws. */
export async function drawView(what: FigureView, drawn: ViewToDraw, given: DrawnFor): Promise<string> {
  const read = await readView(drawn);
  const { background, foreground } = drawn;
  const paper = (extra: readonly PlainText[] = []): Paper => ({
    background,
    foreground,
    millimetres: given.millimetres,
    caption: captionOf(drawn, read, extra, given.version),
  });
  switch (what) {
    case 'matrix':
      return matrixSvg(await matrixFigure(drawn, read), paper([said('Rows: queries, columns: keys')]));
    case 'source':
      return sourceSvg(
        sourceFigure(
          read,
          streamTitles(read),
          given.tabSize,
          drawn.run.isPicture ? await drawn.run.held.picture() : undefined,
        ),
        paper(lookedAt(read)),
      );
    case 'list':
      return listSvg(
        listFigure(read, { title: lookedAt(read).join(''), rest: (sources) => restOf(read, sources) }),
        paper(),
      );
    case 'grid':
      return gridSvg(await gridOf(drawn, read), paper([said('Rows: layers, columns: heads')]));
    case 'heads':
      return headsSvg(drawn, read, paper);
    case 'how':
      return howSvg(drawn, read, paper());
    case 'differences':
      return tableSvg(
        differencesTable(await drawn.run.held.compare(read.component.component)),
        paper([said('The heads that changed most; Jensen–Shannon divergence in bits (Lin 1991)')]),
      );
  }
}

async function matrixFigure({ run }: ViewToDraw, read: ReadView): Promise<MatrixFigure> {
  const { component, selection, form, streams, pinned, colours } = read;
  const labelsOf = (stream: TokenStream): readonly string[] =>
    stream.tokens.map((_, position) => visibleText(stream, position));
  const placesIn = (stream: number): readonly number[] =>
    pinned.filter((token) => token.stream === stream).map(({ position }) => position);
  const isOfQueries = pinned[0]?.stream === component.queryStream;
  const common = {
    ...colours,
    queries: labelsOf(streams[component.queryStream]),
    keys: labelsOf(streams[component.keyStream]),
    pinned: {
      rows: isOfQueries ? placesIn(component.queryStream) : [],
      columns: isOfQueries ? [] : placesIn(component.keyStream),
    },
  };
  if (fitsWhole(read)) return { ...common, pattern: await patternOf({ run, selection, form }) };
  const { rows, columns, level, maxima } = await run.held.overview(
    selection,
    await run.held.weightForm(selection.component, form),
  );
  return { ...common, pattern: { numQueries: rows, numKeys: columns, weights: maxima }, block: 2 ** level };
}

async function gridOf({ run }: ViewToDraw, { component, form, colours, isSigned, selection }: ReadView) {
  const thumbnails = await run.held.thumbnails(
    { component: component.component, size: thumbnailSize },
    await run.held.weightForm(component.component, { ...form, level: 'token' }),
  );
  return gridFigure(thumbnails, colours, { isSigned, selected: selection.heads });
}

/** The heads with their metrics, in the order of the panel's table. */
async function headsSvg(
  { run, seen }: ViewToDraw,
  { component }: ReadView,
  paper: (extra: readonly PlainText[]) => Paper,
): Promise<string> {
  const data = metricTextOf(component, run.info.streams);
  const text = new MetricText(data);
  const ids = tellingMetrics(component, data).filter((id) => hasEnoughRows(id, text));
  const { values } = await run.held.headTable({ component: component.component, metrics: ids });
  const valueOf = (head: number, id: MetricId): number => values[head * ids.length + ids.indexOf(id)];
  const sort = seen !== undefined && seen.sort !== 'head' && ids.includes(seen.sort) ? seen.sort : undefined;
  const all = headsOf(component);
  const order = [...all.keys()];
  if (sort !== undefined) order.sort((a, b) => (valueOf(b, sort) || 0) - (valueOf(a, sort) || 0));
  const extra = [
    ...(sort === undefined ? [] : [said('sorted by {0}', said(metricOf(sort).title))]), // eslint-disable-line no-restricted-syntax -- the table is ours
    ...(all.length > mostTableHeads ? [said('{0} of {1} heads', mostTableHeads, all.length)] : []),
  ];
  const titles = [said('head'), ...ids.map((id) => said(metricOf(id).title))]; // eslint-disable-line no-restricted-syntax -- the table is ours
  return tableSvg(headsFigure(component, { metrics: ids, values }, { order, ids, titles }), paper(extra));
}

async function howSvg({ run, seen }: ViewToDraw, { component, selection }: ReadView, paper: Paper): Promise<string> {
  const [head] = selection.heads;
  if (seen?.pair === undefined || selection.heads.length > 1)
    throw new ExplorerError('howNotFollowed', ['no weight of one head is looked at']);
  const how = await run.held.how({ component: component.component, ...head, ...seen.pair });
  const nameIn = (stream: number, position: number): string => figureTokenName(run.info.streams[stream], position);
  return stepsSvg(
    stepsFigure(how, {
      title: said(
        '{0} reads {1}',
        nameIn(component.queryStream, seen.pair.query),
        nameIn(component.keyStream, seen.pair.key),
      ),
      translated: (sentence) => said(sentence), // eslint-disable-line no-restricted-syntax -- the tables are ours
    }),
    paper,
  );
}

function differencesTable({ heads, values }: Comparison): Parameters<typeof tableSvg>[0] {
  const width = comparedValues.length;
  const numberOf = (pair: number, name: (typeof comparedValues)[number]): number =>
    values[pair * width + comparedValues.indexOf(name)];
  const pairs = Array.from({ length: heads.length / 4 }, (_, pair) => ({
    pair,
    head: { layer: heads[4 * pair], head: heads[4 * pair + 1] },
    other: { layer: heads[4 * pair + 2], head: heads[4 * pair + 3] },
    difference: {
      jensenShannon: numberOf(pair, 'jensenShannon'),
      meanAbsolute: numberOf(pair, 'meanAbsolute'),
      largest: { query: 0, key: 0, difference: numberOf(pair, 'largest') },
      unaligned: { a: numberOf(pair, 'unalignedA'), b: numberOf(pair, 'unalignedB') },
    },
  }));
  return differencesFigure(pairs, [
    said('head'),
    said('head of B'),
    said('divergence'),
    said('mean |B − A|'),
    said('largest B − A'),
  ]);
}

/** What is looked at, as a sentence. */
function lookedAt({ lighting, streams }: ReadView): readonly PlainText[] {
  if (lighting === undefined) return [];
  const names = lighting.tokens.map(({ stream, position }) => figureTokenName(streams[stream], position));
  const name = names.length > 4 ? `${names.slice(0, 3).join(', ')} … ${names.at(-1) ?? ''}` : names.join(', ');
  return [lighting.direction === 'reads' ? said('{0} reads', name) : said('{0} is read by', name)];
}

function restOf({ lighting, isSigned }: ReadView, { restCount, restWeight, sinkWeight }: Sources): readonly string[] {
  if (lighting === undefined) return [];
  const rest =
    restCount === 0
      ? said('No other has any weight.')
      : isSigned
        ? said('{0} others have less.', restCount)
        : said('{0} others hold {1}.', restCount, figureNumber(restWeight));
  return [rest, ...(sinkWeight > 0 ? [said('{0} is on sink tokens.', figureNumber(sinkWeight))] : [])];
}

function streamTitles({ streams }: ReadView): readonly PlainText[] {
  return streams.map(({ role }) => (role === 'target' ? said('Target') : said('Source')));
}

/** What a figure shows: the model, the text, heads, method, scale and version. */
function captionOf(
  { run, view }: ViewToDraw,
  { colours, form, selection }: ReadView,
  extra: readonly PlainText[],
  version: string,
): readonly PlainText[] {
  const { title, unit } = methodOf(form.method);
  const { components } = run.info;
  const shown = joinsHeads(form.method) ? components.map(joinedComponent) : components;
  const scales = { absolute: said('absolute scale'), row: said('scale by row'), log: said('logarithmic scale') };
  const method =
    form.compared === undefined
      ? said(title) // eslint-disable-line no-restricted-syntax -- the table is ours
      : form.compared === 'other'
        ? said('attention weight of B')
        : said('difference of weights, B − A');
  return [
    plain(
      [
        run.info.model.name,
        documentName(run.text.uri),
        selectionLabel(selection, shown),
        method,
        ...(unit === 'norm' || form.compared === 'difference'
          ? [said('full depth: {0}', Number(colours.ceiling.toPrecision(3)))]
          : []),
        ...(form.level === 'token' ? [] : [form.level]),
        ...(form.sinks === 'show' ? [] : [form.sinks === 'fade' ? said('sinks faded') : said('sinks removed')]),
        ...(view.threshold > 0 ? [said('from {0} on', Number((view.threshold * colours.ceiling).toPrecision(3)))] : []),
        scales[view.scale],
      ].join(' · '),
      maxCaption,
    ),
    plain([...extra, `Attention Explorer ${version}`].join(' · '), maxCaption),
  ];
}

/** UTF-16 units of a line of a caption, which is wrapped. */
const maxCaption = 1000;
