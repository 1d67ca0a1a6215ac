import { basename } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain, plainLines } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { AttentionStore } from '../engine/weights/attentionStore';
import { MixedLayer } from '../engine/weights/weighedLayers';
import { joinedComponent, methodOf, type MethodId } from '../model/methods';
import type { TextSpan } from '../model/contextWindow';
import { headLabel, headsOf, type HeadRef } from '../model/head';
import { applicableTo, headMetrics, type HeadMetrics } from '../model/metrics/headTable';
import { metricTextOf } from '../model/metrics/metricText';
import { noticeText, type Languages } from '../model/modelInfo';
import type { Numbers } from '../model/numbers/numbers';
import { meanOf, strongest, weightsOf, type Pattern } from '../model/pattern';
import type { PlacedPicture } from '../model/patchGrid';
import { selectedTokens } from '../model/selectedTokens';
import { StrongestHeads } from '../model/strongestHeads';
import { visibleNext, visibleText, type PatchGrid, type TokenStream } from '../model/token';
import { counted, countedTokens } from './counted';
import { lineAt, readWholePart, meantOf } from './filePart';
import { muchRead } from './muchRead';
import { numSources, patternName, type ModelOptions, type Source } from './openModel';
import { areaOf, patchWords } from './explainImage';
import { parseHead } from './parseHead';
import { printedInput } from './printedInput';
import { readInContext } from './readInContext';
import { readHead } from './readHead';
import { RolloutBaseline, uniformText } from './rolloutBaseline';
import { openTextModel, readGiven, readPicture } from './readWith';
import { isOfLayers, methodLine, ofFile, queryOf, tokenOf, weighedAsFar, weighedFacts, writtenIn } from './weighed';
import type { Explanation } from '../engine/text/textModel';
import { checkFigureOut, writeFigure, type Drawn, type FigureOut } from './figureFile';
import { checkNumbersOut, writeNumbers } from './weightsFile';

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

/** What is read less than this is not listed, unless nothing is read more. */
const leastListed = 0.01;

/** A head as it is listed: its metrics, or, of a method whose numbers are lengths, how much it writes. */
type MeasuredHead = Partial<HeadMetrics> & {
  readonly head: string;
  readonly muchRead?: ReturnType<typeof muchRead>;
  readonly written?: ReturnType<typeof writtenIn>;
  /** Of a method with the residual: how much of each token comes from others. */
  readonly mixing?: readonly number[];
};

/** UTF-16 units of a target that are printed. */
const maxTarget = 20_000;

