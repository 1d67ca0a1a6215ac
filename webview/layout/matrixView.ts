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
export function zoomView(view: MatrixView, frame: MatrixFrame, factor: number, atX: number, atY: number): MatrixView {
  const fit = fitView(frame).cell;
  const cell = Math.min(Math.max(maxCell, fit), Math.max(fit, view.cell * factor));
  const scale = cell / view.cell;
  return clampView({ cell, x: atX - (atX - view.x) * scale, y: atY - (atY - view.y) * scale }, frame);
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

/** The half-open range of rows or columns that can be seen. */
export function visibleRange(
  offset: number,
  cell: number,
  count: number,
  size: number,
): { readonly from: number; readonly to: number } {
  return { from: Math.max(0, Math.floor(-offset / cell)), to: Math.min(count, Math.ceil((size - offset) / cell)) };
}

/** The visible positions that get an axis label, thinned to steps of 1, 2, 5, 10, … so that none is nearer to another than `minGap` pixels. */
export function axisTicks(offset: number, cell: number, count: number, size: number, minGap: number): number[] {
  const step = tickStep(cell, minGap);
  const { from, to } = visibleRange(offset, cell, count, size);
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

/** A rectangle of the canvas, in CSS pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the visible rows of queries lie that read no key at all; of causal attention up to what the mask forbids, which has a hatching of its own. */
export function rowsWithoutKey(
  view: MatrixView,
  frame: MatrixFrame,
  rowSums: ArrayLike<number>,
  isCausal: boolean,
): Area[] {
  const areas: Area[] = [];
  const offset = frame.numKeys - frame.numQueries;
  const { from, to } = visibleRange(view.y, view.cell, frame.numQueries, frame.height);
  const x = Math.max(0, view.x);
  for (let query = from; query < to; query++) {
    if (rowSums[query] !== 0) continue;
    const right = Math.min(frame.width, view.x + (isCausal ? query + 1 + offset : frame.numKeys) * view.cell);
    if (right > x) areas.push({ x, y: view.y + query * view.cell, width: right - x, height: view.cell });
  }
  return areas;
}
