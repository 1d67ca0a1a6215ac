import { basename } from 'node:path';
import { ExplorerError } from '../../base/errors';
import { plain, type PlainText } from '../../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../../base/terminalText';
import type { ImageModel, ImageRunResult } from '../../engine/image/imageModel';
import type { ShapedPicture } from '../../engine/image/shapePicture';
import { AttentionStore } from '../../engine/weights/attentionStore';
import { headsOf, type ComponentInfo, type HeadRef } from '../../model/head';
import { joinedComponent, methodOf, type MethodId } from '../../model/methods';
import { noticeText } from '../../model/modelInfo';
import type { Numbers } from '../../model/numbers/numbers';
import { specialPositions, type PlacedPicture } from '../../model/patchGrid';
import type { Pattern } from '../../model/pattern';
import type { PatchGrid, TokenStream } from '../../model/token';
import { checkFigureOut, writeFigure, type FigureOut } from '../figureFile';
import { patternName, type ModelOptions, type Source } from '../openModel';
import { parseHead } from '../parseHead';
import { printedInput } from '../printedInput';
import { openPictureModel } from '../readWith';
import { RolloutBaseline, uniformText } from '../rolloutBaseline';
import { areaOf, namedPatch } from '../tokenWords';
import { isOfLayers, methodLine, queryOf, tokenOf, weighedAsFar, weighedFacts } from '../weighed';
import { checkNumbersOut, writeNumbers } from '../weightsFile';
import { ListedSources } from './listedSources';
import { numbersOf } from './numbersOf';

/** What `explain` is asked of a picture. */
export interface ExplainImageOptions extends ModelOptions {
  readonly file: string;
  /** Whether what the model is fed is printed, as Python, in place of what it attends to. */
  readonly isInput?: boolean;
  /** What a number between two patches is. */
  readonly method?: MethodId;
  /** The place of the only token that is told of, from zero; of attention flow the first special one, or the last, where it is missing. */
  readonly query?: string | undefined;
  /** Where a figure is written, if anywhere. */
  readonly figure?: FigureOut | undefined;
}

/** What the special tokens of a picture read (the mean of all patches, where there are none), as text for people or, for every token, as JSON. */
export async function explainImage(options: ExplainImageOptions): Promise<TerminalText> {
  const { file, isJson, out, figure } = options;
  const checked = out && (await checkNumbersOut(out));
  const drawn = figure && (await checkFigureOut(figure));
  const { model, picture, notices: preparing, facts } = await openPictureModel(options, file);
  const run = await model.run(picture);
  const { streams, answers } = run;
  const notices = [...preparing, ...run.notices];
  if (options.isInput === true) {
    await model.release();
    return printedInput(model, notices);
  }
  const method = methodOf(options.method ?? 'attention');
  const weighed = await weighPicture(model, run, method, options);
  await model.release();
  const { components, named, last, chosen, only, baseline } = weighed;
  const store = new AttentionStore(Infinity);
  store.add(1, weighed.layers);
  const sentences = [...notices.map(noticeText), ...weighed.lacks];
  const shown = { model: model.info, notices: sentences, streams, components };
  const numbers = numbersOf({ ...shown, method, named, last, store });
  const position = only ?? specialPositions(streams[0]).at(0);
  const figured =
    drawn && (await writeFigure(drawn, { numbers, store, chosen, position, textName: basename(file), picture }));
  const written = figured ?? (checked && (await writeNumbers(checked, numbers)));
  const described = await Promise.all(
    components.map((component) => describe({ component, streams, store, chosen, baseline })),
  );
  const told: PictureFacts = { method, numbers, sentences, answers, picture, chosen, only };
  if (isJson) return dataOf(told, described, facts.map(noticeText));
  const isAlone = described.length === 1;
  return joinTerminal([
    ...headLines(told),
    ...(written === undefined ? described.flatMap((each) => readLines(each, told, isAlone)) : [written]),
  ]);
}

