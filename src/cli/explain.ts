import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { ExplorerError, formatSentence } from '../base/errors';
import { AttentionStore } from '../engine/attentionStore';
import { LoadedModel } from '../engine/loadedModel';
import { loadOnBackend } from '../engine/loadOnBackend';
import { nodeFileAccess } from '../engine/nodeFileAccess.node';
import { nodeRuntimes } from '../engine/nodeRuntimes.node';
import { Runtimes } from '../engine/runtimes';
import { headLabel, headsOf, type HeadRef } from '../model/head';
import { headMetrics } from '../model/headMetrics';
import { noticeSentences } from '../model/modelInfo';
import { strongest, weightsOf, type Pattern } from '../model/pattern';
import type { EngineOptions } from '../protocol';
import { visibleText, type TokenStream } from '../model/token';
import { bundledModelPath } from './bundledModel';
import { parseHead } from './parseHead';

/** What `explain` is asked. */
export interface ExplainOptions {
  /** A path, with `:from-to` (lines from one, inclusive) where only a part is meant. */
  readonly file: string;
  readonly model: string | undefined;
  /** `layer.head`; the mean of all heads where it is missing. */
  readonly head: string | undefined;
  readonly backend: EngineOptions['backend'];
  readonly isJson: boolean;
}

/** How many sources are listed for a token. */
const numSources = 8;

/** What every token of a text reads, as text for people or as JSON. */
export async function explain({ file, model, head, backend, isJson }: ExplainOptions): Promise<string> {
  const text = await readLines(file);
  const spec = { path: model === undefined ? bundledModelPath() : resolve(model), backend, threads: 0 } as const;
  const loaded = await loadOnBackend(new Runtimes(nodeRuntimes, availableParallelism()), spec, (chosen) => LoadedModel.load(chosen, nodeFileAccess, spec));
  const { stream, notices: cuts } = loaded.tokenize(text, 0);
  const { layers, components, notices } = await loaded.run(stream);
  const store = new AttentionStore(Infinity);
  store.add(1, layers);
  const chosen = parseHead(head, components);
  const sentences = [...cuts, ...notices].map(({ code, args }) => formatSentence(noticeSentences[code], args));
  const explained = components.map((component) => {
    const heads = headsOf(component);
    const shown = chosen === undefined ? heads : heads.filter((each) => headLabel(each) === headLabel(chosen));
    const patternOf = (selected: readonly HeadRef[]): Pattern => store.pattern({ runId: 1, selection: { component: component.component, heads: selected, aggregation: 'mean' } });
    const pattern = patternOf(shown.length > 0 ? shown : heads);
    const ids = stream.tokens.map((token) => token.id);
    return {
      component: component.component,
      pattern: chosen === undefined ? `mean of all ${heads.length} heads` : `head ${headLabel(chosen)}`,
      heads: heads.map((each) => ({ head: headLabel(each), ...headMetrics(patternOf([each]), ids, component.isCausal) })),
      reads: stream.tokens.map((_, query) => strongest(weightsOf(pattern, query, 'reads'), numSources)),
      numQueries: pattern.numQueries,
    };
  });
  await loaded.release();
  if (isJson) return JSON.stringify({ model: loaded.info, method: 'attention weight', notices: sentences, tokens: stream.tokens, components: explained });
  const lines = [`${loaded.info.name} · ${loaded.info.backend} · ${stream.tokens.length} tokens · attention weight`, ...sentences];
  for (const { component, heads, pattern, reads } of explained) {
    lines.push('', `${component}: ${heads.length} heads`, 'head    previous  induction  self  entropy  strongest sink');
    for (const each of heads) {
      const share = (value: number, width: number): string => value.toFixed(2).padStart(width);
      lines.push(`${each.head.padEnd(8)}${share(each.previousToken, 8)}${share(each.induction, 11)}${share(each.self, 6)}${share(each.entropy, 9)}  ${share(each.sinkMass, 4)} at ${quoted(stream, each.sinkKey)}`);
    }
    lines.push('', `What each token reads (${pattern}):`);
    reads.forEach((sources, query) => lines.push(`${quoted(stream, query)} reads ${sources.slice(0, 4).map(({ position, weight }) => `${quoted(stream, position)}: ${weight.toFixed(3)}`).join(', ')}`));
  }
  return lines.join('\n');
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
