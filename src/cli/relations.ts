import { extname } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { grammarNames, grammarOf } from '../engine/syntax/grammars';
import { CodeParser } from '../engine/syntax/parseCode';
import { syntaxFilesIn } from '../engine/syntax/syntaxFiles.node';
import type { Explanation } from '../engine/text/textModel';
import { readRelations } from '../engine/weights/readRelations';
import { headLabel, headsOf, type ComponentInfo } from '../model/head';
import { methodOf } from '../model/methods';
import { noticeText } from '../model/modelInfo';
import {
  relationIds,
  relationSentences,
  relationTitles,
  relationValues,
  type RelationPairs,
} from '../model/relations/relation';
import { relationPairs } from '../model/relations/relationPairs';
import { SyntaxFacts } from '../model/relations/syntaxTree';
import { counted } from './counted';
import type { ModelOptions } from './openModel';
import { openTextModel, readGiven } from './readWith';
import { weighedBy, type Weighable } from './weighed';

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
    throw options.language === undefined
      ? new ExplorerError('noGrammar', [path, grammarNames])
      : new ExplorerError('wrongUsage', ['--language', `there are grammars of ${grammarNames}`]);
  const { text: whole, span } = await readGiven(options);
  const text = span === undefined ? whole : whole.slice(span.start, span.end);
  if (text === '') throw new ExplorerError('emptyText');
  const loaded = await openTextModel(options);
  const { streams, layers, components, notices } = await loaded.explain({ text, tokenLimit: 0 });
  const component = components.find(({ queryStream, keyStream }) => queryStream === 0 && keyStream === 0);
  if (component === undefined)
    throw new ExplorerError('invalidArgument', ['--model', 'no attention of it is of the text with itself']);
  const tree = await new CodeParser(syntaxFilesIn(__dirname)).parse(streams[0].text, grammar);
  const pairs = relationPairs(streams[0], new SyntaxFacts(tree, streams[0].text), component.isCausal);
  const own = layers.filter((layer) => layer.component === component.component);
  const listed = relationIds.map((id) => pairs[id]);
  const values = await readRelations(own, listed);
  const { norms, lack } = await byNorms(loaded, { layers, components }, component, listed);
  await loaded.release();
  const measured = relationIds.map((id, relation) => ({
    id,
    numPairs: pairs[id].keys.length,
    heads: headsOf(component).map((head, index) => {
      const start = (index * relationIds.length + relation) * relationValues.length;
      const end = start + relationValues.length;
      return {
        head: headLabel(head),
        values: [...values.subarray(start, end)],
        norms: norms && [...norms.subarray(start, end)],
      };
    }),
  }));
  const sentences = [...notices.map(noticeText), ...(lack === undefined ? [] : [plain(lack)])];
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
          heads: heads.map(({ head, values: ofWeights, norms: ofNorms }) => ({
            head,
            ...named(ofWeights),
            ...(ofNorms === undefined ? {} : { norm: named(ofNorms) }),
          })),
        })),
      })
    : joinTerminal([
        line`${loaded.info.name} · ${plain(loaded.info.backend)} · ${counted(streams[0].tokens.length, 'token')} of ${plain(grammar)} · attention weight`,
        ...sentences.map((sentence) => line`${sentence}`),
        ...measured.flatMap((each) => relationLines(component, each)),
      ]);
}

/** The same of norm-weighted attention, whose numbers are lengths; undefined where it cannot be had, with a sentence that says why. */
async function byNorms(
  model: Weighable,
  run: Pick<Explanation, 'layers' | 'components'>,
  { component: wanted }: ComponentInfo,
  listed: readonly RelationPairs[],
): Promise<{ readonly norms?: Float32Array; readonly lack?: string }> {
  try {
    const { layers } = await weighedBy(methodOf('norm'), run, { model, wanted });
    return { norms: await readRelations(layers, listed) };
  } catch (error) {
    if (!(error instanceof ExplorerError) || error.code !== 'methodNotOffered') throw error;
    return { lack: `Without norm-weighted attention: ${String(error.args[1])}.` };
  }
}

/** The values of a head by their names; what is none is null. */
function named(values: readonly number[]): Readonly<Record<string, number | null>> {
  return Object.fromEntries(
    relationValues.map((name, i) => [name, Number.isFinite(values[i]) ? values[i] : null] as const),
  );
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
    readonly heads: readonly {
      readonly head: string;
      readonly values: readonly number[];
      readonly norms: readonly number[] | undefined;
    }[];
  },
): TerminalText[] {
  const title = line`${plain(relationTitles[id])} (${counted(numPairs, 'pair')}): ${plain(relationSentences[id])}`;
  const [share, baseline, ratio, low, high] = relationValues.map((_, i) => i);
  const told = heads.filter(({ values }) => Number.isFinite(values[ratio]));
  if (told.length === 0) return [line``, title, line`  – too few pairs for a verdict`];
  const number = (value: number): TerminalText => line`${plain(value.toFixed(3).padStart(9))}`;
  const interval = (values: readonly number[]): TerminalText =>
    line`${plain(`${values[low].toFixed(2)}–${values[high].toFixed(2)}`.padEnd(13))}`;
  return [
    line``,
    title,
    line`  head      share baseline    ratio  95 % interval${told[0].norms === undefined ? line`` : line`  by norm  95 % interval`}   (strongest of ${headsOf(component).length})`,
    ...[...told]
      .sort((a, b) => b.values[share] - a.values[share])
      .slice(0, numListed)
      .map(
        ({ head, values, norms }) =>
          line`  ${plain(head.padEnd(5))}${number(values[share])}${number(values[baseline])}${number(values[ratio])}  ${interval(values)}${norms === undefined ? line`` : line`${number(norms[ratio])}  ${interval(norms)}`}`,
      ),
  ];
}
