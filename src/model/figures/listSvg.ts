import { cssColour, type Ramp } from '../ramp';
import { box, digits, escaped, figureSvg, roomOf, shortened, textSize, widthOf, wrapped, type Paper } from './paper';

/** A list of sources as a figure shows it. */
export interface ListFigure {
  readonly title: string;
  /** `share`: the length of the bar, in [0, 1]; `depth`: its colour, in [−1, 1]. */
  readonly rows: readonly {
    readonly name: string;
    readonly number: string;
    readonly share: number;
    readonly depth: number;
  }[];
  /** What is told below. */
  readonly rest: readonly string[];
  readonly ramp: Pick<Ramp, 'colour'>;
}

const rowHeight = textSize * 1.5;

/** The strongest sources with bars and numbers, as an SVG file. */
export function listSvg({ title, rows, rest, ramp }: ListFigure, paper: Paper): string {
  const room = roomOf(paper);
  const heads = wrapped(title, room, textSize);
  const numberRoom = Math.max(0, ...rows.map(({ number }) => widthOf(number, textSize))) + 4;
  const nameRoom = Math.min(room * 0.45, Math.max(0, ...rows.map(({ name }) => widthOf(name, textSize))) + 4);
  const barRoom = Math.min(160, room - nameRoom - numberRoom);
  const barLeft = nameRoom + numberRoom;
  const baseOf = (line: number): string => digits((line + 0.75) * rowHeight);
  const listed = rows.flatMap(({ name, number, share, depth }, i) => {
    const line = heads.length + i;
    return [
      `<text x="0" y="${baseOf(line)}">${escaped(shortened(name, nameRoom - 4, textSize))}</text>`,
      `<text x="${digits(barLeft - 4)}" y="${baseOf(line)}" text-anchor="end">${escaped(number)}</text>`,
      box({ x: barLeft, y: line * rowHeight + 1.5, width: barRoom * share, height: rowHeight - 3 }, ramp.colour(depth)),
    ];
  });
  const told = rest.flatMap((sentence) => wrapped(sentence, room, textSize));
  const svg = [
    `<g font-size="${textSize}" fill="${cssColour(paper.foreground)}">`,
    ...heads.map((line, i) => `<text x="0" y="${baseOf(i)}" font-weight="bold">${escaped(line)}</text>`),
    ...listed,
    ...told.map((line, i) => `<text x="0" y="${baseOf(heads.length + rows.length + i)}">${escaped(line)}</text>`),
    '</g>',
  ].join('\n');
  return figureSvg({ height: (heads.length + rows.length + told.length) * rowHeight, svg }, paper);
}
