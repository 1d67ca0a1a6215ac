import { extname } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { grammarNames, grammarOf } from '../engine/syntax/grammars';
import { CodeParser } from '../engine/syntax/parseCode';
import { syntaxFilesIn } from '../engine/syntax/syntaxFiles.node';
import { readRelations } from '../engine/weights/readRelations';
import { headLabel, headsOf, type ComponentInfo } from '../model/head';
import { noticeText } from '../model/modelInfo';
import { relationIds, relationSentences, relationTitles, relationValues } from '../model/relations/relation';
import { relationPairs } from '../model/relations/relationPairs';
import { SyntaxFacts } from '../model/relations/syntaxTree';
import type { ModelOptions } from './openModel';
import { openTextModel, readGiven } from './readWith';

/** What `relations` is asked. */
export interface RelationsOptions extends ModelOptions {
  /** A path, with a range where only a part is meant, as for `explain`. */
  readonly file: string;
  /** The text, where it does not stand in a file. */
  readonly text?: string;
  /** The language of the text; that of the file's ending where it is missing. */
  readonly language: string | undefined;
  readonly tokenizer: string | undefined;
}

/** What every head reads along the relations of a program, as text for people or as JSON. */
export async function relations(options: RelationsOptions): Promise<TerminalText> {
  const path = options.file.replace(/:\d+(?::\d+)?-\d+(?::\d+)?$/, '');
  const language = options.language ?? extname(path).slice(1);
  const grammar = grammarOf(language);
  if (grammar === undefined)
    throw new ExplorerError('wrongUsage', ['--language', `there are grammars of ${grammarNames}`]);
  const { text: whole, span } = await readGiven(options);
  const text = span === undefined ? whole : whole.slice(span.start, span.end);
  if (text === '') throw new ExplorerError('emptyText');
  const loaded = await openTextModel(options);
  const { streams, layers, components, notices } = await loaded.explain({ text, tokenLimit: 0 });
  await loaded.release();
  const component = components.find(({ queryStream, keyStream }) => queryStream === 0 && keyStream === 0);
  if (component === undefined)
    throw new ExplorerError('invalidArgument', ['--model', 'no attention of it is of the text with itself']);
  const tree = await new CodeParser(syntaxFilesIn(__dirname)).parse(streams[0].text, grammar);
  const pairs = relationPairs(streams[0], new SyntaxFacts(tree, streams[0].text), component.isCausal);
  const own = layers.filter((layer) => layer.component === component.component);
  const values = await readRelations(
    own,
    relationIds.map((id) => pairs[id]),
  );
  const measured = relationIds.map((id, relation) => ({
    id,
    numPairs: pairs[id].keys.length,
    heads: headsOf(component).map((head, index) => ({
      head: headLabel(head),
      values: [
        ...values.subarray(
          (index * relationIds.length + relation) * relationValues.length,
          (index * relationIds.length + relation + 1) * relationValues.length,
        ),
      ],
    })),
  }));
  const sentences = notices.map(noticeText);
  return options.isJson
    ? jsonText({
        model: loaded.info,
        method: 'attention weight',
        notices: sentences,
        language: grammar,
        component: component.component,
        numTokens: streams[0].tokens.length,
        relations: measured.map(({ id, numPairs, heads }) => ({
          id,
          title: relationTitles[id],
          definition: relationSentences[id],
          numPairs,
          heads: heads.map(({ head, values: own }) => ({
            head,
            ...Object.fromEntries(
              relationValues.map((name, i) => [name, Number.isFinite(own[i]) ? own[i] : null] as const),
            ),
          })),
        })),
      })
    : joinTerminal([
        line`${loaded.info.name} · ${plain(loaded.info.backend)} · ${streams[0].tokens.length} tokens of ${plain(grammar)} · attention weight`,
        ...sentences.map((sentence) => line`${sentence}`),
        ...measured.flatMap((each) => relationLines(component, each)),
      ]);
}

/** Heads of a relation that are listed. */
const numListed = 5;

function relationLines(
  component: ComponentInfo,
  {
    id,
    numPairs,
    heads,
  }: {
    readonly id: (typeof relationIds)[number];
    readonly numPairs: number;
    readonly heads: readonly { readonly head: string; readonly values: readonly number[] }[];
  },
): TerminalText[] {
  const title = line`${plain(relationTitles[id])} (${numPairs} pairs): ${plain(relationSentences[id])}`;
  const [share, baseline, ratio, low, high] = relationValues.map((_, i) => i);
  const told = heads.filter(({ values }) => Number.isFinite(values[ratio]));
  if (told.length === 0) return [line``, title, line`  – too few pairs for a verdict`];
  const number = (value: number): TerminalText => line`${plain(value.toFixed(3).padStart(9))}`;
  return [
    line``,
    title,
    line`  head      share baseline    ratio  95 % interval   (strongest of ${headsOf(component).length})`,
    ...[...told]
      .sort((a, b) => b.values[share] - a.values[share])
      .slice(0, numListed)
      .map(
        ({ head, values }) =>
          line`  ${plain(head.padEnd(5))}${number(values[share])}${number(values[baseline])}${number(values[ratio])}  ${plain(values[low].toFixed(2))}–${plain(values[high].toFixed(2))}`,
      ),
  ];
}