/** What every token of a text reads, as text for people or as JSON. */
export async function explain(options: ExplainOptions): Promise<TerminalText> {
  const {
    pair,
    target,
    languages,
    isChatMessage,
    component: wanted,
    head,
    isJson,
    out,
    figure,
    contextTokens,
    isStaged,
    method: methodId = 'attention',
  } = options;
  const method = methodOf(methodId);
  const checked = out && (await checkNumbersOut(out));
  const drawn = figure && (await checkFigureOut(figure));
  const { text, span } = await readGiven(options);
  const second = pair === undefined ? undefined : await readWholePart(pair);
  if (text === '' || second === '') throw new ExplorerError('emptyText');
  if (second !== undefined && (isChatMessage || contextTokens !== undefined))
    throw new ExplorerError('wrongUsage', ['--pair', 'it goes with neither --chat nor --context']);
  if (
    contextTokens !== undefined &&
    (span === undefined || isChatMessage || target !== undefined || languages !== undefined)
  )
    throw new ExplorerError('wrongUsage', [
      '--context',
      span === undefined ? 'it takes a part of a file, as FILE:from-to' : 'it goes with neither --chat nor --target',
    ]);
  const refuse = (error: unknown): never => {
    throw options.isPicture === true ? refusalOfText(error) : error;
  };
  const loaded = await openTextModel(options, {
    staging: isStaged === true ? 'all' : 'none',
  }).catch(refuse);
  const context =
    contextTokens === undefined || span === undefined
      ? undefined
      : await readInContext(loaded, text, span, contextTokens);
  const {
    streams,
    layers,
    components: found,
    notices,
    picture,
  } = context?.explanation ??
  (await loaded
    .explain({
      text: meantOf({ text, span }),
      second,
      tokenLimit: 0,
      target,
      languages,
      isChatMessage,
      picture: options.isPicture === true ? await readPicture(options.file) : undefined,
    })
    .catch(refuse));
  const token = method.id === 'flow' ? tokenOf(options.query, streams[0].tokens.length) : undefined;
  const ofComponent = found.filter(({ component }) => wanted === undefined || component === wanted);
  if (ofComponent.length === 0)
    throw new ExplorerError('invalidArgument', [
      '--component',
      `the model has ${found.map(({ component }) => component).join(', ')}`,
    ]);
  parseHead(head, method.joinsHeads ? ofComponent.map(joinedComponent) : ofComponent, method);
  const only = token ?? queryOf(options.query, ofComponent, streams);
  const selected =
    only !== undefined
      ? [only]
      : context?.selected === undefined
        ? undefined
        : selectedTokens(streams[0], context.selected);
  if (options.isInput === true) {
    const printed = printedInput(loaded, notices);
    await loaded.release();
    return printed;
  }
  const store = new AttentionStore(Infinity);
  const weighing = [
    { layers, components: found },
    { model: loaded, wanted, ...(token === undefined ? {} : { token }) },
  ] as const;
  const { components: all, layers: weighed, lacks } = await weighedAsFar(method, ...weighing, head);
  const baseline = await RolloutBaseline.of(method, ...weighing, all);
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
  const headline = line`${loaded.info.name} · ${plain(loaded.info.backend)} · ${countedTokens(streams)} · ${plain(method.title)}`;
  const place =
    context === undefined
      ? []
      : [
          placeLine(
            text,
            context.window,
            selected?.map((position) => quoted(streams[0], position)),
          ),
        ];
  const said: TerminalText[] = [
    headline,
    ...place,
    ...secondLine(streams[0]),
    ...sentences.map((sentence) => line`${sentence}`),
    ...(methodId === 'attention' ? [] : [methodLine(method)]),
  ];
  const numbers: Numbers = {
    model: loaded.info,
    notices: sentences,
    streams,
    components,
    method: method.id,
    heads: ofFile(method.id, named, last),
    read: (component, each) => readHead(store, component, each),
  };
  if (drawn !== undefined) {
    await loaded.release();
    return joinTerminal([
      ...said,
      await writeFigure(drawn, { ...picturedBy(numbers, picture), store, chosen, ...lookedAt(options, selected) }),
    ]);
  }
  if (checked !== undefined) {
    const written = await writeNumbers(checked, numbers);
    if (!isJson) {
      await loaded.release();
      return joinTerminal([...said, written]);
    }
  }
  const explained = [];
  for (const component of components) {
    const heads = headsOf(component);
    const shown = chosen && heads.find((each) => headLabel(each) === headLabel(chosen));
    const patternOf = (each: HeadRef): Promise<Pattern> =>
      store.pattern({ runId: 1, selection: { component: component.component, heads: [each], aggregation: 'mean' } });
    const queries = streams[component.queryStream];
    const all = new StrongestHeads();
    const metricText = metricTextOf(component, streams);
    const applicable = applicableTo(component);
    /** The metrics of a head; those that compare positions of one text are left out where there are two. */
    const metricsOf = (pattern: Pattern): Partial<HeadMetrics> => {
      const metrics = headMetrics(pattern, metricText);
      return Object.fromEntries(applicable.map((id) => [id, metrics[id]]));
    };
    const measured: MeasuredHead[] = [];
    /** The mean of what is selected, as a pattern of one row. */
    const meanPattern = (pattern: Pattern): Pattern => ({
      ...pattern,
      numQueries: 1,
      weights: meanOf((selected ?? []).map((query) => weightsOf(pattern, query, 'reads'))),
    });
    const means = selected !== undefined && selected.length > 1 ? new StrongestHeads() : undefined;
    const own = weighed.filter((layer) => layer.component === component.component);
    for (const each of heads) {
      // One row of one layer takes long enough.
      if (token !== undefined) {
        measured.push({ head: headLabel(each) });
        continue;
      }
      const pattern = await patternOf(each);
      const layer = own[each.layer];
      if (shown === undefined) means?.add(each, meanPattern(pattern));
      measured.push({
        head: headLabel(each),
        ...(method.unit === 'share'
          ? { ...metricsOf(pattern), muchRead: muchRead(pattern, component) }
          : { written: writtenIn(pattern) }),
        ...(layer instanceof MixedLayer ? { mixing: [...layer.mixing] } : {}),
      });
      if (shown === undefined) all.add(each, pattern);
    }
    const one = shown && (await patternOf(shown));
    const reads = (query: number): readonly Source[] =>
      one === undefined
        ? all.reads(query, numSources).map((source) => ({ ...source, head: headLabel(source.head) }))
        : strongest(weightsOf(one, query, 'reads'), numSources);
    const beside = async (sources: readonly Source[], of: readonly number[]): Promise<readonly Source[]> =>
      baseline?.beside(sources, component.component, of, shown) ?? sources;
    const mean =
      means === undefined
        ? undefined
        : one === undefined
          ? means.reads(0, numSources).map((source) => ({ ...source, head: headLabel(source.head) }))
          : strongest(weightsOf(meanPattern(one), 0, 'reads'), numSources);
    explained.push({
      ...(mean === undefined ? {} : { meanReads: await beside(mean, selected ?? []) }),
      component: component.component,
      pattern: patternName(shown, method.joinsHeads),
      isOne: shown !== undefined,
      queryStream: component.queryStream,
      keyStream: component.keyStream,
      heads: measured,
      reads: await Promise.all(
        queries.tokens.map(async (_, query) =>
          token === undefined || query === token ? beside(reads(query), [query]) : [],
        ),
      ),
    });
  }
  await loaded.release();
  const [source, written] = streams;
  if (isJson)
    return jsonText({
      model: loaded.info,
      method: method.title,
      ...(methodId === 'attention' ? {} : { weighed: weighedFacts(method) }),
      notices: sentences,
      tokens: source.tokens,
      ...(picture === undefined || source.grid === undefined ? {} : pictureFacts(source, source.grid, picture)),
      ...(source.second === undefined ? {} : { second: source.second }),
      ...(selected === undefined ? {} : { selected }),
      ...(written === undefined ? {} : { target: written }),
      components: explained,
    });
  const lines = said;
  const unit = method.joinsHeads ? 'layer' : 'head';
  if (written !== undefined)
    lines.push(
      line`${target === undefined ? line`The model writes` : line`Target`}: ${plainLines(written.text, maxTarget)}`,
    );
  for (const { component, heads, pattern, isOne, reads, meanReads, queryStream, keyStream } of explained) {
    const isSelf = queryStream === keyStream;
    lines.push(line``, line`${plain(component)}: ${counted(heads.length, unit)}`);
    if (token === undefined)
      lines.push(
        method.unit === 'norm'
          ? line`${plain(unit.padEnd(8))}for a token, summed  largest for a pair${heads.some(({ mixing }) => mixing !== undefined) ? line`  of others (mixing ratio)` : line``}`
          : line`${plain(unit.padEnd(8))}${isSelf ? line`previous  induction  self  ` : line``}entropy  much read by all`,
      );
    for (const each of token === undefined ? heads : []) {
      if (each.written !== undefined) {
        const { mean, largest } = each.written;
        const { mixing } = each;
        const ofOthers =
          mixing === undefined
            ? line``
            : line`${plain((mixing.reduce((sum, share) => sum + share, 0) / mixing.length).toFixed(2).padStart(26))}`;
        lines.push(
          line`${plain(each.head.padEnd(8))}${plain(mean.toFixed(2).padStart(19))}${plain(largest.toFixed(2).padStart(20))}${ofOthers}`,
        );
        continue;
      }
      const share = (value = NaN, width: number): TerminalText => line`${plain(value.toFixed(2).padStart(width))}`;
      const own =
        each.self !== undefined
          ? line`${share(each.previousToken, 8)}${share(each.induction, 11)}${share(each.self, 6)}  `
          : line``;
      const much = each.muchRead;
      const word =
        much === undefined
          ? line`-`
          : line`${much.isSink ? line`sink` : line`often read`} ${quoted(streams[keyStream], much.position)}: ${share(much.weight, 4)}`;
      lines.push(line`${plain(each.head.padEnd(8))}${own}${share(each.entropy, 7)}  ${word}`);
    }
    lines.push(
      line``,
      isOne
        ? line`What each token reads (${plain(pattern)}):`
        : line`What each token reads most${isSelf ? line`, beside itself and the token before,` : line``} and in which ${plain(unit)}:`,
    );
    const listed = (sources: readonly Source[], isNear: (position: number) => boolean): TerminalText => {
      // Itself and the token before are what some head reads of every token: the numbers above tell of those.
      const told = isOne || !isSelf ? sources : sources.filter(({ position }) => !isNear(position));
      const read = (told.length > 0 ? told : sources)
        .slice(0, 4)
        .filter(({ weight }, i) => i === 0 || weight >= leastListed)
        .map((source) => {
          const { position, weight, head: by } = source;
          return line`${quoted(streams[keyStream], position)}: ${plain(weight.toFixed(3))}${by === undefined ? line`` : line` in ${plain(by)}`}${uniformText(source)}`;
        });
      return read.length === 0 ? line`no key` : joinTerminal(read, ', ');
    };
    const isRead = (query: number): boolean => selected === undefined || selected.includes(query);
    if (selected !== undefined && meanReads !== undefined)
      lines.push(
        line`mean of ${counted(selected.length, 'token')} reads ${listed(meanReads, (position) => selected.includes(position) || selected.includes(position + 1))}`,
      );
    reads.forEach((sources, query) => {
      if (!isRead(query)) return;
      const next = visibleNext(streams[queryStream], query);
      lines.push(
        line`${quoted(streams[queryStream], query)}${next === undefined ? line`` : line`, next "${next}",`} reads ${listed(sources, (position) => position === query || position === query - 1)}`,
      );
    });
  }
  return joinTerminal(lines);
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

function quoted(stream: TokenStream, position: number): TerminalText {
  const patch = stream.grid && patchWords(stream.grid, position);
  if (patch !== undefined) return line`${patch} (${position})`;
  return line`"${visibleText(stream, position)}" (${position})`;
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
