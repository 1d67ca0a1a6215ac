import { headLabel, type HeadRef } from '../head';
import { formulaText, fillText } from '../how/howWords';
import { agrees, howTexts, type How, type HowNumbers } from '../how/how';
import { hasSinks, largestOf, provenSinks, sourcesOf, changesOf, type Lighting, type Sources } from '../lighting';
import { shortWeight } from '../shortWeight';
import { anyPatchAt } from '../patchGrid';
import { decodeDifference, decodeThumbnail, type Pattern } from '../pattern';
import type { ComponentInfo } from '../head';
import { visibleText, type TokenRef, type TokenStream } from '../token';
import { depthOf, signedDepthOf, type Scale } from '../viewState';
import { figureNumber } from './figureNumber';
import type { GridFigure } from './gridSvg';
import type { ListFigure } from './listSvg';
import type { FigurePicture } from './pictureSvg';
import type { NumberColours } from './matrixSvg';
import type { LitText, SourceFigure } from './sourceSvg';
import type { StepsFigure } from './stepsSvg';

/** What of a run a figure shows. */
export const figureViews = ['matrix', 'source', 'list', 'grid', 'heads', 'how', 'differences'] as const;
/** One of these views. */
export type FigureView = (typeof figureViews)[number];

/** Sources that are listed, and numbered in the text. */
const [numListed, numNumbered] = [12, 8];

/** A token by its text and its place: `"fib" (57)`; a patch by its row and column from one. */
export function figureTokenName(stream: TokenStream, position: number): string {
  const patch = stream.grid && anyPatchAt(stream.grid, position);
  if (patch === undefined) return `"${visibleText(stream, position)}" (${position})`;
  return `${patch.isOfThumbnail ? 'thumbnail ' : ''}(${patch.row + 1}, ${patch.column + 1})`;
}

/** What texts with highlights and lists of sources are made of. */
export interface LitView {
  readonly streams: readonly TokenStream[];
  readonly lighting: Lighting | undefined;
  readonly pinned: readonly TokenRef[];
  readonly colours: NumberColours;
  /** Whether numbers are differences. */
  readonly isSigned: boolean;
  readonly sinks: readonly number[];
}

/** The depth of each token that is looked at, in [−1, 1]. */
function lightDepths({ lighting, colours, isSigned }: LitView): Float32Array | undefined {
  if (lighting === undefined) return undefined;
  const { scale, ceiling, threshold } = colours;
  const drawn = lighting.drawn ?? lighting.weights;
  const largest = largestOf(drawn);
  return drawn.map((weight, i) =>
    Math.abs(lighting.weights[i]) < threshold * ceiling
      ? 0
      : (isSigned ? signedDepthOf : depthOf)(weight, scale, largest, ceiling),
  );
}

/** The strongest of what is looked at. */
function litSources(view: LitView): Sources | undefined {
  const { lighting, colours, isSigned, sinks } = view;
  if (lighting === undefined) return undefined;
  const threshold = colours.threshold * colours.ceiling;
  return isSigned ? changesOf(lighting, numListed, threshold) : sourcesOf(lighting, numListed, threshold, sinks);
}

/** Texts with their highlights, and the picture, where there is one, once for each of its grids that is looked at. `titles`: of each stream, where there are several. */
export function sourceFigure(
  view: LitView,
  titles: readonly string[],
  tabSize: number,
  picture?: FigurePicture,
): SourceFigure {
  const { streams, lighting, pinned, colours, isSigned } = view;
  const depths = lightDepths(view);
  const strongest = litSources(view)?.strongest.slice(0, numNumbered) ?? [];
  const all = streams.map((stream, i): LitText => ({
    stream,
    title: streams.length > 1 ? titles[i] : undefined,
    depths: lighting?.stream === i ? depths : undefined,
    pinned: pinned.filter((token) => token.stream === i).map(({ position }) => position),
    numbers:
      lighting?.stream === i
        ? new Map(
            strongest.map(({ position, weight }) => [
              position,
              isSigned ? figureNumber(weight, true) : shortWeight(weight),
            ]),
          )
        : new Map(),
  }));
  const texts = all.filter(({ stream }) => stream.role !== 'image');
  const grids = all.filter(({ stream }) => stream.role === 'image');
  const seen = grids.filter(({ depths: lit, pinned: held }) => lit !== undefined || held.length > 0);
  // As in the panel, what is written stands above what it was written from.
  texts.sort((a, b) => Number(b.stream.role === 'target') - Number(a.stream.role === 'target'));
  const pictures =
    picture === undefined ? [] : (seen.length > 0 ? seen : grids.slice(0, 1)).map((each) => ({ ...each, picture }));
  return { texts, pictures, ramp: colours.ramp, tabSize };
}

