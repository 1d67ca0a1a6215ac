import { basename } from 'node:path';
import { ExplorerError } from '../../base/errors';
import { plain, plainLines, type PlainText } from '../../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../../base/terminalText';
import type { LoadedModel } from '../../engine/serve/loadedModel';
import type { Explanation } from '../../engine/text/textModel';
import { AttentionStore } from '../../engine/weights/attentionStore';
import type { TextSpan } from '../../model/contextWindow';
import { headsOf } from '../../model/head';
import { joinedComponent, methodOf, type MethodId } from '../../model/methods';
import { noticeText, type Languages } from '../../model/modelInfo';
import type { Numbers } from '../../model/numbers/numbers';
import type { PlacedPicture } from '../../model/patchGrid';
import { selectedTokens } from '../../model/selectedTokens';
import type { PatchGrid, TokenStream } from '../../model/token';
import { countedTokens } from '../counted';
import { checkFigureOut, writeFigure, type Drawn, type FigureOut } from '../figureFile';
import { lineAt, meantOf, readWholePart, type FilePart } from '../filePart';
import { namedComponents } from '../namedComponents';
import type { ModelOptions } from '../openModel';
import { parseHead } from '../parseHead';
import { printedInput } from '../printedInput';
import { readInContext, type ContextRead } from '../readInContext';
import { openTextModel, readGiven, readPicture } from '../readWith';
import { RolloutBaseline } from '../rolloutBaseline';
import { areaOf, quoted } from '../tokenWords';
import { isOfLayers, methodLine, queryOf, tokenOf, weighedAsFar, weighedFacts } from '../weighed';
import { checkNumbersOut, writeNumbers } from '../weightsFile';
import { componentLines } from './componentLines';
import { explainComponent, type ExplainedComponent, type Listing } from './explainComponent';
import { numbersOf } from './numbersOf';

/** What `explain` is asked. */
export interface ExplainOptions extends ModelOptions {
  /** A path, with `:from-to` (lines from one, inclusive) or `:line:column-line:column` where only a part is meant. */
  readonly file: string;
  /** About how many tokens around the part are read with it; undefined: it is read alone. */
  readonly contextTokens?: number | undefined;
  /** A file, or a part of one as in `file`, that is read with it as a pair. */
  readonly pair?: string | undefined;
  /** The text, where it does not stand in a file. */
  readonly text?: string;
  /** Whether the file is a picture, with which the text is read. */
  readonly isPicture?: boolean;
  /** The target of an encoder–decoder model; what the model writes where it is missing. */
  readonly target: string | undefined;
  /** What an encoder–decoder model translates into what, where it is not as its settings say. */
  readonly languages?: Languages | undefined;
  /** The tokenizer.json to use instead of the one beside the model. */
  readonly tokenizer: string | undefined;
  /** Whether the model's chat template is put around the text. */
  readonly isChatMessage: boolean;
  /** Whether what the model is fed is printed, as Python, in place of what it attends to. */
  readonly isInput?: boolean;
  /** Whether the model is run layer by layer. */
  readonly isStaged?: boolean;
  /** The only component that is listed, and written. */
  readonly component: string | undefined;
  /** What a number between two tokens is. */
  readonly method?: MethodId;
  /** The place of the only token that is told of, from zero; of attention flow the last one where it is missing. */
  readonly query?: string | undefined;
  /** Where a figure is written, if anywhere. */
  readonly figure?: FigureOut | undefined;
}

/** UTF-16 units of a target that are printed. */
const maxTarget = 20_000;

