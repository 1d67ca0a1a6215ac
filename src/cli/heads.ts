import { basename } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import type { LoadedModel } from '../engine/serve/loadedModel';
import type { HeldLayer } from '../engine/weights/heldLayer';
import { readHeadTable } from '../engine/weights/readAllHeads';
import type { Explanation } from '../engine/text/textModel';
import type { TextSpan } from '../model/contextWindow';
import { headLabel, headsOf, type ComponentInfo } from '../model/head';
import {
  applicableTo,
  hasEnoughRows,
  normMetrics,
  tellingMetrics,
  unitOf,
  type HeadTable,
} from '../model/metrics/headTable';
import { metricIds, metricOf, type MetricId } from '../model/metrics/metrics';
import { MetricText, metricTextOf, type AskedTokens } from '../model/metrics/metricText';
import { methodOf } from '../model/methods';
import { noticeText, type Languages } from '../model/modelInfo';
import { rankHeads } from '../model/rankHeads';
import { selectedTokens } from '../model/selectedTokens';
import { visibleText, type TokenStream } from '../model/token';
import type { RandomText } from '../protocol';
import { counted, countedTokens } from './counted';
import { isImageFile } from './isImageFile';
import { readFilePart, meantOf } from './filePart';
import { headsFigure, mostTableHeads } from '../model/figures/headFigures';
import { tableSvg } from '../model/figures/tableSvg';
import { namedComponents } from './namedComponents';
import type { ModelOptions } from './openModel';
import { checkSvgOut, paperOf, writeSvg, type CheckedSvg, type SvgOut } from './svgFile';
import { openPictureModel, openTextModel, readGiven } from './readWith';
import { weighedBy, type Weighable } from './weighed';

/** What `heads` is asked. */
export interface HeadsOptions extends ModelOptions {
  /** A path, with a range where only a part is meant, as for `explain`; undefined only where random tokens are read. */
  readonly file: string | undefined;
  /** The text, where it does not stand in a file. */
  readonly text?: string;
  readonly target: string | undefined;
  readonly languages?: Languages | undefined;
  readonly tokenizer: string | undefined;
  readonly component: string | undefined;
  /** Ranges of the file: how much do the tokens of the one read those of the other? */
  readonly queries: string | undefined;
  readonly keys: string | undefined;
  /** What heads are sorted by; in reading order where it is missing. */
  readonly sort: string | undefined;
  /** Whether random tokens that come twice are read in the place of a file. */
  readonly isRandom: boolean;
  /** Where a figure is written, if anywhere. */
  readonly figure?: SvgOut | undefined;
}

/** What comes twice of a random text. */
const random: RandomText = { numTokens: 64, seed: 1 };

/** A text or picture that a model has read. */
interface Read extends Pick<Explanation, 'streams' | 'layers' | 'components' | 'notices'> {
  readonly model: LoadedModel['info'];
  /** Undefined of random tokens. */
  readonly norms: Norms | undefined;
  /** What was asked about, of a component within the source. */
  readonly asked?: AskedTokens | undefined;
}

/** What every head of a model does on a text, a picture or random tokens: its metrics, as text for people or as JSON. */
export async function heads(options: HeadsOptions): Promise<TerminalText> {
  const { component: wanted, isJson, isRandom } = options;
  const sort = sortOf(options.sort);
  const drawnTo = options.figure && (await checkSvgOut(options.figure));
  const read = await readAny(options);
  const components = namedComponents(read.components, wanted);
  const measured = [];
  for (const component of components) measured.push(await measure(component, read));
  const notices = [...read.notices.map(noticeText), ...(read.norms?.lacks ?? []).map((lack) => plain(lack))];
  if (drawnTo !== undefined) return writeSvg(drawnTo, headsSvg(measured[0], sort, { options, read, drawnTo }), notices);
  if (isJson)
    return jsonText({
      model: read.model,
      method: 'attention weight',
      notices,
      ...(isRandom ? { random: { ...random, numTokens: numOwn(read.streams[0]) / 2 } } : {}),
      components: measured.map((each) => componentJson(each, sort)),
    });
  const lines: TerminalText[] = [
    line`${read.model.name} · ${plain(read.model.backend)} · ${countedTokens(read.streams)}${isRandom ? line`: ${numOwn(read.streams[0]) / 2} random ones that come twice` : line``} · attention weight`,
    ...notices.map((sentence) => line`${sentence}`),
  ];
  for (const each of measured) lines.push(line``, ...componentLines(each, sort));
  return joinTerminal(lines);
}

