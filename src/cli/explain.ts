import { basename } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain, plainLines } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { AttentionStore } from '../engine/attentionStore';
import { LoadedModel } from '../engine/loadedModel';
import { nodeFileAccess } from '../engine/nodeFileAccess.node';
import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../model/head';
import { headMetrics, type HeadMetrics } from '../model/headMetrics';
import { noticeText } from '../model/modelInfo';
import { strongest, weightsOf, type Pattern } from '../model/pattern';
import { StrongestHeads } from '../model/strongestHeads';
import { visibleNext, visibleText, type TokenStream } from '../model/token';
import { deadlines } from './deadlines';
import { muchRead } from './muchRead';
import { numSources, openModel, patternName, type ModelOptions, type Source } from './openModel';
import { parseHead } from './parseHead';
import { checkWeightsFile, writeWeights } from './weightsFile';

/** What `explain` is asked. */
export interface ExplainOptions extends ModelOptions {
  /** A path, with `:from-to` (lines from one, inclusive) where only a part is meant. */
  readonly file: string;
  /** The text, where it does not stand in a file. */
  readonly text?: string;
  /** The target of an encoder–decoder model; what the model writes where it is missing. */
  readonly target: string | undefined;
  /** The tokenizer.json to use instead of the one beside the model. */
  readonly tokenizer: string | undefined;
  /** Whether the model's chat template is put around the text. */
  readonly isChatMessage: boolean;
  /** The only component that is listed, and written. */
  readonly component: string | undefined;
}

/** UTF-16 units of a target that are printed. */
const maxTarget = 20_000;