/** What every token of a text reads, as text for people or as JSON. */
export async function explain(options: ExplainOptions): Promise<TerminalText> {
  const { isJson, out, figure, head, component: wanted } = options;
  const method = methodOf(options.method ?? 'attention');
  const checked = out && (await checkNumbersOut(out));
  const drawn = figure && (await checkFigureOut(figure));
  const { model, given, context, explanation } = await readAsked(options);
  const { streams, layers, components: found, notices, picture } = explanation;
  const token = method.id === 'flow' ? tokenOf(options.query, streams[0].tokens.length) : undefined;
  const ofComponent = namedComponents(found, wanted);
  parseHead(head, method.joinsHeads ? ofComponent.map(joinedComponent) : ofComponent, method);
  const only = token ?? queryOf(options.query, ofComponent, streams);
  const selected = selectedOf(only, context, streams[0]);
  if (options.isInput === true) {
    const printed = printedInput(model, notices);
    await model.release();
    return printed;
  }
  const weighing = [
    { layers, components: found },
    { model, wanted, ...(token === undefined ? {} : { token }) },
  ] as const;
  const { components: all, layers: weighed, lacks } = await weighedAsFar(method, ...weighing, head);
  const baseline = await RolloutBaseline.of(method, ...weighing, all);
  const store = new AttentionStore(Infinity);
  store.add(1, weighed);
  const components = all.filter(
    ({ component, queryStream }) =>
      (wanted === undefined || component === wanted) &&
      (only === undefined || only < streams[queryStream].tokens.length),
  );
  // What tokens come to behind the last layer, where layers follow from each other.
  const [last] = isOfLayers(method.id) ? headsOf(components[0]).slice(-1) : [];
  const named = parseHead(head, components, method);
  const chosen = named ?? last;
  const sentences = [...notices.map(noticeText), ...lacks];
  const run = { model: model.info, notices: sentences, streams, components };
  const numbers = numbersOf({ ...run, method, named, last, store });
  const facts: TextFacts = { method, numbers, sentences, selected, picture };
  const said = headLines(facts, { given, context });
  if (drawn !== undefined) {
    await model.release();
    return joinTerminal([
      ...said,
      await writeFigure(drawn, { ...picturedBy(numbers, picture), store, chosen, ...lookedAt(options, selected) }),
    ]);
  }
  const written = checked && (await writeNumbers(checked, numbers));
  if (written !== undefined && !isJson) {
    await model.release();
    return joinTerminal([...said, written]);
  }
  const listing: Listing = { method, streams, layers: weighed, store, chosen, selected, token, baseline };
  const explained: ExplainedComponent[] = [];
  for (const component of components) explained.push(await explainComponent(component, listing));
  await model.release();
  return isJson
    ? dataOf(facts, explained)
    : joinTerminal([
        ...said,
        ...targetLines(options, streams),
        ...explained.flatMap((each) => componentLines(each, listing)),
      ]);
}

/** What was read, and how it is told of. */
interface TextFacts {
  readonly method: ReturnType<typeof methodOf>;
  readonly numbers: Numbers;
  /** What is to be known of the run. */
  readonly sentences: readonly PlainText[];
  readonly selected: readonly number[] | undefined;
  readonly picture: Explanation['picture'];
}

/** A text that was given, as a model has read it. */
interface ReadText {
  readonly model: LoadedModel;
  readonly given: FilePart;
  readonly explanation: Explanation;
  /** Where it was read in the text around it. */
  readonly context: ContextRead | undefined;
}

/** Reads what is asked about. Throws `emptyText`, `wrongUsage`, and what reading throws. */
async function readAsked(options: ExplainOptions): Promise<ReadText> {
  const { pair, target, languages, isChatMessage, contextTokens } = options;
  const given = await readGiven(options);
  const second = pair === undefined ? undefined : await readWholePart(pair);
  if (given.text === '') throw new ExplorerError('emptyText');
  if (second === '') throw new ExplorerError('invalidArgument', ['--pair', 'there is no text in it']);
  if (second !== undefined && (isChatMessage || contextTokens !== undefined))
    throw new ExplorerError('wrongUsage', ['--pair', 'it goes with neither --chat nor --context']);
  const around =
    contextTokens === undefined ? undefined : { span: spanInContext(options, given.span), tokens: contextTokens };
  const refuse = (error: unknown): never => {
    throw options.isPicture === true ? refusalOfText(error) : error;
  };
  const model = await openTextModel(options, { staging: options.isStaged === true ? 'all' : 'none' }).catch(refuse);
  if (around !== undefined) {
    const context = await readInContext(model, given.text, around.span, around.tokens);
    return { model, given, context, explanation: context.explanation };
  }
  const explanation = await model
    .explain({
      text: meantOf(given),
      second,
      tokenLimit: 0,
      target,
      languages,
      isChatMessage,
      picture: options.isPicture === true ? await readPicture(options.file) : undefined,
    })
    .catch(refuse);
  return { model, given, explanation, context: undefined };
}

/** The part of a file that is read in its context. Throws `wrongUsage`. */
function spanInContext(
  { isChatMessage, target, languages }: ExplainOptions,
  span: FilePart['span'],
): NonNullable<FilePart['span']> {
  if (span === undefined)
    throw new ExplorerError('wrongUsage', ['--context', 'it takes a part of a file, as FILE:from-to']);
  if (isChatMessage || target !== undefined || languages !== undefined)
    throw new ExplorerError('wrongUsage', ['--context', 'it goes with neither --chat nor --target']);
  return span;
}

