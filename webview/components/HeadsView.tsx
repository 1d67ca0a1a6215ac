import { computed, effect } from '@preact/signals';
import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { headLabel, headsOf, type ComponentInfo, type HeadRef } from '../../src/model/head';
import { hasSinks } from '../../src/model/lighting';
import { cssColour } from '../../src/model/ramp';
import { depthOf } from '../../src/model/viewState';
import { drawThumbnails, paintShares, paintThumbnails } from '../draw/drawThumbnails';
import { headsBetween, layoutHeadGrid, moveInGrid, type GridCell, type HeadGrid } from '../layout/headGrid';
import { headAtPlace, isOrderOf, placeOfHead, rankOfPlace, rowsOf, type HeadOrder } from '../layout/headOrder';
import { divergingPalette, paletteOf } from '../theme/palette';
import { headNameText } from '../headNameText';
import { sharesOf, shortMeasure } from '../headWords';
import { canOrder } from '../state/headViews';
import { selectionName, tokenName } from '../words';
import { usePanel } from './context';
import { headDescription, HeadMeasure } from './HeadMeasure';
import { MovedPointer } from './movedPointer';
import { useSize } from './useSize';

const isSameCell = (a: GridCell, b: GridCell): boolean => a.layer === b.layer && a.head === b.head;

/** The heads that a cell of the grid stands for; where heads are ordered, a column has those of one place, and of mixed layers a row has heads of several. */
function headsOfCell(component: ComponentInfo, { layer, head }: GridCell, order: HeadOrder | undefined): HeadRef[] {
  if (order !== undefined && layer < 0 && head >= 0) return order.rows.flatMap((row) => row[head] ?? []);
  if (order?.isAcross === true && layer >= 0 && head < 0) return [...(order.rows[layer] ?? [])];
  return headsOf(component, { ...(layer >= 0 ? { layer } : {}), ...(head >= 0 ? { head } : {}) });
}

function cellName({ layer, head }: GridCell, order: HeadOrder | undefined, areJoined: boolean): string {
  if (areJoined) return layer < 0 ? l10n.t('All layers') : l10n.t('Layer {0}, all heads together', layer);
  if (layer < 0 && head < 0) return l10n.t('All heads');
  if (order?.isAcross === true && layer < 0) return l10n.t('Column {0}', head + 1);
  if (order?.isAcross === true && head < 0) {
    const first = rankOfPlace(order, { layer, head: 0 });
    return l10n.t('Heads in places {0} to {1}', first, first + order.rows[layer].length - 1);
  }
  if (layer < 0 && order !== undefined) return l10n.t('Place {0} of every layer', head + 1);
  if (layer < 0) return l10n.t('Head {0} of every layer', head);
  if (head < 0) return l10n.t('Layer {0}', layer);
  return l10n.t('Head {0}', headLabel({ layer, head }));
}

function cellText(
  { layer, head }: GridCell,
  isRoomy: boolean,
  order: HeadOrder | undefined,
  areJoined: boolean,
): string {
  if (layer < 0 && head < 0) return l10n.t('all');
  if (layer < 0 && (areJoined || order?.isAcross === true)) return '';
  if (order?.isAcross === true) return l10n.t('{0}.', rankOfPlace(order, { layer, head: 0 }));
  if (layer < 0 && order !== undefined) return isRoomy || head % 2 === 0 ? l10n.t('{0}.', head + 1) : '';
  const index = layer < 0 ? head : layer;
  return layer < 0 && !isRoomy && index % 2 === 1 ? '' : String(index);
}

function boxOf(
  grid: HeadGrid,
  { layer, head }: GridCell,
): { left: string; top: string; width: string; height: string } {
  return {
    left: `${head < 0 ? 0 : grid.columnX[head]}px`,
    top: `${layer < 0 ? 0 : grid.rowY[layer]}px`,
    width: `${head < 0 ? grid.headerWidth - 2 : grid.tile}px`,
    height: `${layer < 0 ? grid.headerHeight - 2 : grid.tile}px`,
  };
}

/**
 * In which order the heads stand. What someone asks for comes at once; what follows by itself, as in live mode, waits while the pointer moves over the
 * heads, where someone may be about to click.
 */
