import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { ExplorerError, formatSentence } from '../base/errors';
import { AttentionStore } from '../engine/attentionStore';
import { LoadedModel } from '../engine/loadedModel';
import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../model/head';
import { headMetrics, type HeadMetrics } from '../model/headMetrics';
import { noticeSentences } from '../model/modelInfo';
import { strongest, weightsOf, type Pattern } from '../model/pattern';
import { visibleNext, visibleText, type TokenStream } from '../model/token';
import { numSources, openModel, type ModelOptions } from './openModel';
import { parseHead } from './parseHead';

/** What `explain` is asked. */
export interface ExplainOptions extends ModelOptions {
  /** A path, with `:from-to` (lines from one, inclusive) where only a part is meant. */
  readonly file: string;
  /** The target of an encoder–decoder model; what the model writes where it is missing. */
  readonly target: string | undefined;
  /** The tokenizer.json to use instead of the one beside the model. */
  readonly tokenizer: string | undefined;
  /** Whether the model's chat template is put around the text. */
  readonly isChatMessage: boolean;
  /** The only component that is listed. */
  readonly component: string | undefined;
}

/** What every token of a text reads, as text for people or as JSON. */
export async function explain(options: ExplainOptions): Promise<string> {
  const { file, target, tokenizer, isChatMessage, component: wanted, head, isJson } = options;
  const text = await readLines(file);
  const loaded = await openModel(options, undefined, (choosing, access, spec) => LoadedModel.load(choosing, access, spec), tokenizer);
  const { streams, layers, components: all, notices } = await loaded.explain({ text, tokenLimit: 0, target, isChatMessage });
  const store = new AttentionStore(Infinity);
  store.add(1, layers);
  const components = all.filter(({ component }) => wanted === undefined || component === wanted);
  if (components.length === 0) throw new ExplorerError('invalidArgument', ['--component', `the model has ${all.map(({ component }) => component).join(', ')}`]);
  const chosen = parseHead(head, components);
  const sentences = notices.map(({ code, args }) => formatSentence(noticeSentences[code], args));
  const explained = [];
  for (const component of components) {
    const heads = headsOf(component);
    const shown = chosen === undefined ? heads : heads.filter((each) => headLabel(each) === headLabel(chosen));
    const patternOf = (selected: readonly HeadRef[]): Promise<Pattern> => store.pattern({ runId: 1, selection: { component: component.component, heads: selected, aggregation: 'mean' } });
    const pattern = await patternOf(shown.length > 0 ? shown : heads);
    const queries = streams[component.queryStream];
    const measured = [];
    for (const each of heads) measured.push({ head: headLabel(each), ...metricsOf(await patternOf([each]), component, queries) });
    explained.push({
      component: component.component,
      pattern: shown.length === 1 ? `head ${headLabel(shown[0])}` : `mean of all ${heads.length} heads`,
      queryStream: component.queryStream,
      keyStream: component.keyStream,
      heads: measured,
      reads: queries.tokens.map((_, query) => strongest(weightsOf(pattern, query, 'reads'), numSources)),
      numQueries: pattern.numQueries,
    });
  }
  await loaded.release();
  const [source, written] = streams;
  if (isJson) return JSON.stringify({ model: loaded.info, method: 'attention weight', notices: sentences, tokens: source.tokens, ...(written === undefined ? {} : { target: written }), components: explained });
  const lines = [`${loaded.info.name} · ${loaded.info.backend} · ${streams.map(({ tokens }) => tokens.length).join(' + ')} tokens · attention weight`, ...sentences];
  if (written !== undefined) lines.push(`${target === undefined ? 'The model writes' : 'Target'}: ${written.text}`);
  for (const { component, heads, pattern, reads, queryStream, keyStream } of explained) {
    const isSelf = queryStream === keyStream;
    lines.push('', `${component}: ${heads.length} heads`, `head    ${isSelf ? 'previous  induction  self  ' : ''}entropy  strongest sink`);
    for (const each of heads) {
      const share = (value: number, width: number): string => value.toFixed(2).padStart(width);
      const own = 'self' in each ? `${share(each.previousToken, 8)}${share(each.induction, 11)}${share(each.self, 6)}  ` : '';
      lines.push(`${each.head.padEnd(8)}${own}${share(each.entropy, 7)}  ${share(each.sinkMass, 4)} at ${quoted(streams[keyStream], each.sinkKey)}`);
    }
    lines.push('', `What each token reads (${pattern}):`);
    reads.forEach((sources, query) => {
      const next = visibleNext(streams[queryStream], query);
      lines.push(`${quoted(streams[queryStream], query)}${next === undefined ? '' : `, next "${next}",`} reads ${sources.slice(0, 4).map(({ position, weight }) => `${quoted(streams[keyStream], position)}: ${weight.toFixed(3)}`).join(', ')}`);
    });
  }
  return lines.join('\n');
}

/** The metrics of a head; those that compare positions of one text are left out where there are two. */
function metricsOf(pattern: Pattern, { queryStream, keyStream, isCausal }: ComponentInfo, queries: TokenStream): HeadMetrics | Pick<HeadMetrics, 'entropy' | 'sinkMass' | 'sinkKey'> {
  const metrics = headMetrics(pattern, queries.tokens.map((token) => token.id), isCausal);
  const { entropy, sinkMass, sinkKey } = metrics;
  return queryStream === keyStream ? metrics : { entropy, sinkMass, sinkKey };
}

function quoted(stream: TokenStream, position: number): string {
  return `"${visibleText(stream, position)}" (${position})`;
}

/** The text of a file, or of its lines `from-to`. */
async function readLines(argument: string): Promise<string> {
  const [, path = argument, from, to] = /^(.*):(\d+)-(\d+)$/.exec(argument) ?? [];
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new ExplorerError('fileNotFound', [path], { cause: error });
  }
  if (bytes.subarray(0, 8192).includes(0)) throw new ExplorerError('binaryFile', [basename(path)]);
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (from === undefined) {
    if (text === '') throw new ExplorerError('emptyText');
    return text;
  }
  const lines = text.split(/(?<=\n)/).slice(Number(from) - 1, Number(to));
  if (lines.length === 0 || Number(from) < 1) throw new ExplorerError('invalidArgument', [`${from}-${to}`, `${basename(path)} does not have these lines`]);
  return lines.join('');
}
