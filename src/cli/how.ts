import { basename } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain, plainLines, type PlainText } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { drawnCell, inWindow } from '../engine/how/drawnCell';
import type { ImageModel } from '../engine/image/imageModel';
import type { LoadedModel } from '../engine/serve/loadedModel';
import { headLabel, type ComponentInfo, type HeadRef } from '../model/head';
import { agrees, howTexts, type How, type HowNumbers, type HowStep } from '../model/how/how';
import { fillText, formulaText } from '../model/how/howWords';
import { numpySnippet } from '../model/how/numpySnippet';
import { noticeText, type ModelInfo } from '../model/modelInfo';
import { visibleText, type TokenStream } from '../model/token';
import type { Explanation } from '../engine/text/textModel';
import { figureTokenName, stepsFigure } from '../model/figures/viewFigures';
import { stepsSvg } from '../model/figures/stepsSvg';
import { isImageFile } from './isImageFile';
import { namedComponents } from './namedComponents';
import { parseHead } from './parseHead';
import { openPictureModel, openTextModel, readGiven, type TranslatedOptions } from './readWith';
import { checkSvgOut, paperOf, writeSvg, type SvgOut } from './svgFile';
import { meantOf } from './filePart';

/** What `how` is asked. */
export interface HowOptions extends TranslatedOptions {
  readonly component: string | undefined;
  /** Places of tokens, from zero. */
  readonly query: string | undefined;
  readonly key: string | undefined;
  /** Whether the steps are printed as Python with NumPy that computes them anew. */
  readonly isNumpy: boolean;
  /** Where a figure is written, if anywhere. */
  readonly figure?: SvgOut | undefined;
}

/** Numbers of an array that are printed for people. */
const mostPrinted = 8;

/** A model and what it has read. */
interface Read extends Pick<Explanation, 'streams' | 'layers' | 'components' | 'notices'> {
  readonly model: LoadedModel | ImageModel;
}

/** How one weight came about, step by step, as text for people, as JSON, or as Python with NumPy. */
export async function how(options: HowOptions): Promise<TerminalText> {
  const { isJson, isNumpy, figure } = options;
  const drawnTo = figure && (await checkSvgOut(figure));
  const read = await readAny(options);
  try {
    const { component, head } = chosenHead(read.components, options);
    const streams: readonly [TokenStream, TokenStream] = [
      read.streams[component.queryStream],
      read.streams[component.keyStream],
    ];
    const query = positionOf(options.query, '--query', streams[0]);
    const key = positionOf(options.key, '--key', streams[1]);
    const at = read.components
      .slice(0, read.components.indexOf(component))
      .reduce((count, { layers }) => count + layers.length, head.layer);
    const drawn = await drawnCell(
      { component: component.component, ...head, query, key },
      read.components,
      read.streams,
      () => read.layers[at].rows(head.head, query, query + 1),
    );
    const found = await read.model.how(inWindow(drawn, read.layers[at]), read.model.fed);
    const { info } = read.model;
    const notices = read.notices.map(noticeText);
    if (drawnTo !== undefined) {
      const title = `${figureTokenName(streams[0], query)} reads ${figureTokenName(streams[1], key)}`;
      const caption = [info.name, basename(options.file), component.component, `head ${headLabel(head)}`];
      const steps = stepsFigure(found, { title, translated: (sentence) => sentence });
      return await writeSvg(drawnTo, stepsSvg(steps, paperOf(drawnTo, [caption.join(' · ')])), notices);
    }
    const told = { found, info, notices, streams };
    if (isJson) return jsonText(howJson(told));
    return joinTerminal(isNumpy ? numpyLines(told) : howLines(told));
  } finally {
    await read.model.release();
  }
}

async function readAny(options: HowOptions): Promise<Read> {
  const { file } = options;
  if (options.text === undefined && isImageFile(file)) {
    const { model, picture, notices } = await openPictureModel(options, file);
    const run = await model.run(picture);
    return { ...run, notices: [...notices, ...run.notices], model };
  }
  const { text, span } = await readGiven(options);
  if (text === '') throw new ExplorerError('emptyText');
  const model = await openTextModel(options);
  const explanation = await model.explain({
    text: meantOf({ text, span }),
    tokenLimit: 0,
    target: options.target,
    languages: options.languages,
  });
  return { ...explanation, model };
}

/** The head that is asked about. Throws `wrongUsage` where none is named and `invalidArgument` where the model has none of that name. */
function chosenHead(
  components: readonly ComponentInfo[],
  { head, component: wanted }: HowOptions,
): { readonly component: ComponentInfo; readonly head: HeadRef } {
  if (head === undefined) throw new ExplorerError('wrongUsage', ['--head', 'it is missing']);
  // Grids of a picture have layers of their own.
  const hasHead = ({ layers }: ComponentInfo): boolean =>
    layers.some(({ numHeads }, layer) =>
      Array.from({ length: numHeads }, (_, at) => headLabel({ layer, head: at })).includes(head),
    );
  const named = namedComponents(components, wanted);
  const component = named.find(({ component: name }) => name === 'cross') ?? named.find(hasHead) ?? named[0];
  return { component, head: parseHead(head, [component]) ?? { layer: 0, head: 0 } };
}

