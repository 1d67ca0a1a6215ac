import { rowsWithoutKey, type MatrixCell, type PlacedMatrix } from '../layout/matrixView';
import type { RelationPairs } from '../../src/model/relations/relation';
import { hatchPattern } from './canvas';
import type { MatrixPictures } from './matrixTiles';

/** Colours for what is drawn around and over the cells, and the labels' font, as CSS writes them. */
export interface MatrixStyle {
  readonly background: string;
  readonly foreground: string;
  /** Of what is beside the point, and still has to be read. */
  readonly dim: string;
  readonly faint: string;
  readonly hatch: string;
  readonly line: string;
  readonly accent: string;
  readonly bar: string;
  readonly fontFamily: string;
}

/** Hatches what a causal mask forbids: for each query, the keys after its own position. */
export function drawCausalMask(
  context: CanvasRenderingContext2D,
  { view, frame, rows, right }: PlacedMatrix,
  colour: string,
): void {
  const fill = hatchPattern(context, colour);
  if (fill === null) return;
  const offset = frame.numKeys - frame.numQueries;
  context.fillStyle = fill;
  context.beginPath();
  for (let query = rows.from; query < rows.to; query++) {
    const x = Math.max(0, view.x + (query + 1 + offset) * view.cell);
    if (x < right) context.rect(x, view.y + query * view.cell, right - x, view.cell);
  }
  context.fill();
}

/** Hatches the rows of queries that read no key: all of their weights are zero, or no numbers. */
export function drawRowsWithoutKey(
  context: CanvasRenderingContext2D,
  placed: PlacedMatrix,
  {
    rowSums,
    isCausal,
    colour,
  }: { readonly rowSums: Float32Array; readonly isCausal: boolean; readonly colour: string },
): void {
  const areas = rowsWithoutKey(placed, rowSums, isCausal);
  const fill = areas.length === 0 ? null : hatchPattern(context, colour);
  if (fill === null) return;
  context.fillStyle = fill;
  for (const { x, y, width, height } of areas) context.fillRect(x, y, width, height);
}

/** Outlines the visible cells with a thickness that carries their depth, where cells are large enough (high contrast). */
export function drawCellOutlines(
  context: CanvasRenderingContext2D,
  { view, rows, columns }: PlacedMatrix,
  pictures: MatrixPictures,
  colour: string,
): void {
  if (view.cell < 7) return;
  context.strokeStyle = colour;
  for (let query = rows.from; query < rows.to; query++) {
    for (let key = columns.from; key < columns.to; key++) {
      const thickness = (Math.min(view.cell / 3, 3) * pictures.depthAt(query, key)) / 255;
      if (thickness < 0.2) continue;
      context.lineWidth = thickness;
      context.strokeRect(
        view.x + key * view.cell + thickness / 2,
        view.y + query * view.cell + thickness / 2,
        view.cell - thickness,
        view.cell - thickness,
      );
    }
  }
}

/** Lines between cells, once there is room for them, and the matrix's edge. */
export function drawCellLines(
  context: CanvasRenderingContext2D,
  { view, rows, columns, right, bottom }: PlacedMatrix,
  colours: MatrixStyle,
): void {
  if (view.cell >= 12) {
    context.strokeStyle = colours.faint;
    context.lineWidth = 1;
    context.beginPath();
    for (let query = rows.from + 1; query < rows.to; query++) {
      const y = Math.round(view.y + query * view.cell) + 0.5;
      context.moveTo(0, y);
      context.lineTo(right, y);
    }
    for (let key = columns.from + 1; key < columns.to; key++) {
      const x = Math.round(view.x + key * view.cell) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, bottom);
    }
    context.stroke();
  }
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.strokeRect(0.5, 0.5, right - 1, bottom - 1);
}

/** Marks whole rows or columns, of pinned tokens or under the crosshair. */
export function drawBands(
  context: CanvasRenderingContext2D,
  { view, right, bottom }: PlacedMatrix,
  { rows = [], columns = [] }: { readonly rows?: readonly number[]; readonly columns?: readonly number[] },
  colour: string,
): void {
  const size = Math.max(2, view.cell);
  context.strokeStyle = colour;
  context.lineWidth = 1;
  for (const row of rows)
    context.strokeRect(-1, Math.round(view.y + row * view.cell) - 0.5, right + 2, Math.round(size) + 1);
  for (const column of columns)
    context.strokeRect(Math.round(view.x + column * view.cell) - 0.5, -1, Math.round(size) + 1, bottom + 2);
}

/** Outlines the cells of a relation's pairs, as far as they are in sight; where cells are small each is a dot. */
export function drawPairs(
  context: CanvasRenderingContext2D,
  { view, rows, columns }: PlacedMatrix,
  { queries, ends, keys }: RelationPairs,
  colour: string,
): void {
  const size = Math.max(2, view.cell);
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = 1;
  queries.forEach((query, at) => {
    if (query < rows.from || query >= rows.to) return;
    for (let pair = at === 0 ? 0 : ends[at - 1]; pair < ends[at]; pair++) {
      const key = keys[pair];
      if (key < columns.from || key >= columns.to) continue;
      const [x, y] = [view.x + key * view.cell, view.y + query * view.cell];
      if (view.cell < 4) context.fillRect(x, y, size, size);
      else context.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
    }
  });
}

/** A blocked cell, or with one place of it alone a row or a column. */
export interface BlockedPlace {
  readonly query?: number | undefined;
  readonly key?: number | undefined;
}

/** Strikes through what is blocked: a cell both ways, a row or a column along its middle. */
export function drawBlocked(
  context: CanvasRenderingContext2D,
  { view, right, bottom }: PlacedMatrix,
  places: readonly BlockedPlace[],
  colour: string,
): void {
  const size = Math.max(5, view.cell);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const { query, key } of places) {
    const x = view.x + ((key ?? 0) + 0.5) * view.cell;
    const y = view.y + ((query ?? 0) + 0.5) * view.cell;
    const half = size / 2;
    if (key === undefined) {
      context.moveTo(0, y);
      context.lineTo(right, y);
    } else if (query === undefined) {
      context.moveTo(x, 0);
      context.lineTo(x, bottom);
    } else {
      context.moveTo(x - half, y - half);
      context.lineTo(x + half, y + half);
      context.moveTo(x - half, y + half);
      context.lineTo(x + half, y - half);
    }
  }
  context.stroke();
}

/** The crosshair: lines through a cell's row and column that leave the cell itself free. */
export function drawCrosshair(
  context: CanvasRenderingContext2D,
  { view, right, bottom }: PlacedMatrix,
  cell: MatrixCell,
  colour: string,
): void {
  const x = view.x + cell.key * view.cell;
  const y = view.y + cell.query * view.cell;
  const size = Math.max(3, view.cell);
  const [midX, midY] = [Math.round(x + view.cell / 2) + 0.5, Math.round(y + view.cell / 2) + 0.5];
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, midY);
  context.lineTo(Math.max(0, x - 2), midY);
  context.moveTo(x + size + 2, midY);
  context.lineTo(right, midY);
  context.moveTo(midX, 0);
  context.lineTo(midX, Math.max(0, y - 2));
  context.moveTo(midX, y + size + 2);
  context.lineTo(midX, bottom);
  context.stroke();
  context.lineWidth = 2;
  context.strokeRect(x - 1, y - 1, size + 2, size + 2);
}
