import { visibleText, type TokenStream } from '../../src/model/token';
import { axisTicks, visibleRange, type MatrixFrame, type MatrixView } from '../layout/matrixView';
import type { MatrixStyle } from './drawMatrix';

/** Room around the plot for labels and marginals, in CSS pixels. */
export interface Margins {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The margins in an area of this size: where there is little room, labels take less of it. */
export function marginsFor(width: number, height: number): Margins {
  const isSmall = Math.min(width, height) < 280;
  return isSmall ? { left: 62, top: 46, right: 20, bottom: 22 } : { left: 76, top: 64, right: 26, bottom: 30 };
}

const labelGap = 12;
const fontSize = 10;

function font({ fontFamily }: MatrixStyle, isBold = false): string {
  return `${isBold ? 'bold ' : ''}${fontSize}px ${fontFamily}`;
}

function labelOf(stream: TokenStream, position: number): string {
  // A patch's row and column say it all.
  if (stream.grid !== undefined) return visibleText(stream, position);
  const text = [...visibleText(stream, position)];
  return `${text.length > 7 ? `${text.slice(0, 6).join('')}…` : text.join('')} ${position}`;
}

/** Names the visible rows and columns by their tokens and positions, thinned as space asks. */
export function drawAxes(context: CanvasRenderingContext2D, view: MatrixView, frame: MatrixFrame, queries: TokenStream, keys: TokenStream, margins: Margins, colours: MatrixStyle): void {
  context.font = font(colours);
  context.fillStyle = colours.foreground;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const query of axisTicks(view.y, view.cell, frame.numQueries, frame.height, labelGap)) {
    const y = view.y + (query + 0.5) * view.cell;
    if (y > 0 && y < frame.height) context.fillText(labelOf(queries, query), -5, y, margins.left - 7);
  }
  context.textAlign = 'left';
  for (const key of axisTicks(view.x, view.cell, frame.numKeys, frame.width, labelGap)) {
    const x = view.x + (key + 0.5) * view.cell;
    if (x > 0 && x < frame.width) drawUpright(context, labelOf(keys, key), x, margins.top - 7);
  }
}

function drawUpright(context: CanvasRenderingContext2D, text: string, x: number, room: number): void {
  context.save();
  context.translate(x, -5);
  context.rotate(-Math.PI / 2);
  context.fillText(text, 0, 0, room);
  context.restore();
}

/** Puts one token's label over the thinned ones, on the axis of queries or of keys. */
export function drawAxisMark(context: CanvasRenderingContext2D, view: MatrixView, frame: MatrixFrame, stream: TokenStream, position: number, isQuery: boolean, margins: Margins, colours: MatrixStyle, edge: string): void {
  const at = (isQuery ? view.y : view.x) + (position + 0.5) * view.cell;
  if (at < 0 || at > (isQuery ? frame.height : frame.width)) return;
  context.save();
  context.font = font(colours, true);
  context.textBaseline = 'middle';
  if (!isQuery) {
    context.translate(at, 0);
    context.rotate(-Math.PI / 2);
  } else context.translate(0, at);
  const text = labelOf(stream, position);
  const room = (isQuery ? margins.left : margins.top) - 8;
  const width = Math.min(room, context.measureText(text).width);
  const left = isQuery ? -width - 6 : 4;
  context.fillStyle = colours.background;
  context.fillRect(left - 3, -8, width + 6, 15);
  context.strokeStyle = edge;
  context.lineWidth = 1;
  context.strokeRect(left - 2.5, -7.5, width + 5, 14);
  context.fillStyle = colours.foreground;
  context.textAlign = 'left';
  context.fillText(text, left, 0, room);
  context.restore();
}

/** Bars along the edges: below, the mean weight that each key gets, beside the largest of them; at the right, each query's sum. Sinks get a mark. */
export function drawMarginals(context: CanvasRenderingContext2D, view: MatrixView, frame: MatrixFrame, sums: { readonly rowSums: Float32Array; readonly columnMeans: Float32Array }, sinks: readonly number[], margins: Margins, colours: MatrixStyle): void {
  const bottom = Math.min(frame.height, view.y + frame.numQueries * view.cell);
  const right = Math.min(frame.width, view.x + frame.numKeys * view.cell);
  const room = margins.right - 10;
  context.fillStyle = colours.bar;
  const rows = visibleRange(view.y, view.cell, frame.numQueries, frame.height);
  for (let query = rows.from; query < rows.to; query++) {
    const top = Math.max(0, view.y + query * view.cell);
    const end = Math.min(bottom, view.y + (query + 1) * view.cell);
    context.fillRect(right + 4, top, room * Math.min(1, sums.rowSums[query]), Math.max(0.5, end - top - (view.cell >= 4 ? 1 : 0)));
  }
  const largest = sums.columnMeans.reduce((most, mean) => Math.max(most, mean), 1e-9);
  const columns = visibleRange(view.x, view.cell, frame.numKeys, frame.width);
  for (let key = columns.from; key < columns.to; key++) {
    const left = Math.max(0, view.x + key * view.cell);
    const end = Math.min(right, view.x + (key + 1) * view.cell);
    context.fillRect(left, bottom + 4, Math.max(0.5, end - left - (view.cell >= 4 ? 1 : 0)), (room * sums.columnMeans[key]) / largest);
  }
  context.fillStyle = colours.foreground;
  for (const key of sinks) {
    const x = view.x + (key + 0.5) * view.cell;
    if (x < 0 || x > right) continue;
    context.beginPath();
    context.moveTo(x, bottom + room + 6);
    context.lineTo(x - 4, bottom + room + 12);
    context.lineTo(x + 4, bottom + room + 12);
    context.fill();
  }
}
