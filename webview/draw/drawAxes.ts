import { visibleNext, visibleText, type TokenStream } from '../../src/model/token';
import { isNamedByLines } from '../../src/model/units';
import { axisTicks, type PlacedMatrix } from '../layout/matrixView';
import type { MatrixStyle } from './drawMatrix';

/** Room around the plot for labels and marginals, in CSS pixels. */
export interface Margins {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** In less height than this a plot would have hardly any beside what stands above and below it. */
const lowBelow = 150;

/**
 * The margins in an area of this size: where there is little room, labels take less of it, and those of columns and the bars below them none.
 * Rows have bars of their sums only where these are not all one.
 */
export function marginsFor(width: number, height: number, hasRowBars = false): Margins {
  const isSmall = Math.min(width, height) < 280;
  const right = hasRowBars ? 24 : 6;
  if (height < lowBelow) return { left: 62, top: 6, right, bottom: 6 };
  return isSmall ? { left: 62, top: 46, right, bottom: 22 } : { left: 76, top: 60, right, bottom: 26 };
}

/** How far from one a sum of weights may be that were held rounded. */
const sumSlack = 0.02;

/** Whether rows are worth bars of their sums: where every one sums to one, bars would say nothing. */
export function hasUnevenSums(rowSums: Float32Array): boolean {
  return rowSums.some((sum) => Math.abs(sum - 1) > sumSlack);
}

const labelGap = 12;
const fontSize = 10;

function font({ fontFamily }: MatrixStyle, isBold = false): string {
  return `${isBold ? 'bold ' : ''}${fontSize}px ${fontFamily}`;
}

/** A token on an axis: what it says, and its number, which is fainter so that a digit is not taken for a part of it. */
interface AxisLabel {
  readonly text: string;
  readonly index: string;
}

/** How an axis names a token: a row of a target by what is written next, which is what reading there is for. */
export function axisLabel(stream: TokenStream, position: number, isQuery: boolean): AxisLabel {
  // A patch's row and column say it all.
  if (stream.grid !== undefined) return { text: visibleText(stream, position), index: '' };
  const next = isQuery ? visibleNext(stream, position) : undefined;
  const text = [...(next ?? visibleText(stream, position))];
  const short = text.length > 7 ? `${text.slice(0, 6).join('')}…` : text.join('');
  return { text: next === undefined ? short : `→${short}`, index: numberOf(stream, position) };
}

/** The number that names a token, as in `tokenName`: its position; of a unit its first line, or its first token. */
function numberOf(stream: TokenStream, position: number): string {
  const { units } = stream;
  if (units === undefined) return String(position);
  return String(isNamedByLines(stream, position) ? units.lines[position][0] + 1 : units.starts[position]);
}

/** Draws a label that ends at `right`. */
function drawLabel(
  context: CanvasRenderingContext2D,
  { text, index }: AxisLabel,
  { right, y, room }: { readonly right: number; readonly y: number; readonly room: number },
  colours: MatrixStyle,
): void {
  context.textAlign = 'right';
  context.fillStyle = colours.dim;
  context.fillText(index, right, y);
  const indexWidth = index === '' ? 0 : context.measureText(index).width + 4;
  context.fillStyle = colours.foreground;
  context.fillText(text, right - indexWidth, y, Math.max(1, room - indexWidth));
}

/** The width of a label, at most `room`. */
function widthOf(context: CanvasRenderingContext2D, { text, index }: AxisLabel, room: number): number {
  return Math.min(room, context.measureText(text).width + (index === '' ? 0 : context.measureText(index).width + 4));
}

/** What an axis's labels are drawn for. */
export interface AxisScene {
  readonly placed: PlacedMatrix;
  readonly margins: Margins;
  readonly colours: MatrixStyle;
}

/** Names the visible rows and columns by their tokens and positions, thinned as space asks. */
export function drawAxes(
  context: CanvasRenderingContext2D,
  { placed: { view, frame, rows, columns }, margins, colours }: AxisScene,
  queries: TokenStream,
  keys: TokenStream,
): void {
  context.font = font(colours);
  context.textBaseline = 'middle';
  // Of a text that is written from the right the position still comes after it.
  context.direction = 'ltr';
  for (const query of axisTicks(rows, view.cell, labelGap)) {
    const y = view.y + (query + 0.5) * view.cell;
    if (y > 0 && y < frame.height)
      drawLabel(context, axisLabel(queries, query, true), { right: -5, y, room: margins.left - 7 }, colours);
  }
  const room = margins.top - 7;
  if (room < labelGap) return;
  for (const key of axisTicks(columns, view.cell, labelGap)) {
    const x = view.x + (key + 0.5) * view.cell;
    if (x < 0 || x > frame.width) continue;
    const label = axisLabel(keys, key, false);
    context.save();
    context.translate(x, -5);
    context.rotate(-Math.PI / 2);
    drawLabel(context, label, { right: widthOf(context, label, room), y: 0, room }, colours);
    context.restore();
  }
}

/** Puts one token's label over the thinned ones, on the axis of queries or of keys. */
export function drawAxisMark(
  context: CanvasRenderingContext2D,
  { placed: { view, frame, rows, columns }, margins, colours }: AxisScene,
  mark: { readonly stream: TokenStream; readonly position: number; readonly isQuery: boolean; readonly edge: string },
): void {
  const { stream, position, isQuery, edge } = mark;
  const at = (isQuery ? view.y : view.x) + (position + 0.5) * view.cell;
  const room = (isQuery ? margins.left : margins.top) - 8;
  if (at < 0 || at > (isQuery ? frame.height : frame.width) || room < labelGap) return;
  context.save();
  context.font = font(colours, true);
  context.textBaseline = 'middle';
  context.direction = 'ltr';
  if (!isQuery) {
    context.translate(at, 0);
    context.rotate(-Math.PI / 2);
  } else context.translate(0, at);
  const label = axisLabel(stream, position, isQuery);
  const width = widthOf(context, label, room);
  const left = isQuery ? -width - 6 : 4;
  context.fillStyle = colours.background;
  // Of a label beside it all is taken away, as far as margins go: half of one would be read as another.
  for (const tick of axisTicks(isQuery ? rows : columns, view.cell, labelGap)) {
    const y = (tick - position) * view.cell - 6;
    if (Math.abs(y + 6) < 13) context.fillRect(isQuery ? -99 : 3, y, 96, 12);
  }
  context.fillRect(left - 3, -8, width + 6, 15);
  context.strokeStyle = edge;
  context.lineWidth = 1;
  context.strokeRect(left - 2.5, -7.5, width + 5, 14);
  drawLabel(context, label, { right: left + width, y: 0, room: width }, colours);
  context.restore();
}

/** Bars along the edges: below, the mean weight that each key gets, beside the largest of them; at the right, each query's sum, where these differ. Sinks get a mark. */
export function drawMarginals(
  context: CanvasRenderingContext2D,
  { placed: { view, rows, columns, right, bottom }, margins, colours }: AxisScene,
  { rowSums, columnMeans }: { readonly rowSums: Float32Array; readonly columnMeans: Float32Array },
  marks: { readonly hasRowBars: boolean; readonly sinks: readonly number[]; readonly name: string },
): void {
  const room = margins.bottom - 10;
  context.fillStyle = colours.bar;
  if (marks.hasRowBars) {
    const most = Math.max(1, ...rowSums);
    for (let query = rows.from; query < rows.to; query++) {
      const top = Math.max(0, view.y + query * view.cell);
      const end = Math.min(bottom, view.y + (query + 1) * view.cell);
      context.fillRect(
        right + 4,
        top,
        ((margins.right - 10) * rowSums[query]) / most,
        Math.max(0.5, end - top - (view.cell >= 4 ? 1 : 0)),
      );
    }
  }
  if (room < 1) return;
  const largest = columnMeans.reduce((most, mean) => Math.max(most, mean), 1e-9);
  for (let key = columns.from; key < columns.to; key++) {
    const left = Math.max(0, view.x + key * view.cell);
    const end = Math.min(right, view.x + (key + 1) * view.cell);
    context.fillRect(
      left,
      bottom + 4,
      Math.max(0.5, end - left - (view.cell >= 4 ? 1 : 0)),
      (room * columnMeans[key]) / largest,
    );
  }
  context.font = font(colours);
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  context.fillStyle = colours.dim;
  context.fillText(marks.name, -5, bottom + 4 + room / 2, margins.left - 7);
  context.fillStyle = colours.foreground;
  for (const key of marks.sinks) {
    const x = view.x + (key + 0.5) * view.cell;
    if (x < 0 || x > right) continue;
    context.beginPath();
    context.moveTo(x, bottom + room + 4);
    context.lineTo(x - 4, bottom + room + 10);
    context.lineTo(x + 4, bottom + room + 10);
    context.fill();
  }
}