async function readAny(options: HeadsOptions): Promise<Read> {
  const { file, isRandom } = options;
  if (file !== undefined && options.text === undefined && isImageFile(file) && !isRandom)
    return readPicture(options, file);
  const { text, span } =
    isRandom || file === undefined ? { text: '', span: undefined } : await readGiven({ ...options, file });
  if (!isRandom && text === '') throw new ExplorerError('emptyText');
  const ranges = await rangesOf(options);
  const loaded = await openTextModel(options);
  const explanation = await loaded.explain({
    text: meantOf({ text, span }),
    tokenLimit: 0,
    target: options.target,
    languages: options.languages,
    ...(isRandom ? { random } : {}),
  });
  const norms = isRandom ? undefined : await normsOf(loaded, explanation);
  await loaded.release();
  const asked = ranges && {
    queries: tokensOf(explanation.streams[0], ranges.queries, span, '--queries'),
    keys: tokensOf(explanation.streams[0], ranges.keys, span, '--keys'),
  };
  return { ...explanation, norms, model: loaded.info, asked };
}

async function readPicture(options: HeadsOptions, file: string): Promise<Read> {
  const { model: loaded, picture, notices } = await openPictureModel(options, file);
  const run = await loaded.run(picture);
  const norms = await normsOf(loaded, run);
  await loaded.release();
  return { ...run, norms, model: loaded.info, notices: [...notices, ...run.notices] };
}

/** Norm-weighted attention of a run, of the components of which it can be had, and in a sentence why it cannot of others. */
interface Norms {
  readonly layers: ReadonlyMap<string, readonly HeldLayer[]>;
  readonly lacks: readonly string[];
}

/** Norm-weighted attention of each component, from another run with the same input. */
async function normsOf(model: Weighable, run: Pick<Explanation, 'layers' | 'components'>): Promise<Norms> {
  const layers = new Map<string, readonly HeldLayer[]>();
  const lacks: string[] = [];
  for (const { component } of run.components)
    try {
      layers.set(component, (await weighedBy(methodOf('norm'), run, { model, wanted: component })).layers);
    } catch (error) {
      if (!(error instanceof ExplorerError) || error.code !== 'methodNotOffered') throw error;
      lacks.push(`Of ${component} heads there is no share of norm: ${String(error.args[1])}.`);
    }
  return { layers, lacks };
}

/** The parts of the file that are asked about. Throws `wrongUsage` where only one is named. */
async function rangesOf({
  file,
  text,
  queries,
  keys,
  isRandom,
}: HeadsOptions): Promise<{ readonly queries: TextSpan; readonly keys: TextSpan } | undefined> {
  if (queries === undefined && keys === undefined) return undefined;
  if (queries === undefined || keys === undefined || file === undefined || text !== undefined || isRandom)
    throw new ExplorerError('wrongUsage', [
      queries === undefined ? '--keys' : '--queries',
      queries === undefined || keys === undefined
        ? '--queries and --keys go together'
        : 'it is about a part of a file of text',
    ]);
  const path = file.replace(/:\d+(?::\d+)?-\d+(?::\d+)?$/, '');
  const [from, to] = await Promise.all(
    [queries, keys].map(async (range) => (await readFilePart(`${path}:${range}`)).span),
  );
  if (from === undefined || to === undefined)
    throw new ExplorerError('wrongUsage', [
      from === undefined ? '--queries' : '--keys',
      'it is a range: from-to, lines, or line:column-line:column',
    ]);
  return { queries: from, keys: to };
}

/** The tokens of a part of the file, which is read from `read` on. Throws `invalidArgument` where there are none. */
function tokensOf(stream: TokenStream, part: TextSpan, read: TextSpan | undefined, name: string): number[] {
  const start = read?.start ?? 0;
  const tokens = selectedTokens(stream, { start: part.start - start, end: part.end - start });
  if (tokens.length === 0)
    throw new ExplorerError('invalidArgument', [name, 'the model has read no token of this part']);
  return tokens;
}

function sortOf(value: string | undefined): MetricId | undefined {
  const found = metricIds.find((id) => id === value);
  if (value !== undefined && found === undefined)
    throw new ExplorerError('invalidArgument', ['--sort', `the metrics are ${metricIds.join(', ')}`]);
  return found;
}

function numOwn({ tokens }: TokenStream): number {
  return tokens.filter(({ isSpecial }) => !isSpecial).length;
}

/** The metrics of a component's heads over its text. */
interface Measured {
  readonly component: ComponentInfo;
  readonly streams: readonly TokenStream[];
  readonly text: MetricText;
  readonly table: HeadTable;
}

