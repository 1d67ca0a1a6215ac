import { effect } from '@preact/signals';
import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { methodOf, type MethodId } from '../../src/model/methods';
import { mostRemoved } from '../../src/model/patternForm';
import { prepareCanvas } from '../draw/canvas';
import { DepthPyramid, depthImage, differenceImage } from '../draw/depthPyramid';
import { hasUnevenSums, marginsFor } from '../draw/drawAxes';
import { drawFigure } from '../draw/drawFigure';
import { MatrixSurface } from '../draw/matrixSurface';
import { MatrixTiles, type MatrixPictures } from '../draw/matrixTiles';
import { RemoteTiles } from '../draw/remoteTiles';
import { levelFor, type MatrixCell, type MatrixFrame } from '../layout/matrixView';
import type { BlockedPlace } from '../draw/drawMatrix';
import { inPattern, removedOf, sinkColumns, tokensIn, type ShownPattern } from '../state/matrixData';
import { deedsIn } from '../state/keptEffects';
import type { Panel } from '../state/panel';
import { divergingPalette, paletteOf } from '../theme/palette';
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
    deed.kind !== 'block'
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
  // Where two runs are compared, nothing stands at the edges.
  const hasRowBars = useMemo(
    () => shown.form.compared === undefined && hasUnevenSums(matrix.marginals.rowSums),
    [matrix],
  );
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
  const isSigned = shown.form.compared === 'difference';
  const drawn = shown.drawn ?? matrix;
  const depths = useMemo(
    () =>
      drawn.kind === 'whole'
        ? new DepthPyramid((isSigned ? differenceImage : depthImage)(drawn.pattern, scale, threshold, ceiling))
        : drawn,
    [drawn, scale, threshold, ceiling],
  );
  // Of rows that lost nearly all that they had, what is left is not blown up: they are hatched.
  const shownSums = useMemo(() => {
    const removed = shown.form.isRenormalized ? removedOf(shown) : undefined;
    return removed === undefined
      ? matrix.marginals.rowSums
      : matrix.marginals.rowSums.map((sum, row) => (removed[row] > mostRemoved ? 0 : sum));
  }, [shown, matrix]);
  const tiles = useMemo<MatrixPictures>(() => {
    const palette = (isSigned ? divergingPalette : paletteOf)(ramp);
    return depths instanceof DepthPyramid
      ? new MatrixTiles(depths, palette)
      : new RemoteTiles(depths, { scale, threshold, ceiling, isSigned }, palette);
  }, [depths, scale, threshold, ceiling, ramp]);
  const surface = useMemo(() => new MatrixSurface(), []);
  useLayoutEffect(() => surface.setFrame(frame, margins, run?.isLive === true), [frame]);
  const queries = shown.streams[component.queryStream];
  const keys = shown.streams[component.keyStream];

  const drawBase = (): void => {
    if (base.current === null || width === 0 || queries === undefined || keys === undefined) return;
    const context = prepareCanvas(base.current, width, height);
    if (context === undefined) return;
    const { canvas: colours, isHighContrast } = panel.theme.value;
    // Tiles that come are drawn.
    if (drawn.kind === 'remote') void drawn.tilesArrived.value;
    const pixelRatio = window.devicePixelRatio || 1;
    surface.drawBase(
      context,
      {
        pictures: tiles,
        queries,
        keys,
        isCausal: component.isCausal,
        rowSums: shownSums,
        marginals: shown.form.compared === undefined ? matrix.marginals : undefined,
        marks: { hasRowBars, sinks: sinkColumns(shown), name: l10n.t('mean read') },
        colours,
        isHighContrast,
      },
      pixelRatio,
    );
    panel.looking.zoomed(2 ** levelFor(surface.view.cell, pixelRatio));
  };
  const drawOverlay = (): void => {
    if (overlay.current === null || width === 0 || queries === undefined || keys === undefined) return;
    const context = prepareCanvas(overlay.current, width, height);
    if (context === undefined) return;
    const areQueries = panel.direction.value === 'reads';
    const marked = panel.lookedAt.value
      .map((token) => inPattern(shown, token))
      .filter(({ stream }) => stream === (areQueries ? component.queryStream : component.keyStream))
      .map(({ position }) => position);
    const pairs = shown.form.level === 'token' ? panel.relations.pairs.value : undefined;
    const { canvas: colours } = panel.theme.value;
    surface.drawOverlay(
      context,
      { queries, keys },
      {
        crosshair: panel.looking.crosshair.value,
        marked,
        areQueries,
        pairs,
        blocked: blockedPlaces(panel, shown),
        colours,
      },
    );
  };
  const moved = (): void => {
    drawBase();
    drawOverlay();
  };
  commands.current = {
    zoom: (factor) => {
      surface.zoom(factor);
      moved();
    },
    fit: () => {
      surface.fit();
      moved();
    },
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
    const arrived = run === null || width === 0 ? undefined : panel.takeArrival();
    if (run === null || arrived === undefined) return;
    // The frame after this one comes when what was drawn in this one is on the screen.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => panel.painted(run.info.runId, performance.now() - arrived)),
    );
  }, [tiles, width]);

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
  const latest = useRef({ clickCell, moved });
  latest.current = { clickCell, moved };
  useEffect(() => {
    const element = overlay.current;
    if (element === null) return undefined;
    return trackPointers(element, {
      look: (x, y) => panel.looking.moveTo(surface.cellAt(x, y)),
      leave: () => panel.looking.moveTo(undefined),
      drag: (dx, dy) => {
        surface.pan(dx, dy);
        latest.current.moved();
      },
      click: (x, y, adds) => {
        const cell = surface.cellAt(x, y);
        if (cell !== undefined) latest.current.clickCell(cell, adds);
      },
      zoom: (factor, x, y) => {
        const isZoomed = surface.zoom(factor, { x, y });
        if (isZoomed) latest.current.moved();
        return isZoomed;
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
    return panel.offerFigure(draw);
  }, [shown, run]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const cell = panel.looking.crosshair.peek();
    if (step !== undefined) {
      if (event.shiftKey) {
        const beside = surface.cellBeside(cell, step);
        panel.looking.moveTo(beside);
        surface.reveal(beside);
      } else surface.pan(-step[0] * 40, -step[1] * 40);
      moved();
    } else if (event.key === '+' || event.key === '=') commands.current?.zoom(1.5);
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
      onBlur={() => panel.looking.moveTo(undefined)}
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