/** What was read, and how it is told of. */
interface PictureFacts extends Pick<ImageRunResult, 'answers'> {
  readonly method: ReturnType<typeof methodOf>;
  readonly numbers: Numbers;
  /** What is to be known of the run. */
  readonly sentences: readonly PlainText[];
  readonly picture: ShapedPicture;
  /** The only head that is told of. */
  readonly chosen: HeadRef | undefined;
  /** The only token that is told of. */
  readonly only: number | undefined;
}

/** A run of a picture as a method weighs it, of the components that have what is asked about. */
interface WeighedPicture extends Awaited<ReturnType<typeof weighedAsFar>>, Pick<PictureFacts, 'chosen' | 'only'> {
  /** The head that was named. */
  readonly named: HeadRef | undefined;
  /** The last layer, where layers follow from each other: what patches come to behind it. */
  readonly last: HeadRef | undefined;
  readonly baseline: RolloutBaseline | undefined;
}

/** Throws `invalidArgument`, `methodNotOffered` and `checksFailed`, and what a run throws. */
async function weighPicture(
  model: ImageModel,
  { streams, layers: read, components: found }: ImageRunResult,
  method: ReturnType<typeof methodOf>,
  { head, query }: ExplainImageOptions,
): Promise<WeighedPicture> {
  const token = method.id === 'flow' ? flowToken(query, streams[0]) : undefined;
  parseHead(head, method.joinsHeads ? found.map(joinedComponent) : found, method);
  const only = token ?? queryOf(query, found, streams);
  const weighing = [
    { layers: read, components: found },
    { model, wanted: undefined, ...(token === undefined ? {} : { token }) },
  ] as const;
  const weighed = await weighedAsFar(method, ...weighing, head);
  const baseline = await RolloutBaseline.of(method, ...weighing, weighed.components);
  const [last] = isOfLayers(method.id) ? headsOf(weighed.components[0]).slice(-1) : [];
  const named = parseHead(head, weighed.components, method);
  const chosen = named ?? last;
  const components = weighed.components.filter(
    ({ layers: own, queryStream }) =>
      (chosen === undefined || chosen.head < (own[chosen.layer]?.numHeads ?? 0)) &&
      (only === undefined || only < streams[queryStream].tokens.length),
  );
  if (components.length === 0 || streams.some(({ grid }) => grid === undefined))
    throw new ExplorerError('checksFailed', [model.info.name, 'nothing is left to show']);
  return { ...weighed, components, named, last, chosen, only, baseline };
}

/** The token whose flow is told: that at a place, else the first special one, or the last. Throws `invalidArgument`. */
function flowToken(query: string | undefined, stream: TokenStream): number {
  const special = specialPositions(stream).at(0);
  return tokenOf(query ?? (special === undefined ? undefined : String(special)), stream.tokens.length);
}

/** What the numbers are. */
function titleOf({ method, numbers }: PictureFacts): string {
  if (method.id !== 'attention') return method.title;
  const isDerived = numbers.components.some(({ layers }) => layers.some((layer) => layer.method === 'derived'));
  return `attention weight${isDerived ? ', in linear layers derived: φ(q)φ(k)ᵀ, normalised' : ''}`;
}

/** What was read by what and how, what is to be known of it, and what the model says of the picture. */
function headLines(facts: PictureFacts): TerminalText[] {
  const { method, numbers, sentences, answers } = facts;
  const { model, streams } = numbers;
  const grids = joinTerminal(streams.map(gridWords), ', ');
  return [
    line`${model.name} · ${plain(model.backend)} · ${grids} · ${plain(titleOf(facts))}`,
    ...sentences.map((sentence) => line`${sentence}`),
    ...(method.id === 'attention' ? [] : [methodLine(method)]),
    ...answers.map(({ label, probability }) => line`It says: ${label}, ${plain(probability.toFixed(2))}`),
  ];
}

