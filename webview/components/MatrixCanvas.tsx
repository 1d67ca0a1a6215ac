import { effect } from '@preact/signals';
import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { methodOf, type MethodId } from '../../src/model/methods';
import { mostRemoved } from '../../src/model/patternForm';
import { prepareCanvas } from '../draw/canvas';
import { DepthPyramid, depthImage } from '../draw/depthPyramid';
import { drawAxes, drawAxisMark, drawMarginals, hasUnevenSums, marginsFor } from '../draw/drawAxes';
import { drawFigure } from '../draw/drawFigure';
import {
  drawBands,
  drawBlocked,
  drawCausalMask,
  drawCellLines,
  drawCellOutlines,
  drawCrosshair,
  drawPairs,
  drawRowsWithoutKey,
  type BlockedPlace,
} from '../draw/drawMatrix';
import { MatrixTiles, type MatrixPictures } from '../draw/matrixTiles';
import { RemoteTiles } from '../draw/remoteTiles';
import {
  cellAt,
  fitView,
  levelFor,
  panView,
  revealCell,
  zoomView,
  type MatrixCell,
  type MatrixFrame,
  type MatrixView,
} from '../layout/matrixView';
import { inPattern, removedOf, sinkColumns, tokensIn, type ShownPattern } from '../state/matrixData';
import { deedsIn } from '../state/keptEffects';
import type { Panel } from '../state/panel';
import { paletteOf } from '../theme/palette';
import { methodUnit } from '../methodWords';
import { formTags } from '../formWords';
import { directionWord, methodName, scaleName, selectionName } from '../words';
import { usePanel } from './context';
import { openHow } from './openHow';
import { trackPointers } from './trackPointers';
import { useSize } from './useSize';

/** Two clicks within so many milliseconds are a double click. */
const doubleClick = 500;

/** What the buttons around the matrix can ask of it. */
export interface MatrixCommands {
  zoom(factor: number): void;
  fit(): void;
}

/** What is blocked in the heads that are shown; of tokens alone, which is what was blocked. */
function blockedPlaces(panel: Panel, { form, selection }: ShownPattern): readonly BlockedPlace[] {
  if (form.level !== 'token') return [];
  return deedsIn(panel.effects.active.value, selection).flatMap((deed) =>
    deed.kind === 'silence'
      ? []
      : {
          query: deed.shape === 'column' ? undefined : deed.query,
          key: deed.shape === 'row' ? undefined : deed.key,
        },
  );
}