function useOrder(component: ComponentInfo): {
  readonly order: HeadOrder | undefined;
  readonly onMove: () => void;
  readonly onLeave: () => void;
} {
  const { panel, kept } = usePanel();
  const { wanted, asked } = useMemo(() => {
    const { measure, lack } = panel.heads;
    const ordering = computed(() =>
      canOrder(measure.value) && lack.value === undefined ? kept.layout.value.ordering : 'model',
    );
    return {
      wanted: computed<HeadOrder | 'coming' | undefined>(() =>
        ordering.value === 'model' ? undefined : (panel.heads.orderOf(ordering.value) ?? 'coming'),
      ),
      asked: computed(() => `${ordering.value} ${measure.value}`),
    };
  }, [panel, kept]);
  const pointer = useRef({ isOver: false, answered: '' });
  const [order, setOrder] = useState<HeadOrder | undefined>(undefined);
  useLayoutEffect(
    () =>
      effect(() => {
        const [next, question] = [wanted.value, asked.value];
        if (next === 'coming' || (pointer.current.isOver && pointer.current.answered === question)) return;
        pointer.current.answered = question;
        setOrder(next);
      }),
    [wanted, asked],
  );
  return {
    order: order !== undefined && isOrderOf(order, component) ? order : undefined,
    onMove: () => (pointer.current.isOver = true),
    onLeave: () => {
      pointer.current.isOver = false;
      const next = wanted.peek();
      if (next !== 'coming') setOrder(next);
    },
  };
}

/** The names of each head's sink tokens, as they are told of it. */
function useSinks(component: ComponentInfo): ReadonlyMap<string, readonly string[]> {
  const { panel } = usePanel();
  const held = panel.shown.thumbnails.value;
  const streams = panel.run.value?.info.streams;
  return useMemo(() => {
    if (
      held?.component !== component.component ||
      streams === undefined ||
      !hasSinks(component, streams[component.queryStream]?.tokens.length ?? 0)
    )
      return new Map();
    const heads = held.value.numHeads.flatMap((count, layer) =>
      Array.from({ length: count }, (_, head) => ({ layer, head })),
    );
    return new Map(
      heads.map((head, i) => [
        headLabel(head),
        (held.value.sinks[i] ?? []).map((position) =>
          l10n.t('sink: {0}', tokenName(streams, { stream: component.keyStream, position })),
        ),
      ]),
    );
  }, [held, streams, component]);
}

/** Names the hovered head, else what is selected. */
function HeadCaption({
  component,
  sinks,
}: {
  component: ComponentInfo;
  sinks: ReadonlyMap<string, readonly string[]>;
}): JSX.Element {
  const { panel } = usePanel();
  const preview = panel.looking.previewHead.value;
  return (
    <p class="caption" aria-hidden="true">
      {preview === undefined || component.areHeadsJoined === true
        ? l10n.t('Selected: {0}', selectionName(panel.selection.value, component))
        : l10n.t(
            'Head {0}: layer {1} (0–{2}), head {3} (0–{4})',
            headLabel(preview),
            preview.layer,
            component.layers.length - 1,
            preview.head,
            (component.layers[preview.layer]?.numHeads ?? 1) - 1,
          )}
      {preview === undefined ? '' : (sinks.get(headLabel(preview)) ?? []).map((sink) => `; ${sink}`)}
      {preview === undefined ? '' : panel.profile.namesOf(preview).map((name) => `; ${headNameText(name)}`)}
    </p>
  );
}

