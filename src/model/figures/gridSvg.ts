import { headLabel, type HeadRef } from '../head';
import type { Ramp } from '../ramp';
import { cellsSvg } from './cells';
import { digits, figureSvg, frame, labelSize, mostVectorCells, roomOf, type Paper } from './paper';

/** All heads of a component as a figure shows them: layers as rows. */
export interface GridFigure {
  /** Number of heads of each layer. */
  readonly numHeads: readonly number[];
  /** The size of each head's picture. */
  readonly rows: number;
  readonly columns: number;
  /** The depth of every cell of every head, in reading order, in [−1, 1]. */
  readonly depths: Float32Array;
  readonly ramp: Pick<Ramp, 'colour'>;
  /** The heads that are shown. */
  readonly selected: readonly HeadRef[];
}

const [left, top, gap, largestTile] = [14, 9, 2, 60];

/** All heads side by side as an SVG file. */
export function gridSvg({ numHeads, rows, columns, depths, ramp, selected }: GridFigure, paper: Paper): string {
  const most = Math.max(1, ...numHeads);
  const tile = Math.min(largestTile, (roomOf(paper) - left) / most - gap);
  const step = tile + gap;
  const isSelected = new Set(selected.map(headLabel));
  const places = numHeads.flatMap((count, layer) =>
    Array.from({ length: count }, (_, head) => ({ layer, head, x: left + head * step, y: top + layer * step })),
  );
  const scale = `scale(${Number((tile / columns).toPrecision(7))} ${Number((tile / rows).toPrecision(7))})`;
  const isMuch = depths.reduce((count, depth) => count + (depth === 0 ? 0 : 1), 0) > mostVectorCells;
  const drawn = isMuch
    ? wholeGrid({ numHeads, rows, columns, depths, ramp }, { tile, gap })
    : places
        .map(
          ({ x, y }, i) =>
            `<g transform="translate(${digits(x)} ${digits(y)}) ${scale}">${cellsSvg({ columns, rows, depths: depths.subarray(i * rows * columns, (i + 1) * rows * columns), ramp })}</g>`,
        )
        .join('\n');
  const frames = places.map(({ layer, head, x, y }) =>
    frame(
      { x, y, width: tile, height: tile },
      paper.foreground,
      isSelected.has(headLabel({ layer, head })) ? 1.5 : 0.25,
    ),
  );
  const every = Math.ceil((labelSize * 1.2) / step);
  const numbers = [
    ...numHeads.map((_, layer) => [left - 3, top + layer * step + tile / 2 + 2, 'end', layer] as const),
    ...Array.from({ length: most }, (_, head) => [left + head * step + tile / 2, top - 2.5, 'middle', head] as const),
  ].filter(([, , , number]) => number % every === 0);
  const labels = numbers.map(
    ([x, y, anchor, number]) => `<text x="${digits(x)}" y="${digits(y)}" text-anchor="${anchor}">${number}</text>`,
  );
  return figureSvg({ height: top + numHeads.length * step, svg: [drawn, ...frames, ...labels].join('\n') }, paper);
}

/** The whole grid as one picture: as many heads, it would be as many pictures. */
function wholeGrid(
  { numHeads, rows, columns, depths, ramp }: Omit<GridFigure, 'selected'>,
  { tile, gap: between }: { readonly tile: number; readonly gap: number },
): string {
  // A gap is so many cells that the pictures lie nearly where their frames are; what is left is put right by the scale.
  const [gapColumns, gapRows] = [columns, rows].map((cells) => Math.max(1, Math.round((between / tile) * cells)));
  const width = Math.max(...numHeads) * (columns + gapColumns);
  const whole = new Float32Array(width * numHeads.length * (rows + gapRows));
  let from = 0;
  numHeads.forEach((count, layer) => {
    for (let head = 0; head < count; head++)
      for (let row = 0; row < rows; row++, from += columns)
        whole.set(
          depths.subarray(from, from + columns),
          (layer * (rows + gapRows) + row) * width + head * (columns + gapColumns),
        );
  });
  const [x, y] = [columns + gapColumns, rows + gapRows].map((cells) =>
    Number(((tile + between) / cells).toPrecision(7)),
  );
  return `<g transform="translate(${left} ${top}) scale(${x} ${y})">${cellsSvg({ columns: width, rows: numHeads.length * (rows + gapRows), depths: whole, ramp })}</g>`;
}