/** What tokens of a component read. @param isAlone whether there is no other component. */
function readLines(
  { queries, keys, reads }: Described,
  { method, chosen, only }: PictureFacts,
  isAlone: boolean,
): TerminalText[] {
  const special = specialPositions(queries);
  const asking = only !== undefined ? [only] : special.length > 0 ? special : [...queries.tokens.keys()];
  const among =
    isAlone && keys === queries
      ? line``
      : line`${isLearned(queries) ? line`` : line` of ${gridSize(queries)}`} among ${gridWords(keys)}`;
  const asker = isLearned(queries)
    ? line`learned query`
    : special.includes(asking[0])
      ? line`special token`
      : line`patch`;
  const how =
    chosen === undefined
      ? line`most, and in which ${plain(method.joinsHeads ? 'layer' : 'head')}`
      : line`(${plain(patternName(chosen, method.joinsHeads))})`;
  return [
    line``,
    line`What each ${asker}${among} reads ${how}:`,
    ...asking.map((query) => {
      const read = reads[query].map(
        (source) =>
          line`${namedPatch(keys, source.position)}: ${plain(source.weight.toFixed(3))}${source.head === undefined ? line`` : line` in ${plain(source.head)}`}${uniformText(source)}`,
      );
      return line`${namedPatch(queries, query)} reads ${joinTerminal(read, ', ')}`;
    }),
  ];
}

/** What was read, as data. @param input how the picture was made ready. */
function dataOf(facts: PictureFacts, described: readonly Described[], input: readonly PlainText[]): TerminalText {
  const { method, numbers, sentences, answers, picture, chosen, only } = facts;
  const [first] = described;
  const stages = described.map(({ name, queries, keys, reads }) => ({
    name,
    queries: gridFacts(queries, picture),
    keys: gridFacts(keys, picture),
    reads,
  }));
  return jsonText({
    model: numbers.model,
    method: titleOf(facts),
    ...(method.id === 'attention' ? {} : { weighed: weighedFacts(method) }),
    notices: sentences,
    answers,
    input,
    picture: { width: picture.width, height: picture.height, source: picture.source, placed: picture.placed },
    ...gridFacts(first.queries, picture),
    pattern: patternName(chosen, method.joinsHeads),
    ...(only === undefined ? {} : { selected: [only] }),
    reads: first.reads,
    ...(described.length > 1 || first.keys !== first.queries ? { stages } : {}),
  });
}

/** Whether a stream is of queries that the model has learned. */
const isLearned = ({ grid }: TokenStream): boolean => grid?.rows === 0;

const gridSize = ({ grid }: TokenStream): TerminalText => line`${grid?.rows ?? 0} × ${grid?.columns ?? 0}`;

/** A stream by what it is made of. */
function gridWords(stream: TokenStream): TerminalText {
  if (!isLearned(stream)) return line`${gridSize(stream)} patches`;
  const count = stream.tokens.length;
  return count === 1 ? line`one learned query` : line`${count} learned queries`;
}

interface Described {
  readonly name: string;
  readonly queries: TokenStream;
  readonly keys: TokenStream;
  readonly reads: readonly (readonly Source[])[];
}

/** What each token of a component's queries reads. */
async function describe({
  component,
  streams,
  store,
  chosen,
  baseline,
}: {
  readonly component: ComponentInfo;
  readonly streams: readonly TokenStream[];
  readonly store: AttentionStore;
  readonly chosen: HeadRef | undefined;
  readonly baseline: RolloutBaseline | undefined;
}): Promise<Described> {
  const [queries, keys] = [streams[component.queryStream], streams[component.keyStream]];
  const patternOf = (each: HeadRef): Promise<Pattern> =>
    store.pattern({ runId: 1, selection: { component: component.component, heads: [each], aggregation: 'mean' } });
  const sources = new ListedSources(component.component, chosen, baseline);
  for (const each of chosen === undefined ? headsOf(component) : [chosen]) sources.add(each, await patternOf(each));
  const reads = await Promise.all(queries.tokens.map((_, query) => sources.of(query)));
  return { name: component.component, queries, keys, reads };
}

/** A grid with its tokens and what of the picture they show, as data. */
function gridFacts(
  { grid, tokens }: TokenStream,
  picture: PlacedPicture,
): { readonly grid: PatchGrid | undefined; readonly areas: readonly unknown[]; readonly tokens: readonly string[] } {
  return {
    grid,
    areas: tokens.map((_, position) => (grid === undefined ? null : areaOf(grid, position, picture))),
    tokens: tokens.map(({ piece }) => piece),
  };
}