/** What every token of a text reads, as text for people or as JSON. */
export async function explain(options: ExplainOptions): Promise<TerminalText> {
  const { file, target, tokenizer, isChatMessage, component: wanted, head, isJson, out } = options;
  if (out !== undefined) await checkWeightsFile(out);
  const text = options.text ?? (await readLines(file));
  if (text === '') throw new ExplorerError('emptyText');
  const loaded = await openModel(options, undefined, (choosing, access, spec) => LoadedModel.load(choosing, access, spec, undefined, undefined, { deadlines }), tokenizer);
  const { streams, layers, components: all, notices } = await loaded.explain({ text, tokenLimit: 0, target, isChatMessage });
  const store = new AttentionStore(Infinity);
  store.add(1, layers);
  const components = all.filter(({ component }) => wanted === undefined || component === wanted);
  if (components.length === 0) throw new ExplorerError('invalidArgument', ['--component', `the model has ${all.map(({ component }) => component).join(', ')}`]);
  const chosen = parseHead(head, components);
  const sentences = notices.map(noticeText);
  const headline = line`${loaded.info.name} · ${plain(loaded.info.backend)} · ${joinTerminal(streams.map(({ tokens }) => line`${tokens.length}`), ' + ')} tokens · attention weight`;
  const said: TerminalText[] = [headline, ...sentences.map((sentence) => line`${sentence}`)];
  if (out !== undefined) {
    const written = await writeWeights(out, { model: loaded.info, notices: sentences, streams, components, store, runId: 1, head: chosen });
    if (!isJson) {
      await loaded.release();
      return joinTerminal([...said, written]);
    }
  }
  const explained = [];
  for (const component of components) {
    const heads = headsOf(component);
    const shown = chosen && heads.find((each) => headLabel(each) === headLabel(chosen));
    const patternOf = (each: HeadRef): Promise<Pattern> => store.pattern({ runId: 1, selection: { component: component.component, heads: [each], aggregation: 'mean' } });
    const queries = streams[component.queryStream];
    const all = new StrongestHeads();
    const measured = [];
    for (const each of heads) {
      const pattern = await patternOf(each);
      measured.push({ head: headLabel(each), ...metricsOf(pattern, component, queries), muchRead: muchRead(pattern, component) });
      if (shown === undefined) all.add(each, pattern);
    }
    const one = shown && (await patternOf(shown));
    const reads = (query: number): readonly Source[] => (one === undefined ? all.reads(query, numSources).map((source) => ({ ...source, head: headLabel(source.head) })) : strongest(weightsOf(one, query, 'reads'), numSources));
    explained.push({
      component: component.component,
      pattern: patternName(shown),
      isOne: shown !== undefined,
      queryStream: component.queryStream,
      keyStream: component.keyStream,
      heads: measured,
      reads: queries.tokens.map((_, query) => reads(query)),
    });
  }
  await loaded.release();
  const [source, written] = streams;
  if (isJson) return jsonText({ model: loaded.info, method: 'attention weight', notices: sentences, tokens: source.tokens, ...(written === undefined ? {} : { target: written }), components: explained });
  const lines = said;
  if (written !== undefined) lines.push(line`${target === undefined ? line`The model writes` : line`Target`}: ${plainLines(written.text, maxTarget)}`);
  for (const { component, heads, pattern, isOne, reads, queryStream, keyStream } of explained) {
    const isSelf = queryStream === keyStream;
    lines.push(line``, line`${plain(component)}: ${heads.length} heads`, line`head    ${isSelf ? line`previous  induction  self  ` : line``}entropy  much read by all`);
    for (const each of heads) {
      const share = (value: number, width: number): TerminalText => line`${plain(value.toFixed(2).padStart(width))}`;
      const own = 'self' in each ? line`${share(each.previousToken, 8)}${share(each.induction, 11)}${share(each.self, 6)}  ` : line``;
      const much = each.muchRead;
      const word = much === undefined ? line`-` : line`${much.isSink ? line`sink` : line`often read`} ${quoted(streams[keyStream], much.position)}: ${share(much.weight, 4)}`;
      lines.push(line`${plain(each.head.padEnd(8))}${own}${share(each.entropy, 7)}  ${word}`);
    }
    lines.push(line``, isOne ? line`What each token reads (${plain(pattern)}):` : line`What each token reads most${isSelf ? line`, beside itself and the token before,` : line``} and in which head:`);
    reads.forEach((sources, query) => {
      const next = visibleNext(streams[queryStream], query);
      // Itself and the token before are what some head reads of every token: the numbers above tell of those.
      const told = isOne || !isSelf ? sources : sources.filter(({ position }) => position !== query && position !== query - 1);
      const read = (told.length > 0 ? told : sources).slice(0, 4).map(({ position, weight, head: by }) => line`${quoted(streams[keyStream], position)}: ${plain(weight.toFixed(3))}${by === undefined ? line`` : line` in ${plain(by)}`}`);
      lines.push(line`${quoted(streams[queryStream], query)}${next === undefined ? line`` : line`, next "${next}",`} reads ${read.length === 0 ? line`no key` : joinTerminal(read, ', ')}`);
    });
  }
  return joinTerminal(lines);
}

/** The metrics of a head; those that compare positions of one text are left out where there are two. */
function metricsOf(pattern: Pattern, { queryStream, keyStream, isCausal }: ComponentInfo, queries: TokenStream): HeadMetrics | Pick<HeadMetrics, 'entropy' | 'sinkMass' | 'sinkKey'> {
  const metrics = headMetrics(pattern, queries.tokens.map((token) => token.id), isCausal);
  const { entropy, sinkMass, sinkKey } = metrics;
  return queryStream === keyStream ? metrics : { entropy, sinkMass, sinkKey };
}

function quoted(stream: TokenStream, position: number): TerminalText {
  return line`"${visibleText(stream, position)}" (${position})`;
}

/** The text of a file, or of its lines `from-to`. */
async function readLines(argument: string): Promise<string> {
  const [, path = argument, from, to] = /^(.*):(\d+)-(\d+)$/.exec(argument) ?? [];
  const bytes = await nodeFileAccess.read(path, 'text');
  if (bytes.subarray(0, 8192).includes(0)) throw new ExplorerError('binaryFile', [basename(path)]);
  const text = new TextDecoder().decode(bytes);
  if (from === undefined) return text;
  const lines = text.split(/(?<=\n)/).slice(Number(from) - 1, Number(to));
  if (lines.length === 0 || Number(from) < 1) throw new ExplorerError('invalidArgument', [`${from}-${to}`, `${basename(path)} does not have these lines`]);
  return lines.join('');
}
