import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExplorerError } from '../base/errors';
import { plain } from '../base/safeText';
import { line, type TerminalText } from '../base/terminalText';
import type { AttentionStore } from '../engine/weights/attentionStore';
import { figureTokenName, listFigure, sinksOf, sourceFigure, type LitView } from '../model/figures/viewFigures';
import { figureNumber } from '../model/figures/figureNumber';
import { gridSvg, type GridFigure } from '../model/figures/gridSvg';
import { listSvg } from '../model/figures/listSvg';
import { matrixSvg } from '../model/figures/matrixSvg';
import { mostPageBytes, pageFile } from '../model/figures/pageFile';
import { pageSentences } from '../model/figures/pageWords';
import type { Paper } from '../model/figures/paper';
import type { FigurePicture } from '../model/figures/pictureSvg';
import { sourceSvg } from '../model/figures/sourceSvg';
import { formatBytes } from '../model/fileLimits';
import { headLabel, headsOf, type ComponentInfo, type HeadRef, type HeadSelection } from '../model/head';
import { lightingFrom, lookAt } from '../model/lighting';
import { methodOf } from '../model/methods';
import { weightBytes, writtenLayers, type Numbers } from '../model/numbers/numbers';
import { maxPool, weightsOf, type Pattern } from '../model/pattern';
import { editorColours, rampFor } from '../model/ramp';
import { depthOf } from '../model/viewState';
import { visibleText, type TokenStream } from '../model/token';
import { counted } from './counted';
import { patternName } from './openModel';
import { readVersion } from './readVersion';
import { checkSvgOut, paperOf, writeSvg, type CheckedSvg, type SvgOut } from './svgFile';
import { writeWhole } from './writeWhole';

/** What of a text a figure on the command line shows. */
const views = ['matrix', 'source', 'list', 'grid'] as const;

/** What a figure is asked to be. */
export interface FigureOut extends SvgOut {
  /** One of `matrix`, `source`, `list` and `grid`, as it was given. */
  readonly view: string | undefined;
}

/** A figure that can be written. */
export interface CheckedFigure extends CheckedSvg {
  readonly view: (typeof views)[number] | 'page';
}

/** Throws what {@link checkSvgOut} throws. */
export async function checkFigureOut({ view = 'matrix', ...out }: FigureOut): Promise<CheckedFigure> {
  const chosen = views.find((each) => each === view);
  if (chosen === undefined) throw new ExplorerError('wrongUsage', ['--view', `it is one of ${views.join(', ')}`]);
  const checked = await checkSvgOut(out, ['svg', 'png', 'pdf', 'html']);
  return { ...checked, view: checked.ending === 'html' ? 'page' : chosen };
}

/** What is drawn: numbers of a text or a picture, the head that is named, and the place of the token that is looked at. */
export interface Drawn {
  readonly numbers: Numbers;
  readonly store: AttentionStore;
  readonly chosen: HeadRef | undefined;
  readonly position: number | undefined;
  readonly textName: string;
  /** The picture that was read, as the model sees it. */
  readonly picture?: FigurePicture;
}

/** Writes a figure on a light page, and resolves to a sentence of what was written. Throws `fileNotWritten`, `browserNotDrawn`, `invalidArgument`. */
export async function writeFigure(figure: CheckedFigure, drawn: Drawn): Promise<TerminalText> {
  const { numbers, position } = drawn;
  const numQueries = numbers.streams[numbers.components[0].queryStream].tokens.length;
  if (position !== undefined && !(Number.isInteger(position) && position >= 0 && position < numQueries))
    throw new ExplorerError('invalidArgument', ['--query', `it is the place of a token, from 0 to ${numQueries - 1}`]);
  if (figure.view === 'page') await writeWhole(figure.path, await pageOf(drawn, figure.path));
  else await writeSvg(figure, await svgOf(figure, drawn), []);
  const heads = writtenLayers(numbers).reduce((sum, layer) => sum + layer.heads.length, 0);
  return figure.view === 'page'
    ? line`A page of ${counted(heads, methodOf(numbers.method).joinsHeads ? 'layer' : 'head')} written to ${plain(figure.path)}`
    : line`The ${plain(figure.view)} written to ${plain(figure.path)}`;
}

async function svgOf({ view, millimetres }: CheckedFigure, drawn: Drawn): Promise<string> {
  const { numbers, store, chosen } = drawn;
  const [component] = numbers.components;
  const heads = chosen === undefined ? headsOf(component) : [chosen];
  const selection: HeadSelection = { component: component.component, heads, aggregation: 'mean' };
  const { background, foreground } = editorColours.light;
  const ceiling = await ceilingOf(numbers, [component]);
  const colours = {
    scale: 'absolute',
    ceiling,
    threshold: 0,
    ramp: rampFor('blue', background, foreground, 'reads'),
  } as const;
  const paper = (extra: string): Paper =>
    paperOf({ millimetres }, [captionOf(drawn, component, heads, ceiling), extra]);
  if (view === 'grid') {
    return gridSvg(
      { ...(await tilesOf(numbers, component, colours)), selected: chosen === undefined ? [] : heads },
      paper(component.areHeadsJoined === true ? 'Rows: layers' : 'Rows: layers, columns: heads'),
    );
  }
  const pattern = await store.pattern({ runId: 1, selection });
  if (view === 'matrix') {
    const labelsOf = (stream: TokenStream): readonly string[] => stream.tokens.map((_, at) => visibleText(stream, at));
    const [queries, keys] = [numbers.streams[component.queryStream], numbers.streams[component.keyStream]];
    return matrixSvg(
      { ...colours, pattern, queries: labelsOf(queries), keys: labelsOf(keys) },
      paper('Rows: queries, columns: keys'),
    );
  }
  const lit = litView(drawn, component, { pattern, colours });
  const title = `${figureTokenName(numbers.streams[component.queryStream], lit.pinned[0].position)} reads`;
  return view === 'source'
    ? sourceSvg(sourceFigure(lit, streamTitles(numbers.streams), 4, drawn.picture), paper(title))
    : listSvg(
        listFigure(lit, {
          title,
          rest: ({ restCount, restWeight }) =>
            restCount === 0 ? [] : [`${restCount} others hold ${figureNumber(restWeight)}.`],
        }),
        paper('Strongest sources'),
      );
}