/** All heads of a component as thumbnails, layers as rows; headers select a layer, a head index, or all. */
export function HeadsView({ component }: { component: ComponentInfo }): JSX.Element {
  const { panel } = usePanel();
  const outer = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(outer);
  const grid = useMemo(
    () => layoutHeadGrid(component, { width: Math.max(60, width), height: Math.max(60, height) }),
    [component, width, height],
  );
  const { heads } = panel.selection.value;
  const { order, onMove, onLeave } = useOrder(component);
  const shape = useMemo(() => rowsOf(component, order), [component, order]);
  const sinks = useSinks(component);
  const numQueries = panel.run.value?.info.streams[component.queryStream]?.tokens.length ?? 0;
  const numKeys = panel.run.value?.info.streams[component.keyStream]?.tokens.length ?? 0;
  // Where the keyboard is: at the selected head until it moves, and again when another one is selected.
  const [moved, setMoved] = useState<{ readonly cell: GridCell; readonly of: readonly HeadRef[] }>({
    cell: { layer: 0, head: 0 },
    of: [],
  });
  const current = heads.length === 1 && moved.of !== heads ? heads[0] : moved.cell;
  const selected = useMemo(() => new Set(heads.map(headLabel)), [heads]);

  // Painted when they, or their colours, change, and not with every change of the view.
  const { thumbnails, painted, labels, shares } = useMemo(() => {
    const direction = computed(() => panel.view.value.direction);
    const scale = computed(() => panel.view.value.scale);
    const held = computed(() =>
      panel.shown.thumbnails.value?.component === component.component ? panel.shown.thumbnails.value.value : undefined,
    );
    // What is measured of each head, in the place of its pattern.
    const shown = computed(() =>
      panel.heads.shown.value?.component === component ? panel.heads.shown.value : undefined,
    );
    const tiles = computed(() => (shown.value === undefined ? held.value : panel.heads.tiles.value));
    const ramp = computed(() => panel.weightRamps.value[direction.value]);
    // Of numbers with a sign, their share of the largest on either side.
    const shares = computed(() => {
      const measured = shown.value;
      return measured?.measure === 'effect' ? sharesOf(measured) : undefined;
    });
    return {
      thumbnails: tiles,
      shares,
      painted: computed(() => {
        if (tiles.value === undefined) return undefined;
        const signed = shares.value;
        if (signed !== undefined) return paintShares(tiles.value.numHeads, signed, panel.diverging.value.colour);
        return shown.value === undefined && panel.shown.thumbnails.value?.isSigned === true
          ? paintThumbnails(tiles.value, divergingPalette(panel.diverging.value), scale.value, true)
          : paintThumbnails(tiles.value, paletteOf(ramp.value), scale.value);
      }),
      labels: computed(() => {
        const measured = shown.value;
        if (measured?.columns !== 1) return undefined;
        const signed = shares.value;
        if (signed !== undefined)
          return Array.from(measured.values, (value, i) => ({
            text: shortMeasure(measured.measure, value),
            colour: cssColour(panel.diverging.value.text(signed[i])),
          }));
        return Array.from(measured.values, (value) => ({
          text: shortMeasure(measured.measure, value),
          colour: cssColour(
            ramp.value.text(
              measured.ceiling > 0
                ? depthOf(value / measured.ceiling, scale.value === 'row' ? 'absolute' : scale.value, 1)
                : 0,
            ),
          ),
        }));
      }),
    };
  }, [panel, component]);

  // As many rows as the tile has pixels, or a few less: what is then drawn larger loses no hot cell, as drawing smaller would.
  const pixels =
    width === 0 ? 0 : Math.max(16, Math.min(64, Math.floor((grid.tile * (window.devicePixelRatio || 1)) / 8) * 8));
  const { sinks: sinkMode, method, compared } = panel.form.value;
  const marksSinks = component.areHeadsJoined !== true && hasSinks(component, numQueries);
  useEffect(() => {
    if (pixels === 0) return;
    panel.heads.drawRowsIn(pixels);
    panel.wantThumbnails(pixels);
  }, [component, pixels, sinkMode, method, compared, panel.comparison.shown.value]);
  useLayoutEffect(
    () =>
      effect(() => {
        const element = canvas.current;
        if (element === null || width === 0) return;
        const { canvas: colours, isHighContrast } = panel.theme.value;
        const signed = shares.value;
        drawThumbnails(element, grid, {
          component,
          thumbnails: thumbnails.value,
          painted: painted.value,
          numKeys: marksSinks ? numKeys : 0,
          labels: labels.value,
          isBelow: signed && ((index) => signed[index] < 0),
          order,
          colours: {
            edge: isHighContrast ? colours.line : colours.hatch,
            group: colours.line,
            mark: colours.foreground,
            background: colours.background,
            fontFamily: colours.fontFamily,
          },
        });
      }),
    [grid, component, width, numKeys, marksSinks, painted, order],
  );

  const pointer = useRef(new MovedPointer());
  const look = (cell: GridCell | undefined): void => {
    panel.looking.lookAtHead(cell !== undefined && cell.layer >= 0 && cell.head >= 0 ? cell : undefined);
  };
  const choose = (cell: GridCell, event: { ctrlKey: boolean; metaKey: boolean; shiftKey: boolean }): void => {
    const wanted = headsOfCell(component, cell, order);
    if (event.shiftKey && cell.layer >= 0 && cell.head >= 0 && heads[0] !== undefined)
      panel.select(
        headsBetween(shape, placeOfHead(order, heads[0]), placeOfHead(order, cell)).map((place) =>
          headAtPlace(order, place),
        ),
      );
    else if (event.ctrlKey || event.metaKey) {
      const areAll = wanted.every((head) => selected.has(headLabel(head)));
      const rest = heads.filter((head) => !wanted.some((other) => isSameCell(head, other)));
      panel.select(areAll ? rest : [...heads, ...wanted]);
    } else panel.select(wanted);
    // What was chosen is to be seen now, not the head that the pointer happens to rest on.
    look(undefined);
    setMoved({ cell, of: panel.selection.peek().heads });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || !(event.target instanceof HTMLElement)) return;
    // Where the focus is, which a fast typist moves before the next rendering knows.
    const focused = cellOf(event.target) ?? current;
    if (event.key === 'Enter' || event.key === ' ') choose(focused, event);
    else {
      const place = moveInGrid(shape, placeOfHead(order, focused), event.key, event.ctrlKey || event.metaKey);
      if (place === undefined) return;
      const next = headAtPlace(order, place);
      setMoved({ cell: next, of: heads });
      elementOf(outer.current, next)?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };

  // A row of heads of several layers is of none.
  const isOfLayer = ({ layer, head }: GridCell): boolean => layer >= 0 && (head >= 0 || order?.isAcross !== true);
  const cellView = (cell: GridCell): JSX.Element => {
    const isHead = cell.layer >= 0 && cell.head >= 0;
    const ofCell = isHead ? [cell] : headsOfCell(component, cell, order);
    const isSelected = ofCell.length > 0 && ofCell.every((head) => selected.has(headLabel(head)));
    const isCurrent = isSameCell(cell, current);
    const name = headLabel(cell);
    const known = made.cells.get(name);
    if (known?.isSelected === isSelected && known.isCurrent === isCurrent) return known.view;
    const isComing = isOfLayer(cell) && component.layers[cell.layer].isComing === true;
    const label = [
      cellName(cell, order, component.areHeadsJoined === true),
      ...(isHead ? (sinks.get(name) ?? []) : []),
      ...(isComing ? [component.layers[cell.layer].numHeads > 0 ? l10n.t('still to come') : l10n.t('not read')] : []),
    ].join(', ');
    const view = (
      <div
        key={name}
        class={`head-cell ${isHead ? 'thumbnail' : 'header'}${isSelected ? ' selected' : ''}`}
        role={isHead ? 'gridcell' : cell.layer < 0 ? 'columnheader' : 'rowheader'}
        aria-selected={isSelected}
        aria-label={label}
        title={label}
        data-layer={cell.layer}
        data-head={cell.head}
        tabIndex={isCurrent ? 0 : -1}
        style={boxOf(grid, placeOfHead(order, cell))}
      >
        {isHead ? null : cellText(cell, grid.tile >= 16, order, component.areHeadsJoined === true)}
      </div>
    );
    made.cells.set(name, { isSelected, isCurrent, view });
    return view;
  };
  // Cells that are as they were are the same virtual nodes, which Preact leaves alone.
  const made = useMemo(
    () => ({
      cells: new Map<
        string,
        { readonly isSelected: boolean; readonly isCurrent: boolean; readonly view: JSX.Element }
      >(),
    }),
    [component, grid, sinks, order],
  );
  const lookAt = ({ target }: Event): void => {
    const cell = cellOf(target);
    if (cell === undefined) return;
    look(cell);
    describe(target, cell);
  };
  // Of the cell in question alone: to name all of them anew with each pair would be most of the work.
  const describe = (target: EventTarget | null, cell: GridCell): void => {
    const element = target instanceof Element ? target.closest<HTMLElement>('.head-cell') : null;
    if (element === null || cell.layer < 0 || cell.head < 0) return;
    const write = (): void => {
      const place = order === undefined ? [] : [placeSentence(component, cell, order)];
      const lines = [...place, ...headDescription(panel, component, cell)];
      element.title = [
        cellName(cell, order, component.areHeadsJoined === true),
        ...(sinks.get(headLabel(cell)) ?? []),
        ...lines,
      ].join('\n');
      element.ariaDescription = lines.join(', ');
    };
    write();
    void Promise.all([panel.heads.wantDescriptions(), panel.profile.want()]).then(write);
  };
  // Another order moves elements, and what is moved loses the focus.
  const { activeElement } = document;
  const focused =
    activeElement instanceof HTMLElement && outer.current?.contains(activeElement) === true ? activeElement : undefined;
  const focusedCell = cellOf(focused ?? null);
  useLayoutEffect(() => {
    // In another row it is another element.
    if (focusedCell !== undefined) elementOf(outer.current, focusedCell)?.focus({ preventScroll: true });
  }, [order]);
  // How wide they are is not known in the first rendering.
  const rows = width === 0 ? [] : [-1, ...shape.layers.map((_, row) => row)];
  return (
    <>
      <HeadMeasure />
      <div
        class="heads-scroll"
        ref={outer}
        onPointerMove={onMove}
        onPointerLeave={() => {
          onLeave();
          look(undefined);
        }}
        onFocusOut={() => look(undefined)}
      >
        <div
          class="heads-grid"
          role="grid"
          aria-multiselectable="true"
          aria-label={gridLabel(component, order)}
          style={{ width: `${grid.width}px`, height: `${grid.height}px` }}
          onKeyDown={onKeyDown}
          onClick={(event) => {
            const cell = cellOf(event.target);
            if (cell !== undefined) choose(cell, event);
          }}
          onPointerMove={(event) => pointer.current.note(event)}
          onPointerOver={(event) => {
            // A grid that moves below a pointer that rests asks for nothing.
            if (pointer.current.hasMoved(event)) lookAt(event);
          }}
          onFocusIn={(event) => {
            // Where a click has put the focus, the pointer is what looks.
            if (event.target instanceof Element && event.target.matches(':focus-visible')) lookAt(event);
          }}
        >
          <canvas ref={canvas} aria-hidden="true" />
          {panel.shown.thumbnails.value?.component === component.component ? null : (
            <p class="drawing" role="status">
              {l10n.t('drawing…')}
            </p>
          )}
          {rows.map((layer) => (
            <div key={layer} role="row">
              {Array.from({ length: (layer < 0 ? grid.numColumns : shape.layers[layer].numHeads) + 1 }, (_, i) =>
                cellView(headAtPlace(order, { layer, head: i - 1 })),
              )}
            </div>
          ))}
        </div>
      </div>
      <HeadCaption component={component} sinks={sinks} />
    </>
  );
}