/** A list of what is looked at; `told` are its words. */
export function listFigure(
  view: LitView,
  told: { readonly title: string; readonly rest: (sources: Sources) => readonly string[] },
): ListFigure {
  const { lighting, colours, streams, isSigned } = view;
  const sources = litSources(view);
  const depths = lightDepths(view);
  const full = Math.max(colours.ceiling, Number.MIN_VALUE);
  const rows =
    lighting === undefined || sources === undefined || depths === undefined
      ? []
      : sources.strongest.map(({ position, weight }) => ({
          name: figureTokenName(streams[lighting.stream], position),
          number: figureNumber(weight, isSigned),
          share: Math.min(1, Math.abs(weight) / full),
          // A bar has to be seen.
          depth: (depths[position] < 0 ? -1 : 1) * Math.max(0.35, Math.abs(depths[position])),
        }));
  return { title: told.title, rows, rest: sources === undefined ? [] : told.rest(sources), ramp: colours.ramp };
}

/** Small pictures of heads, as they cross to the panel. */
interface GridPictures {
  readonly numHeads: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly pixels: Uint8Array;
}

/** All heads of a component. */
export function gridFigure(
  { numHeads, rows, columns, pixels }: GridPictures,
  { scale, ramp }: Pick<NumberColours, 'ramp'> & { readonly scale: Scale },
  { isSigned, selected }: { readonly isSigned: boolean; readonly selected: readonly HeadRef[] },
): GridFigure {
  // A scale by row would have a maximum of its own in every row of every head.
  const shared = scale === 'row' ? 'absolute' : scale;
  const depthOfByte = Float32Array.from({ length: 256 }, (_, byte) =>
    isSigned ? signedDepthOf(decodeDifference(byte), shared, 1, 1) : depthOf(decodeThumbnail(byte), shared, 1),
  );
  return { numHeads, rows, columns, depths: Float32Array.from(pixels, (byte) => depthOfByte[byte]), ramp, selected };
}

/** The sinks of a pattern, of a component that can have some. */
export function sinksOf(component: ComponentInfo, pattern: Pattern): readonly number[] {
  return hasSinks(component, pattern.numQueries) ? provenSinks(pattern, component.isCausal) : [];
}

/** How a weight came about; `translated` makes a person's language of a sentence of our tables. */
export function stepsFigure(
  { cell, weight, steps }: How,
  { title, translated }: { readonly title: string; readonly translated: (sentence: string) => string },
): StepsFigure {
  return {
    title: `${title} · ${headLabel(cell)} · ${figureNumber(weight)}`,
    steps: steps.map((step) => {
      const { title: name, sentence, formula } = howTexts[step.kind];
      return {
        title: translated(name),
        sentence: fillText(translated(sentence), step.args),
        formula: formulaText(formula),
        numbers: agrees(step) ? step.numbers.map(numbersLine) : [],
      };
    }),
  };
}

/** Numbers of an array that a figure names. */
const mostNumbers = 8;

function numbersLine({ name, dims, values }: HowNumbers): string {
  const listed = Array.from(values.subarray(0, mostNumbers), (value) => String(Number(value.toPrecision(4))));
  const shape = dims.length === 0 ? '' : ` [${dims.join(' × ')}]`;
  return `${name}${shape} = ${listed.join(', ')}${values.length > mostNumbers ? ', …' : ''}`;
}