/** The side of a head's picture in the grid, in cells. */
const tileSize = 48;

/** All heads of a component as small pictures, each cell the largest of its block. */
async function tilesOf(
  { streams, read }: Numbers,
  component: ComponentInfo,
  { ceiling, ramp }: LitView['colours'],
): Promise<Omit<GridFigure, 'selected'>> {
  const numQueries = streams[component.queryStream].tokens.length;
  const numKeys = streams[component.keyStream].tokens.length;
  const [rows, columns] = [numQueries, numKeys].map((count) => Math.min(tileSize, count));
  const all = headsOf(component);
  const depths = new Float32Array(all.length * rows * columns);
  for (const [i, head] of all.entries()) {
    const weights = await read(component.component, head);
    const pooled = maxPool({ numQueries, numKeys, weights }, tileSize);
    depths.set(
      pooled.weights.map((weight) => depthOf(weight, 'absolute', 1, ceiling)),
      i * rows * columns,
    );
  }
  return { numHeads: component.layers.map(({ numHeads }) => numHeads), rows, columns, depths, ramp };
}

/** A token of the queries looked at: the one that is named, else the last. */
function litView(
  { numbers: { streams }, position }: Drawn,
  component: ComponentInfo,
  { pattern, colours }: { readonly pattern: Pattern; readonly colours: LitView['colours'] },
): LitView {
  const at = position ?? pattern.numQueries - 1;
  const pinned = [{ stream: component.queryStream, position: at }];
  const look = lookAt(pattern, component, pinned, 'reads');
  return {
    streams,
    lighting: look && lightingFrom(look, [weightsOf(pattern, at, 'reads')]),
    pinned,
    colours,
    isSigned: false,
    sinks: sinksOf(component, pattern),
  };
}

async function pageOf(
  { numbers, chosen, position, textName }: Drawn,
  path: string,
): Promise<AsyncIterable<Uint8Array>> {
  const layers = writtenLayers(numbers);
  if (weightBytes(layers, 'float16') > mostPageBytes)
    throw new ExplorerError('fileNotWritten', [
      path,
      `it would hold more than ${formatBytes(mostPageBytes)} of numbers; name one head`,
    ]);
  const [component] = numbers.components;
  const first = chosen ?? headsOf(component)[0];
  const { background, foreground } = editorColours.light;
  const [script, style] = await Promise.all(
    ['page.js', 'page.css'].map((name) => readFile(join(__dirname, name), 'utf8')),
  );
  return pageFile(
    numbers,
    {
      language: 'en',
      words: pageSentences,
      caption: [
        [numbers.model.name, textName, methodOf(numbers.method).title, 'absolute scale'].join(' · '),
        `Numbers in half precision · Attention Explorer ${readVersion()}`,
      ],
      componentName: (name) => name,
      first: {
        head: headLabel(first),
        component: component.component,
        ...(position === undefined ? {} : { pinned: { stream: component.queryStream, position } }),
      },
      scale: 'absolute',
      ceiling: await ceilingOf(numbers, numbers.components),
      ramps: {
        reads: rampFor('blue', background, foreground, 'reads'),
        readBy: rampFor('blue', background, foreground, 'readBy'),
      },
      background,
      foreground,
      tabSize: 4,
    },
    { script, style },
  );
}

/** What full depth of colour stands for: 1 of shares; of lengths the largest of all heads. */
async function ceilingOf({ method, read }: Numbers, components: readonly ComponentInfo[]): Promise<number> {
  if (methodOf(method).unit === 'share') return 1;
  let largest = 0;
  for (const component of components)
    for (const head of headsOf(component))
      for (const length of await read(component.component, head)) if (length > largest) largest = length;
  return largest;
}

function captionOf(
  { numbers, textName }: Drawn,
  { component, areHeadsJoined }: ComponentInfo,
  heads: readonly HeadRef[],
  ceiling: number,
): string {
  const isJoined = areHeadsJoined === true;
  const { title, unit } = methodOf(numbers.method);
  return [
    numbers.model.name,
    textName,
    ...(numbers.components.length > 1 || component !== 'self' ? [component] : []),
    heads.length === 1 ? patternName(heads[0], isJoined) : `mean of ${heads.length} ${isJoined ? 'layers' : 'heads'}`,
    title,
    ...(unit === 'norm' ? [`full depth: ${figureNumber(ceiling)}`] : []),
    'absolute scale',
  ].join(' · ');
}

const streamTitles = (streams: readonly TokenStream[]): readonly string[] =>
  streams.map(({ role }) => (role === 'target' ? 'Target' : 'Source'));