/** The tokens that are told of; undefined: all. */
function selectedOf(
  only: number | undefined,
  context: ContextRead | undefined,
  stream: TokenStream,
): readonly number[] | undefined {
  if (only !== undefined) return [only];
  return context?.selected === undefined ? undefined : selectedTokens(stream, context.selected);
}

/** What was read by what and how, and what is to be known of it. */
function headLines(
  { method, numbers, sentences, selected }: TextFacts,
  { given, context }: Pick<ReadText, 'given' | 'context'>,
): TerminalText[] {
  const { model, streams } = numbers;
  const names = selected?.map((position) => quoted(streams[0], position));
  return [
    line`${model.name} · ${plain(model.backend)} · ${countedTokens(streams)} · ${plain(method.title)}`,
    ...(context === undefined ? [] : [placeLine(given.text, context.window, names)]),
    ...secondLine(streams[0]),
    ...sentences.map((sentence) => line`${sentence}`),
    ...(method.id === 'attention' ? [] : [methodLine(method)]),
  ];
}

/** What the model wrote, or was given as its output. */
function targetLines(
  { target }: ExplainOptions,
  [, written]: readonly (TokenStream | undefined)[],
): readonly TerminalText[] {
  if (written === undefined) return [];
  const whose = target === undefined ? line`The model writes` : line`Target`;
  return [line`${whose}: ${plainLines(written.text, maxTarget)}`];
}

/** What was read, as data. */
function dataOf({ method, numbers, selected, picture }: TextFacts, components: readonly object[]): TerminalText {
  const [source, target] = numbers.streams;
  return jsonText({
    model: numbers.model,
    method: method.title,
    ...(method.id === 'attention' ? {} : { weighed: weighedFacts(method) }),
    notices: numbers.notices,
    tokens: source.tokens,
    ...(picture === undefined || source.grid === undefined ? {} : pictureFacts(source, source.grid, picture)),
    ...(source.second === undefined ? {} : { second: source.second }),
    ...(selected === undefined ? {} : { selected }),
    ...(target === undefined ? {} : { target }),
    components,
  });
}

/** What a failure means where a text was given with a picture: of a model that reads one of them alone, that. */
function refusalOfText(error: unknown): unknown {
  if (!(error instanceof ExplorerError) || (error.code !== 'modelReadsImages' && error.code !== 'modelReadsText'))
    return error;
  const alone = error.code === 'modelReadsImages' ? 'pictures' : 'texts';
  return new ExplorerError('wrongUsage', [
    '--text',
    `${error.args[0]} reads ${alone} alone, and no picture within a text: leave --text out, or name a model that reads both (embed_tokens, vision_encoder and a decoder in one folder) with --model`,
  ]);
}

/** Numbers of a text, or of a text with a picture, which is drawn with its patches and the other tokens beside it. */
function picturedBy(numbers: Numbers, picture: Explanation['picture']): Pick<Drawn, 'numbers' | 'picture'> {
  if (picture === undefined) return { numbers };
  const streams = numbers.streams.map((stream): TokenStream => ({ ...stream, role: 'image' }));
  return { numbers: { ...numbers, streams }, picture };
}

/** What a figure is told of: the token that was named, else the last one that was selected, of a text by its name. */
function lookedAt(
  { file, text }: ExplainOptions,
  selected: readonly number[] | undefined,
): Pick<Drawn, 'position' | 'textName'> {
  return {
    position: selected?.at(-1),
    textName: text === undefined || file !== '-' ? basename(file) : 'standard input',
  };
}

/** The picture that was read with a text, and what of it each token shows. */
function pictureFacts({ tokens }: TokenStream, grid: PatchGrid, picture: PlacedPicture): object {
  const { source, placed } = picture;
  return { picture: { source, placed }, grid, areas: tokens.map((_, position) => areaOf(grid, position, picture)) };
}

/** Where the second text of a pair begins. */
function secondLine(stream: TokenStream): readonly TerminalText[] {
  return stream.second === undefined ? [] : [line`The second text begins at ${quoted(stream, stream.second.from)}`];
}

/** Which tokens were asked about, and the lines of the file that they were read in. */
function placeLine(
  text: string,
  { start, end }: TextSpan,
  selected: readonly TerminalText[] | undefined,
): TerminalText {
  const [first, last] = [lineAt(text, start), lineAt(text, end - 1)];
  const lines = first === last ? line`line ${first}` : line`lines ${first}–${last}`;
  if (selected === undefined) return line`Read alone: ${lines}`;
  const names = selected.length > 16 ? line`${selected.length} tokens` : joinTerminal(selected, ', ');
  return line`Selected: ${names}, read in ${lines}`;
}