/** The matrix of one pattern on two canvases: what stands still, and over it what follows the pointer. */
export function MatrixCanvas({
  shown,
  commands,
}: {
  shown: ShownPattern;
  commands: { current: MatrixCommands | undefined };
}): JSX.Element {
  const { panel, kept } = usePanel();
  const outer = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(outer);
  const { matrix, component } = shown;
  const { ceiling } = shown.weighing;
  const run = panel.run.value;
  const { scale, threshold } = panel.view.value;
  const ramp = panel.ramps.value[panel.view.value.direction];
  const hasRowBars = useMemo(() => hasUnevenSums(matrix.marginals.rowSums), [matrix]);
  const margins = useMemo(() => marginsFor(width, height, hasRowBars), [width, height, hasRowBars]);
  const frame = useMemo<MatrixFrame>(
    () => ({
      numQueries: matrix.numQueries,
      numKeys: matrix.numKeys,
      width: Math.max(10, width - margins.left - margins.right),
      height: Math.max(10, height - margins.top - margins.bottom),
    }),
    [matrix.numQueries, matrix.numKeys, width, height, margins],
  );
  const drawn = shown.drawn ?? matrix;
  const depths = useMemo(
    () => (drawn.kind === 'whole' ? new DepthPyramid(depthImage(drawn.pattern, scale, threshold, ceiling)) : drawn),
    [drawn, scale, threshold, ceiling],
  );
  // Of rows that lost nearly all that they had, what is left is not blown up: they are hatched.
  const shownSums = useMemo(() => {
    const removed = shown.form.isRenormalized ? removedOf(shown) : undefined;
    return removed === undefined
      ? matrix.marginals.rowSums
      : matrix.marginals.rowSums.map((sum, row) => (removed[row] > mostRemoved ? 0 : sum));
  }, [shown, matrix]);
  const tiles = useMemo<MatrixPictures>(
    () =>
      depths instanceof DepthPyramid
        ? new MatrixTiles(depths, paletteOf(ramp))
        : new RemoteTiles(depths, { scale, threshold, ceiling }, paletteOf(ramp)),
    [depths, scale, threshold, ceiling, ramp],
  );
  const view = useRef<{ of: MatrixFrame; value: MatrixView; isFitted: boolean }>({
    of: frame,
    value: fitView(frame),
    isFitted: true,
  });
  if (view.current.of !== frame) {
    const isSameShape = view.current.of.numQueries === frame.numQueries && view.current.of.numKeys === frame.numKeys;
    // A zoomed view stays where it is while heads change, the panel is resized and live mode goes on; a fitted one stays fitted.
    const isKept = !view.current.isFitted && (isSameShape || run?.isLive === true);
    view.current = {
      of: frame,
      value: isKept ? panView(view.current.value, frame, 0, 0) : fitView(frame),
      isFitted: !isKept,
    };
  }
  const queries = shown.streams[component.queryStream];
  const keys = shown.streams[component.keyStream];

  const drawBase = (): void => {
    if (base.current === null || width === 0 || queries === undefined || keys === undefined) return;
    const context = prepareCanvas(base.current, width, height);
    if (context === undefined) return;
    const theme = panel.theme.value;
    const { value } = view.current;
    // Tiles that come are drawn.
    if (drawn.kind === 'remote') void drawn.tilesArrived.value;
    context.save();
    context.translate(margins.left, margins.top);
    context.save();
    context.beginPath();
    context.rect(0, 0, frame.width, frame.height);
    context.clip();
    tiles.draw(context, value, frame, window.devicePixelRatio || 1);
    if (component.isCausal) drawCausalMask(context, value, frame, theme.canvas.hatch);
    drawRowsWithoutKey(context, value, frame, {
      rowSums: shownSums,
      isCausal: component.isCausal,
      colour: theme.canvas.hatch,
    });
    if (theme.isHighContrast) drawCellOutlines(context, value, frame, tiles, theme.canvas.line);
    drawCellLines(context, value, frame, theme.canvas);
    context.restore();
    const scene = { view: value, frame, margins, colours: theme.canvas };
    drawMarginals(context, scene, matrix.marginals, {
      hasRowBars,
      sinks: sinkColumns(shown),
      name: l10n.t('mean read'),
    });
    drawAxes(context, scene, queries, keys);
    context.restore();
    panel.blockSize.value = 2 ** levelFor(value.cell, window.devicePixelRatio || 1);
  };
  const drawOverlay = (): void => {
    if (overlay.current === null || width === 0 || queries === undefined || keys === undefined) return;
    const context = prepareCanvas(overlay.current, width, height);
    if (context === undefined) return;
    const { canvas: colours } = panel.theme.value;
    const { value } = view.current;
    const cell = panel.crosshair.value;
    const looking = panel.looking.value.map((token) => inPattern(shown, token));
    const isByRow = panel.direction.value === 'reads';
    const marked = looking
      .filter(({ stream }) => stream === (isByRow ? component.queryStream : component.keyStream))
      .map(({ position }) => position);
    context.translate(margins.left, margins.top);
    context.save();
    context.beginPath();
    context.rect(-2, -2, frame.width + 4, frame.height + 4);
    context.clip();
    drawBands(context, value, frame, isByRow ? marked : [], isByRow ? [] : marked, colours.accent);
    const pairs = shown.form.level === 'token' ? panel.relations.pairs.value : undefined;
    if (pairs !== undefined) drawPairs(context, { view: value, frame }, pairs, colours.accent);
    drawBlocked(context, { view: value, frame }, blockedPlaces(panel, shown), colours.foreground);
    if (cell !== undefined && cell.query < frame.numQueries && cell.key < frame.numKeys)
      drawCrosshair(context, value, frame, cell, colours.foreground);
    context.restore();
    const scene = { view: value, frame, margins, colours };
    for (const position of marked.slice(0, 8))
      drawAxisMark(context, scene, {
        stream: isByRow ? queries : keys,
        position,
        isQuery: isByRow,
        edge: colours.accent,
      });
    if (cell !== undefined) {
      drawAxisMark(context, scene, { stream: queries, position: cell.query, isQuery: true, edge: colours.foreground });
      drawAxisMark(context, scene, { stream: keys, position: cell.key, isQuery: false, edge: colours.foreground });
    }
  };
  const draw = useRef({ drawBase, drawOverlay });
  draw.current = { drawBase, drawOverlay };
  const moveView = (value: MatrixView): void => {
    view.current = { of: frame, value, isFitted: value.cell <= fitView(frame).cell * 1.0001 };
    drawBase();
    drawOverlay();
  };
  commands.current = {
    zoom: (factor) => moveView(zoomView(view.current.value, frame, factor, frame.width / 2, frame.height / 2)),
    fit: () => moveView(fitView(frame)),
  };

  // Before the frame is drawn: with what else changes, and not a frame after it.
  useLayoutEffect(() => effect(drawBase), [tiles, frame, component, run]);
  useEffect(() => {
    // What is shown no longer needs no more of its tiles.
    if (drawn.kind === 'remote') return () => drawn.want([]);
    return undefined;
  }, [drawn]);
  useLayoutEffect(() => effect(drawOverlay), [frame, component, run]);
  useLayoutEffect(() => {
    if (run === null || panel.arrivedAt === 0 || width === 0) return;
    const arrived = panel.arrivedAt;
    panel.arrivedAt = 0;
    // The frame after this one comes when what was drawn in this one is on the screen.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => panel.painted(run.info.runId, performance.now() - arrived)),
    );
  }, [tiles, width]);

  const cellUnder = (x: number, y: number): MatrixCell | undefined =>
    cellAt(view.current.value, frame, x - margins.left, y - margins.top);
  const pinCell = (cell: MatrixCell, adds: boolean): void => {
    const isByRow = panel.view.peek().direction === 'reads';
    const place = isByRow
      ? { stream: component.queryStream, position: cell.query }
      : { stream: component.keyStream, position: cell.key };
    // A unit is pinned by its first token.
    panel.pin({ stream: place.stream, position: tokensIn(shown, place)[0] }, adds);
  };
  // A second click on a cell asks how its weight came about; where that is open already, the first does.
  const clicked = useRef<{ readonly cell: MatrixCell; readonly when: number } | undefined>(undefined);
  const clickCell = (cell: MatrixCell, adds: boolean): void => {
    const before = clicked.current;
    clicked.current = { cell, when: performance.now() };
    const isSecond =
      before?.cell.query === cell.query &&
      before.cell.key === cell.key &&
      performance.now() - before.when < doubleClick;
    if (panel.how.isOpen && !isSecond) panel.how.ask(cell);
    if (isSecond) openHow(panel, kept, cell);
    else pinCell(cell, adds);
  };
  const latest = useRef({ cellUnder, clickCell, moveView, frame, margins });
  latest.current = { cellUnder, clickCell, moveView, frame, margins };
  useEffect(() => {
    const element = overlay.current;
    if (element === null) return undefined;
    return trackPointers(element, {
      look: (x, y) => (panel.crosshair.value = latest.current.cellUnder(x, y)),
      leave: () => (panel.crosshair.value = undefined),
      drag: (dx, dy) => latest.current.moveView(panView(view.current.value, latest.current.frame, dx, dy)),
      click: (x, y, adds) => {
        const cell = latest.current.cellUnder(x, y);
        if (cell !== undefined) latest.current.clickCell(cell, adds);
      },
      zoom: (factor, x, y) => {
        const before = view.current.value;
        const after = zoomView(
          before,
          latest.current.frame,
          factor,
          x - latest.current.margins.left,
          y - latest.current.margins.top,
        );
        if (after.cell === before.cell) return false;
        latest.current.moveView(after);
        return true;
      },
    });
  }, []);

  useEffect(() => {
    const draw = (): Promise<Uint8Array | undefined> => {
      const { component: of, selection } = panel.matrix.peek() ?? shown;
      const { scale: shownScale, direction } = panel.view.peek();
      const title = [
        selectionName(selection, of),
        methodName(selection, of, (panel.matrix.peek() ?? shown).form.method),
        ...unitTag((panel.matrix.peek() ?? shown).form.method),
        ...formTags(panel.matrix.peek() ?? shown),
        scaleName(shownScale),
        directionWord(direction),
      ].join(' · ');
      const about = [run?.info.model.name ?? '', run?.documentName ?? '', l10n.t('rows: queries, columns: keys')].join(
        ' · ',
      );
      return base.current === null
        ? Promise.resolve(undefined)
        : drawFigure(base.current, [title, about], panel.theme.peek().canvas);
    };
    panel.drawFigure = draw;
    return () => {
      if (panel.drawFigure === draw) panel.drawFigure = undefined;
    };
  }, [shown, run]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const cell = panel.crosshair.peek();
    if (step !== undefined && event.shiftKey) {
      const start = cell ?? { query: 0, key: 0 };
      const next =
        cell === undefined
          ? start
          : { query: clamp(start.query + step[1], frame.numQueries), key: clamp(start.key + step[0], frame.numKeys) };
      panel.crosshair.value = next;
      moveView(revealCell(view.current.value, frame, next));
    } else if (step !== undefined) moveView(panView(view.current.value, frame, -step[0] * 40, -step[1] * 40));
    else if (event.key === '+' || event.key === '=') commands.current?.zoom(1.5);
    else if (event.key === '-') commands.current?.zoom(1 / 1.5);
    else if (event.key === '0') commands.current?.fit();
    else if (event.key === 'Enter' && cell !== undefined) clickCell(cell, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class="matrix-plot"
      ref={outer}
      tabIndex={0}
      role="application"
      aria-roledescription={l10n.t('matrix')}
      aria-label={l10n.t(
        'Matrix of {0}: {1} query rows, {2} key columns. Shift and arrow keys move the crosshair, plus and minus zoom.',
        selectionName(shown.selection, component),
        matrix.numQueries,
        matrix.numKeys,
      )}
      onKeyDown={onKeyDown}
      onBlur={() => (panel.crosshair.value = undefined)}
    >
      <canvas ref={base} class="matrix-base" aria-hidden="true" />
      <canvas ref={overlay} class="matrix-overlay" aria-hidden="true" />
    </div>
  );
}

/** The unit of a method's numbers beside its name; of weights nobody needs it. */
function unitTag(method: MethodId): readonly string[] {
  return methodOf(method).unit === 'norm' ? [methodUnit(method)] : [];
}

function clamp(index: number, count: number): number {
  return Math.max(0, Math.min(count - 1, index));
}