/** What the grid has as its rows and columns. */
function gridLabel({ areHeadsJoined }: ComponentInfo, order: HeadOrder | undefined): string {
  if (areHeadsJoined === true) return l10n.t('Layers, all heads of each together');
  if (order === undefined) return l10n.t('Heads: layers as rows, head indices as columns');
  return order.isAcross
    ? l10n.t('Heads of all layers, the strongest first, row by row')
    : l10n.t('Heads: layers as rows, the strongest of each first');
}

/** Where an ordered head stands. */
function placeSentence({ layers }: ComponentInfo, cell: GridCell, order: HeadOrder): string {
  const place = placeOfHead(order, cell);
  return order.isAcross
    ? l10n.t('place {0} of {1} of all heads', rankOfPlace(order, place), order.places.size)
    : l10n.t('place {0} of {1} in its layer', place.head + 1, layers[cell.layer].numHeads);
}

/** The element of a cell. */
function elementOf(grid: HTMLElement | null, { layer, head }: GridCell): HTMLElement | null | undefined {
  return grid?.querySelector<HTMLElement>(`[data-layer="${layer}"][data-head="${head}"]`);
}

/** The cell that an event is in. */
function cellOf(target: EventTarget | null): GridCell | undefined {
  const { layer, head } = (target instanceof Element ? target.closest<HTMLElement>('.head-cell') : null)?.dataset ?? {};
  return layer === undefined || head === undefined ? undefined : { layer: Number(layer), head: Number(head) };
}