function positionOf(value: string | undefined, name: string, { tokens }: TokenStream): number {
  if (value === undefined) throw new ExplorerError('wrongUsage', [name, 'it is missing']);
  const position = Number(value);
  if (!/^\d{1,9}$/.test(value) || position >= tokens.length)
    throw new ExplorerError('invalidArgument', [name, `it is the place of a token, from 0 to ${tokens.length - 1}`]);
  return position;
}

/** What is told of one weight, and of the run that it is of. */
interface Told {
  readonly found: How;
  readonly info: ModelInfo;
  readonly notices: readonly PlainText[];
  readonly streams: readonly [queries: TokenStream, keys: TokenStream];
}

function howJson({ found, info, notices, streams: [queries, keys] }: Told): object {
  const { cell, weight, numKeys, firstKey, keys: ofWindow, steps } = found;
  return {
    model: info,
    notices,
    cell: {
      ...cell,
      head: headLabel(cell),
      queryText: visibleText(queries, cell.query),
      keyText: visibleText(keys, cell.key),
    },
    weight,
    numKeys,
    firstKey,
    ...(ofWindow === undefined ? {} : { keys: ofWindow }),
    steps: steps.map((step) => {
      const { title, sentence, formula } = howTexts[step.kind];
      const snippet = numpySnippet({ cell }, step);
      return {
        kind: step.kind,
        title,
        sentence: fillText(sentence, step.args),
        ...(formula === '' ? {} : { formula: formulaText(formula) }),
        nodes: step.nodes,
        ...(step.at === undefined ? {} : { at: step.at }),
        ...(step.check === undefined ? {} : { check: { ...step.check, agrees: agrees(step) } }),
        numbers: step.numbers.map(({ name, dims, values }) => ({ name, dims, values: Array.from(values, jsonNumber) })),
        ...(snippet === undefined ? {} : { numpy: snippet }),
      };
    }),
  };
}

/** JSON has no infinities. */
function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** Notices stand above it as comments. */
function numpyLines({ found, notices }: Told): TerminalText[] {
  const snippets = found.steps.flatMap((step) => {
    const snippet = numpySnippet(found, step);
    return snippet === undefined ? [] : [line`${plainLines(snippet, mostUnits)}`];
  });
  return [...notices.map((sentence) => line`# ${sentence}`), ...snippets];
}

/** UTF-16 units of one snippet. */
const mostUnits = 20_000_000;

function howLines({ found, info, notices, streams: [queries, keys] }: Told): TerminalText[] {
  const { cell, weight, steps } = found;
  return [
    line`${info.name} · ${plain(cell.component)} · head ${plain(headLabel(cell))}`,
    ...notices.map((sentence) => line`${sentence}`),
    line`"${visibleText(queries, cell.query)}" (${cell.query}) reads "${visibleText(keys, cell.key)}" (${cell.key}): ${plain(weight.toFixed(6))}`,
    ...steps.flatMap((step, i) => [line``, ...stepLines(step, i + 1, found.numKeys)]),
  ];
}

function stepLines(step: HowStep, number: number, numKeys: number): TerminalText[] {
  const { title, sentence, formula } = howTexts[step.kind];
  const nodes = step.nodes.map((node) => line`${node.operator} ${node.name}`);
  return [
    line`${number}. ${plain(title)}${formula === '' ? line`` : line`: ${plain(formulaText(formula))}`}`,
    line`   ${plain(fillText(sentence, step.args))}`,
    ...(nodes.length === 0 ? [] : [line`   node: ${joinTerminal(nodes, ', ')}`]),
    ...step.numbers.map(
      (array) => line`   ${plain(numbersLine(array, array.dims[0] >= numKeys ? step.at : undefined))}`,
    ),
    ...(step.check === undefined
      ? []
      : [
          agrees(step)
            ? line`   computed anew: the same within ${plain(step.check.difference.toPrecision(2))}`
            : line`   computed anew, it is another number by ${plain(step.check.difference.toPrecision(2))}: this step is not understood, and its numbers are not shown`,
        ]),
  ];
}

function numbersLine({ name, dims, values }: HowNumbers, at: number | undefined): string {
  const shown = Array.from(values.slice(0, mostPrinted), (value) => String(Number(value.toPrecision(6))));
  const here =
    at !== undefined && dims.length === 1 && at >= mostPrinted ? `; [${at}] ${Number(values[at].toPrecision(6))}` : '';
  return `${name}${dims.length === 0 ? '' : ` [${dims.join(' × ')}]`} = ${shown.join(' ')}${values.length > mostPrinted ? ' …' : ''}${here}`;
}
