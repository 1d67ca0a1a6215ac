import { cssColour } from '../ramp';
import { digits, escaped, figureSvg, frame, labelSize, roomOf, shortened, wrapped, type Paper } from './paper';

/** A table of heads as a figure shows it. */
export interface TableFigure {
  /** The first column is of names, all others of numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const [nameRoom, rowHeight] = [34, labelSize * 1.6];

/** A table as an SVG file; titles of columns take several lines where they have to. */
export function tableSvg({ columns, rows }: TableFigure, paper: Paper): string {
  const room = roomOf(paper);
  const columnRoom = Math.min(90, (room - nameRoom) / Math.max(1, columns.length - 1));
  const rightOf = (column: number): number => (column === 0 ? 0 : nameRoom + column * columnRoom);
  const titles = columns.map((title, column) =>
    wrapped(title, column === 0 ? nameRoom : columnRoom - 5, labelSize).map((line) =>
      shortened(line, column === 0 ? nameRoom : columnRoom - 5, labelSize),
    ),
  );
  const numLines = Math.max(1, ...titles.map(({ length }) => length));
  const cell = (text: string, column: number, line: number, weight = ''): string =>
    `<text x="${digits(rightOf(column))}" y="${digits((line + 0.75) * rowHeight)}"${column === 0 ? '' : ' text-anchor="end"'}${weight}>${escaped(text)}</text>`;
  const width = rightOf(columns.length - 1);
  const svg = [
    `<g fill="${cssColour(paper.foreground)}">`,
    ...titles.flatMap((lines, column) =>
      lines.map((line, i) => cell(line, column, numLines - lines.length + i, ' font-weight="bold"')),
    ),
    frame({ x: 0, y: numLines * rowHeight + 1, width, height: 0 }, paper.foreground),
    ...rows.flatMap((row, i) => row.map((text, column) => cell(text, column, numLines + i + 0.3))),
    '</g>',
  ].join('\n');
  return figureSvg({ height: (numLines + rows.length + 0.6) * rowHeight, svg }, paper);
}
