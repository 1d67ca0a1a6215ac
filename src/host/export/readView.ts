import { ExplorerError } from '../../base/errors';
import type { ComponentInfo, HeadSelection } from '../../model/head';
import type { NumberColours } from '../../model/figures/matrixSvg';
import { sinksOf, type LitView } from '../../model/figures/viewFigures';
import { countsInMean, lightingFrom, lookAt, type Lighting } from '../../model/lighting';
import { joinedSelection, joinsHeads } from '../../model/methods';
import { maxWholeCells, type Pattern } from '../../model/pattern';
import { plainForm, tokensOfMethod, type PatternForm } from '../../model/patternForm';
import { divergingRamp } from '../../model/divergingRamp';
import { rampFor, type Rgb } from '../../model/ramp';
import type { TokenRef, TokenStream } from '../../model/token';
import { unitAt, unitsOf, unitStream } from '../../model/units';
import type { ColourMap, ViewState } from '../../model/viewState';
import type { SeenView } from '../../panelProtocol';
import type { ShownRun } from '../run/shownRun';

/** What is to be drawn, and in which colours. */
export interface ViewToDraw {
  readonly run: ShownRun;
  readonly view: ViewState;
  /** What the page shows; undefined where there is none in sight. */
  readonly seen: SeenView | undefined;
  /** The tokens that are looked at. */
  readonly tokens: readonly TokenRef[];
  readonly colourMap: ColourMap;
  readonly background: Rgb;
  readonly foreground: Rgb;
}

/** A view with what it is read by. */
export interface ReadView extends LitView {
  readonly component: ComponentInfo;
  readonly selection: HeadSelection;
  readonly form: PatternForm;
}

/** Reads what a view shows of its text. Throws `unknownRun` where the attention is gone, `methodNotOffered`. */
export async function readView(drawn: ViewToDraw): Promise<ReadView> {
  const { run, view, seen, tokens } = drawn;
  const { held, info } = run;
  const component = info.components.find((each) => each.component === view.selection.component);
  if (component === undefined) throw new ExplorerError('unknownRun');
  const compared = held.comparedWith === undefined ? undefined : seen?.compared;
  const form: PatternForm =
    compared === undefined
      ? {
          method: view.method,
          level: view.level,
          sinks: joinsHeads(view.method) ? 'show' : view.sinks,
          isRenormalized: view.isRenormalized,
          ...tokensOfMethod(view.method, tokens),
        }
      : { ...plainForm, compared };
  const selection = joinsHeads(form.method) ? joinedSelection(view.selection) : view.selection;
  const symbols = form.level === 'symbol' ? await held.symbols() : [];
  const units = info.streams.map((stream) => unitsOf(stream, form.level, symbols));
  const streams = info.streams.map((stream, i) => unitStream(stream, units[i]));
  const inUnits = (refs: readonly TokenRef[]): readonly TokenRef[] => {
    const found = refs.map(({ stream, position }) => {
      const of = units[stream];
      return { stream, position: of === undefined ? position : unitAt(of, position) };
    });
    return found.filter(
      (one, i) => found.findIndex((other) => other.stream === one.stream && other.position === one.position) === i,
    );
  };
  const isSigned = compared === 'difference';
  const colours = await coloursOf(drawn, component, { method: form.method, isSigned });
  const shown = { run, component, selection, form, streams };
  const lighting = await lightingOf(shown, view, inUnits(tokens));
  const isPattern = lighting?.direction === 'reads' && !isSigned && fitsWhole(shown);
  return {
    ...shown,
    lighting,
    pinned: inUnits(view.pinned),
    colours,
    isSigned,
    sinks: isPattern ? sinksOf(component, await patternOf(shown)) : [],
  };
}

interface Readable {
  readonly run: ShownRun;
  readonly component: ComponentInfo;
  readonly selection: HeadSelection;
  readonly form: PatternForm;
  readonly streams: readonly TokenStream[];
}

/** Whether a pattern is small enough to be held as a whole. */
export function fitsWhole({ component, streams }: Pick<Readable, 'component' | 'streams'>): boolean {
  return streams[component.queryStream].tokens.length * streams[component.keyStream].tokens.length <= maxWholeCells;
}

/** The numbers of a view. Throws `unknownRun`. */
export async function patternOf({ run, selection, form }: Omit<Readable, 'component' | 'streams'>): Promise<Pattern> {
  return run.held.pattern(selection, await run.held.weightForm(selection.component, form));
}

async function coloursOf(
  { run, view, colourMap, background, foreground }: ViewToDraw,
  component: ComponentInfo,
  { method, isSigned }: { readonly method: PatternForm['method']; readonly isSigned: boolean },
): Promise<NumberColours> {
  const { scale, threshold, direction } = view;
  if (isSigned) {
    const { largest } = await run.held.compare(component.component);
    return { scale, threshold, ceiling: largest, ramp: divergingRamp(background, foreground) };
  }
  const { ceiling } = method === 'attention' ? { ceiling: 1 } : await run.held.weighing(component.component, method);
  return { scale, threshold, ceiling, ramp: rampFor(colourMap, background, foreground, direction) };
}

/** What the looked-at tokens read, or what reads them. */
async function lightingOf(
  { run, component, selection, form, streams }: Readable,
  { direction, pinnedMean }: ViewState,
  tokens: readonly TokenRef[],
): Promise<Lighting | undefined> {
  const lengthOf = (stream: number): number => streams[stream].tokens.length;
  const size = { numQueries: lengthOf(component.queryStream), numKeys: lengthOf(component.keyStream) };
  const look = lookAt(size, component, tokens, direction);
  if (look === undefined) return undefined;
  const rowsIn = async (wanted: PatternForm): Promise<readonly Float32Array[]> => {
    const asked = await run.held.weightForm(selection.component, wanted);
    return Promise.all(
      look.tokens.map(({ position }) => run.held.row({ selection, position, direction: look.direction }, asked)),
    );
  };
  const counts = countsInMean(component, look, pinnedMean);
  // Numbers are always the real ones; faded sinks are only drawn so.
  if (form.sinks !== 'fade') return lightingFrom(look, await rowsIn(form), counts);
  const lighting = lightingFrom(look, await rowsIn({ ...form, sinks: 'show' }), counts);
  return { ...lighting, drawn: lightingFrom(look, await rowsIn(form), counts).weights };
}