async function measure(component: ComponentInfo, { streams, layers, norms, asked }: Read): Promise<Measured> {
  const isOfSource = component.queryStream === 0 && component.keyStream === 0;
  const data = metricTextOf(component, streams, isOfSource ? asked : undefined);
  const own = layers.filter((layer) => layer.component === component.component);
  const written = norms?.layers.get(component.component);
  const ids = [...applicableTo(component, data.asked), ...(norms === undefined ? [] : normMetrics)];
  const metrics = metricIds.filter((id) => ids.includes(id));
  const table = await readHeadTable(own, metrics, data, written === undefined ? {} : { norms: written });
  return { component, streams, text: new MetricText(data), table };
}

/** The number of a head; undefined where it says nothing. */
function valueOf({ table, text }: Measured, head: number, at: number): number | undefined {
  const value = table.values[head * table.metrics.length + at];
  return Number.isFinite(value) && hasEnoughRows(table.metrics[at], text) ? value : undefined;
}

/** The heads in the order that was asked for, by their index in the table. */
function orderOf({ component, table }: Measured, sort: MetricId | undefined): number[] {
  const at = sort === undefined ? -1 : table.metrics.indexOf(sort);
  const all = headsOf(component);
  if (at < 0) return [...all.keys()];
  const indexOf = new Map(all.map((head, index) => [headLabel(head), index]));
  return rankHeads(
    component,
    all.map((_, head) => table.values[head * table.metrics.length + at]),
  ).map((head) => indexOf.get(headLabel(head)) ?? 0);
}

/** The heads of a component as a table: the metrics that have enough behind them, without the details of others. */
function headsSvg(
  measured: Measured,
  sort: MetricId | undefined,
  { options, read, drawnTo }: { readonly options: HeadsOptions; readonly read: Read; readonly drawnTo: CheckedSvg },
): string {
  const { component, table, text } = measured;
  const ids = table.metrics.filter((id) => tellingMetrics(component, text).includes(id));
  const order = orderOf(measured, sort);
  const caption = [
    read.model.name,
    options.file === undefined ? 'random tokens' : basename(options.file),
    component.component,
    ...(sort === undefined ? [] : [`sorted by ${metricOf(sort).title}`]),
    ...(order.length > mostTableHeads ? [`${mostTableHeads} of ${order.length} heads`] : []),
  ];
  const titles = ['head', ...ids.map((id) => metricOf(id).title)];
  return tableSvg(headsFigure(component, table, { order, ids, titles }), paperOf(drawnTo, [caption.join(' · ')]));
}

function componentJson(measured: Measured, sort: MetricId | undefined): object {
  const { component, table, text } = measured;
  const all = headsOf(component);
  return {
    component: component.component,
    isCausal: component.isCausal,
    numQueries: text.numQueries,
    numKeys: text.delimiters.length,
    numRepeated: text.numRepeated,
    ...(text.asked === undefined ? {} : { asked: text.asked }),
    metrics: table.metrics.map((id) => {
      const { title, definition, formula, source, rows, leastRows } = metricOf(id);
      return { id, title, unit: unitOf(id, component), rows: rows(text), leastRows, definition, formula, source };
    }),
    heads: orderOf(measured, sort).map((head) => ({
      head: headLabel(all[head]),
      ...Object.fromEntries(table.metrics.map((id, at) => [id, valueOf(measured, head, at) ?? null])),
    })),
  };
}

function componentLines(measured: Measured, sort: MetricId | undefined): TerminalText[] {
  const { component, streams, table, text } = measured;
  const all = headsOf(component);
  const repeated =
    component.queryStream === component.keyStream && !text.isPicture
      ? line`, of ${counted(text.numQueries, 'token')} ${text.numRepeated} occurred before`
      : line``;
  const cell = (id: MetricId, said: string): TerminalText => line`${plain(said.padStart(id.length + 2))}`;
  const number = (head: number, at: number): string => {
    const value = valueOf(measured, head, at);
    if (value === undefined) return '–';
    const unit = unitOf(table.metrics[at], component);
    if (unit === 'position') return String(value);
    return unit === 'share' || unit === 'nats' ? value.toFixed(3) : value.toFixed(1);
  };
  const keys = streams[component.keyStream];
  const keyAt = table.metrics.indexOf('sinkKey');
  return [
    line`${plain(component.component)}: ${counted(all.length, 'head')}${repeated}`,
    line`head  ${joinTerminal(
      table.metrics.map((id) => cell(id, id)),
      '',
    )}`,
    ...orderOf(measured, sort).map((head) => {
      const key = valueOf(measured, head, keyAt);
      const read = key === undefined ? line`` : line`  "${visibleText(keys, key)}"`;
      const cells = table.metrics.map((id, at) => cell(id, number(head, at)));
      return line`${plain(headLabel(all[head]).padEnd(6))}${joinTerminal(cells, '')}${read}`;
    }),
    ...table.metrics.map((id) => line`  ${plain(id)}: ${plain(metricOf(id).definition)}`),
  ];
}
