import { basename } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../base/terminalText';
import { AttentionStore } from '../engine/weights/attentionStore';
import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../model/head';
import { joinedComponent, methodOf, type MethodId } from '../model/methods';
import { noticeText } from '../model/modelInfo';
import type { Numbers } from '../model/numbers/numbers';
import { anyPatchAt, sourceOfPatch, specialPositions, type PlacedPicture } from '../model/patchGrid';
import { strongest, weightsOf, type Pattern } from '../model/pattern';
import { StrongestHeads } from '../model/strongestHeads';
import type { PatchGrid, TokenStream } from '../model/token';
import { numSources, patternName, type ModelOptions, type Source } from './openModel';
import { parseHead } from './parseHead';
import { printedInput } from './printedInput';
import { openPictureModel } from './readWith';
import { RolloutBaseline, uniformText } from './rolloutBaseline';
import { isOfLayers, methodLine, ofFile, queryOf, tokenOf, weighedAsFar, weighedFacts } from './weighed';
import { readHead } from './readHead';
import { checkFigureOut, writeFigure, type FigureOut } from './figureFile';
import { checkNumbersOut, writeNumbers } from './weightsFile';

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
  const { file, head, isJson, out, figure } = options;
  const checked = out && (await checkNumbersOut(out));
  const drawn = figure && (await checkFigureOut(figure));
  const { model: loaded, picture, notices: preparing, facts } = await openPictureModel(options, file);
  const { streams, layers: read, components: found, notices, answers } = await loaded.run(picture);
  const ofMethod = methodOf(options.method ?? 'attention');
  const isWeighed = ofMethod.id !== 'attention';
  if (options.isInput === true) {
    await loaded.release();
    return printedInput(loaded, [...preparing, ...notices]);
  }
  const [special] = specialPositions(streams[0]);
  const token =
    ofMethod.id === 'flow'
      ? tokenOf(options.query ?? (special === undefined ? undefined : String(special)), streams[0].tokens.length)
      : undefined;
  parseHead(head, ofMethod.joinsHeads ? found.map(joinedComponent) : found, ofMethod);
  const only = token ?? queryOf(options.query, found, streams);
  const weighing = [
    { layers: read, components: found },
    { model: loaded, wanted: undefined, ...(token === undefined ? {} : { token }) },
  ] as const;
  const { layers, components, lacks } = await weighedAsFar(ofMethod, ...weighing, head);
  const baseline = await RolloutBaseline.of(ofMethod, ...weighing, components);
  await loaded.release();
  const store = new AttentionStore(Infinity);
  store.add(1, layers);
  // What patches come to behind the last layer, where layers follow from each other.
  const [last] = isOfLayers(ofMethod.id) ? headsOf(components[0]).slice(-1) : [];
  const asked = parseHead(head, components, ofMethod);
  const chosen = asked ?? last;
  const shown = components.filter(
    ({ layers: own, queryStream }) =>
      (chosen === undefined || chosen.head < (own[chosen.layer]?.numHeads ?? 0)) &&
      (only === undefined || only < streams[queryStream].tokens.length),
  );
  if (shown.length === 0 || streams.some(({ grid }) => grid === undefined))
    throw new ExplorerError('checksFailed', [loaded.info.name, 'nothing is left to show']);
  const sentences = [...[...preparing, ...notices].map(noticeText), ...lacks];
  const isDerived = shown.some((component) => component.layers.some(({ method }) => method === 'derived'));
  const method = isWeighed
    ? ofMethod.title
    : `attention weight${isDerived ? ', in linear layers derived: φ(q)φ(k)ᵀ, normalised' : ''}`;
  const numbers: Numbers = {
    model: loaded.info,
    notices: sentences,
    streams,
    components: shown,
    method: ofMethod.id,
    heads: ofFile(ofMethod.id, asked, last),
    read: (component, each) => readHead(store, component, each),
  };
  const position = only ?? special;
  const figured =
    drawn && (await writeFigure(drawn, { numbers, store, chosen, position, textName: basename(file), picture }));
  const written = figured ?? (checked && (await writeNumbers(checked, numbers)));
  const described = await Promise.all(
    shown.map((component) => describe({ component, streams, store, chosen, baseline })),
  );
  if (isJson) {
    const [first] = described;
    const stages =
      described.length > 1 || first.keys !== first.queries
        ? {
            stages: described.map(({ name, queries, keys, reads }) => ({
              name,
              queries: gridFacts(queries, picture),
              keys: gridFacts(keys, picture),
              reads,
            })),
          }
        : {};
    return jsonText({
      model: loaded.info,
      method,
      ...(isWeighed ? { weighed: weighedFacts(ofMethod) } : {}),
      notices: sentences,
      answers,
      input: facts.map(noticeText),
      picture: { width: picture.width, height: picture.height, source: picture.source, placed: picture.placed },
      ...gridFacts(first.queries, picture),
      pattern: patternName(chosen, ofMethod.joinsHeads),
      ...(only === undefined ? {} : { selected: [only] }),
      reads: first.reads,
      ...stages,
    });
  }
  const lines: TerminalText[] = [
    line`${loaded.info.name} · ${plain(loaded.info.backend)} · ${joinTerminal(
      streams.map(gridWords),
      ', ',
    )} · ${plain(method)}`,
    ...sentences.map((sentence) => line`${sentence}`),
    ...(isWeighed ? [methodLine(ofMethod)] : []),
  ];
  for (const { label, probability } of answers) lines.push(line`It says: ${label}, ${plain(probability.toFixed(2))}`);
  if (written !== undefined) return joinTerminal([...lines, written]);
  for (const { queries, keys, reads } of described) {
    const special = specialPositions(queries);
    const asking = only !== undefined ? [only] : special.length > 0 ? special : [...queries.tokens.keys()];
    const among =
      described.length === 1 && keys === queries
        ? line``
        : line`${isLearned(queries) ? line`` : line` of ${gridSize(queries)}`} among ${gridWords(keys)}`;
    const asker = isLearned(queries)
      ? line`learned query`
      : special.includes(asking[0])
        ? line`special token`
        : line`patch`;
    lines.push(
      line``,
      line`What each ${asker}${among} reads ${chosen === undefined ? line`most, and in which ${plain(ofMethod.joinsHeads ? 'layer' : 'head')}` : line`(${plain(patternName(chosen, ofMethod.joinsHeads))})`}:`,
    );
    for (const query of asking) {
      const read = reads[query].map(
        (source) =>
          line`${named(keys, source.position)}: ${plain(source.weight.toFixed(3))}${source.head === undefined ? line`` : line` in ${plain(source.head)}`}${uniformText(source)}`,
      );
      lines.push(line`${named(queries, query)} reads ${joinTerminal(read, ', ')}`);
    }
  }
  return joinTerminal(lines);
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
  const one = chosen && (await patternOf(chosen));
  const all = new StrongestHeads();
  if (one === undefined) for (const each of headsOf(component)) all.add(each, await patternOf(each));
  const reads = await Promise.all(
    queries.tokens.map(async (_, query): Promise<readonly Source[]> => {
      const sources: readonly Source[] =
        one === undefined
          ? all.reads(query, numSources).map((source) => ({ ...source, head: headLabel(source.head) }))
          : strongest(weightsOf(one, query, 'reads'), numSources);
      return baseline?.beside(sources, component.component, [query], chosen) ?? sources;
    }),
  );
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

/** The pixels of the picture that was given which a patch shows; null for a special token, and for one beside it. */
export function areaOf(grid: PatchGrid, position: number, picture: PlacedPicture): PlacedPicture['placed'] | null {
  const patch = anyPatchAt(grid, position);
  return (patch && sourceOfPatch(patch.grid, patch, picture)) ?? null;
}

function named({ tokens, grid }: TokenStream, position: number): TerminalText {
  return (grid && patchWords(grid, position)) ?? line`${plain(tokens[position].piece)}`;
}

/** A patch by its row and column from one; undefined for a special token. */
export function patchWords(grid: PatchGrid, position: number): TerminalText | undefined {
  const patch = anyPatchAt(grid, position);
  return (
    patch && line`${patch.isOfThumbnail ? line`thumbnail ` : line``}row ${patch.row + 1}, column ${patch.column + 1}`
  );
}
