import type { Rect } from './headGrid';

/** How a matrix lies in its plot: CSS pixels per cell, and the place of cell (0, 0)'s top left corner. */
export interface MatrixView {
  readonly cell: number;
  readonly x: number;
  readonly y: number;
}

/** The size of a matrix in cells and of its plot in CSS pixels. */
export interface MatrixFrame {
  readonly numQueries: number;
  readonly numKeys: number;
  readonly width: number;
  readonly height: number;
}

/** A cell of the matrix. */
export interface MatrixCell {
  readonly query: number;
  readonly key: number;
}

const maxFitCell = 28;
const maxCell = 64;

/** The view that shows the whole matrix, as large as the plot allows, at its top left. */
export function fitView(frame: MatrixFrame): MatrixView {
  const cell = Math.min(
    maxFitCell,
    frame.width / Math.max(1, frame.numKeys),
    frame.height / Math.max(1, frame.numQueries),
  );
  return { cell: Math.max(1e-3, cell), x: 0, y: 0 };
}

/** Zooms about a place of the plot, which stays where it is as far as the matrix still fills the plot. */
export function zoomView(
  view: MatrixView,
  frame: MatrixFrame,
  factor: number,
  { x, y }: { readonly x: number; readonly y: number },
): MatrixView {
  const fit = fitView(frame).cell;
  const cell = Math.min(Math.max(maxCell, fit), Math.max(fit, view.cell * factor));
  const scale = cell / view.cell;
  return clampView({ cell, x: x - (x - view.x) * scale, y: y - (y - view.y) * scale }, frame);
}

/** Moves the matrix by CSS pixels, never off its plot. */
export function panView(view: MatrixView, frame: MatrixFrame, dx: number, dy: number): MatrixView {
  return clampView({ ...view, x: view.x + dx, y: view.y + dy }, frame);
}

/** Moves the matrix as little as makes a cell visible. */
export function revealCell(view: MatrixView, frame: MatrixFrame, { query, key }: MatrixCell): MatrixView {
  const shift = (offset: number, index: number, size: number): number => {
    const start = offset + index * view.cell;
    if (start < 0) return -start;
    return start + view.cell > size ? size - start - view.cell : 0;
  };
  return panView(view, frame, shift(view.x, key, frame.width), shift(view.y, query, frame.height));
}

function clampView(view: MatrixView, frame: MatrixFrame): MatrixView {
  const clamp = (offset: number, count: number, size: number): number =>
    Math.min(0, Math.max(Math.min(0, size - count * view.cell), offset));
  return {
    cell: view.cell,
    x: clamp(view.x, frame.numKeys, frame.width),
    y: clamp(view.y, frame.numQueries, frame.height),
  };
}

/** The cell at a place of the plot, or undefined outside the matrix. */
export function cellAt(view: MatrixView, frame: MatrixFrame, x: number, y: number): MatrixCell | undefined {
  const key = Math.floor((x - view.x) / view.cell);
  const query = Math.floor((y - view.y) / view.cell);
  const isInside =
    x >= 0 &&
    y >= 0 &&
    x < frame.width &&
    y < frame.height &&
    key >= 0 &&
    query >= 0 &&
    key < frame.numKeys &&
    query < frame.numQueries;
  return isInside ? { query, key } : undefined;
}

/** A half-open range of rows or columns. */
export interface CellRange {
  readonly from: number;
  readonly to: number;
}

/** The rows or columns that can be seen in a plot of `size` CSS pixels: of `count` cells, the first at `offset`. */
export function visibleRange(offset: number, cell: number, count: number, size: number): CellRange {
  return { from: Math.max(0, Math.floor(-offset / cell)), to: Math.min(count, Math.ceil((size - offset) / cell)) };
}

/** A matrix as it lies in its plot, with what of it can be seen there; places are CSS pixels from the plot's corner. */
export interface PlacedMatrix {
  readonly view: MatrixView;
  readonly frame: MatrixFrame;
  /** The rows and columns that can be seen. */
  readonly rows: CellRange;
  readonly columns: CellRange;
  /** Where it ends, or its plot where that is less. */
  readonly right: number;
  readonly bottom: number;
}

/** Places a matrix in its plot, once for all that is drawn of it. */
export function placeMatrix(view: MatrixView, frame: MatrixFrame): PlacedMatrix {
  return {
    view,
    frame,
    rows: visibleRange(view.y, view.cell, frame.numQueries, frame.height),
    columns: visibleRange(view.x, view.cell, frame.numKeys, frame.width),
    right: Math.min(frame.width, view.x + frame.numKeys * view.cell),
    bottom: Math.min(frame.height, view.y + frame.numQueries * view.cell),
  };
}

/** The positions of a range that get an axis label, thinned to steps of 1, 2, 5, 10, … so that none is nearer to another than `minGap` pixels. */
export function axisTicks({ from, to }: CellRange, cell: number, minGap: number): number[] {
  const step = tickStep(cell, minGap);
  const ticks: number[] = [];
  for (let position = Math.ceil(from / step) * step; position < to; position += step) ticks.push(position);
  return ticks;
}

function tickStep(cell: number, minGap: number): number {
  for (let power = 1; power < 1e9; power *= 10)
    for (const factor of [1, 2, 5]) if (factor * power * cell >= minGap) return factor * power;
  return 1e9;
}

/** The level of a pyramid of halved matrices whose blocks are at least one device pixel wide. */
export function levelFor(cell: number, pixelRatio: number): number {
  return Math.max(0, Math.ceil(Math.log2(1 / (cell * pixelRatio))));
}

/** Where the visible rows of queries lie that read no key at all; of causal attention up to what the mask forbids, which has a hatching of its own. */
export function rowsWithoutKey(
  { view, frame, rows }: PlacedMatrix,
  rowSums: ArrayLike<number>,
  isCausal: boolean,
): Rect[] {
  const areas: Rect[] = [];
  const offset = frame.numKeys - frame.numQueries;
  const x = Math.max(0, view.x);
  for (let query = rows.from; query < rows.to; query++) {
    if (rowSums[query] !== 0) continue;
    const right = Math.min(frame.width, view.x + (isCausal ? query + 1 + offset : frame.numKeys) * view.cell);
    if (right > x) areas.push({ x, y: view.y + query * view.cell, width: right - x, height: view.cell });
  }
  return areas;
}
