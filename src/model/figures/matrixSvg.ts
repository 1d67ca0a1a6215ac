import type { Pattern } from '../pattern';
import { cssColour, type Ramp } from '../ramp';
import { depthOf, signedDepthOf, type Scale } from '../viewState';
import { cellsSvg } from './cells';
import { digits, escaped, figureSvg, frame, labelSize, roomOf, shortened, widthOf, type Paper } from './paper';

/** How numbers become colours. */
export interface NumberColours {
  readonly scale: Scale;
  /** What full depth of colour stands for. */
  readonly ceiling: number;
  /** Numbers below this part of the ceiling are not drawn. */
  readonly threshold: number;
  readonly ramp: Pick<Ramp, 'colour' | 'text'>;
}

/** A matrix as a figure shows it. */
export interface MatrixFigure extends NumberColours {
  /** The numbers; of a large matrix the largest of each block. */
  readonly pattern: Pattern;
  /** So many queries and keys are one block; one where there are none. */
  readonly block?: number;
  /** The labels of all rows and columns. */
  readonly queries: readonly string[];
  readonly keys: readonly string[];
  /** Rows and columns of pinned tokens, which are outlined. */
  readonly pinned?: { readonly rows: readonly number[]; readonly columns: readonly number[] };
}

/** The largest cell, the tallest matrix and the most room for labels, in points. */
const [largestCell, tallest, mostLabel] = [16, 640, 72];

/** A matrix as an SVG file: text as text, cells as shapes while there are few enough, and what it shows below it. */
export function matrixSvg(figure: MatrixFigure, paper: Paper): string {
  const { pattern, block = 1, queries, keys, pinned } = figure;
  const [numQueries, numKeys] = [queries.length, keys.length];
  const room = roomOf(paper);
  const left = labelRoom(queries, room);
  const top = labelRoom(keys, room);
  const cell = Math.min(largestCell, (room - left) / Math.max(1, numKeys), tallest / Math.max(1, numQueries));
  const [width, height] = [numKeys * cell, numQueries * cell];
  const labels = [
    ...placed(queries, cell, left).map(
      ({ text, at }) => `<text x="${digits(left - 3)}" y="${digits(top + at)}" text-anchor="end">${text}</text>`,
    ),
    ...placed(keys, cell, top).map(
      ({ text, at }) =>
        `<text transform="translate(${digits(left + at)} ${digits(top - 3)}) rotate(-90)">${text}</text>`,
    ),
  ];
  const bands = [
    ...(pinned?.rows ?? []).map((row) => ({ x: left, y: top + row * cell, width, height: cell })),
    ...(pinned?.columns ?? []).map((column) => ({ x: left + column * cell, y: top, width: cell, height })),
  ].map((band) => frame(band, paper.foreground, 1));
  const svg = [
    `<g transform="translate(${digits(left)} ${digits(top)}) scale(${Number((cell * block).toPrecision(7))})" stroke="none">${cellsSvg(
      {
        columns: pattern.numKeys,
        rows: pattern.numQueries,
        depths: depthsOf(pattern, figure),
        ramp: figure.ramp,
      },
    )}</g>`,
    frame({ x: left, y: top, width, height }, paper.foreground),
    ...bands,
    `<g dominant-baseline="central" fill="${cssColour(paper.foreground)}">${labels.join('')}</g>`,
  ].join('\n');
  return figureSvg({ height: top + height, svg }, paper);
}

/** The depth of each number of a pattern, in [−1, 1]; those below the threshold are none. */
function depthsOf({ numQueries, numKeys, weights }: Pattern, colours: NumberColours): Float32Array {
  const { scale, ceiling, threshold } = colours;
  const depths = new Float32Array(weights.length);
  for (let query = 0, at = 0; query < numQueries; query++) {
    const row = weights.subarray(at, at + numKeys);
    const maximum = row.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    for (let key = 0; key < numKeys; key++, at++)
      if (Math.abs(row[key]) >= threshold * ceiling)
        depths[at] =
          row[key] < 0 ? signedDepthOf(row[key], scale, maximum, ceiling) : depthOf(row[key], scale, maximum, ceiling);
  }
  return depths;
}

/** The room that labels take beside a matrix. */
function labelRoom(labels: readonly string[], room: number): number {
  const widest = labels.reduce((most, label) => Math.max(most, widthOf(label, labelSize)), 0);
  return Math.min(mostLabel, room / 4, widest) + 4;
}

/** Labels where they stand, from the matrix's edge; where there is no room for all, every so many. */
function placed(
  labels: readonly string[],
  cell: number,
  room: number,
): readonly { readonly text: string; readonly at: number }[] {
  const step = Math.ceil((labelSize * 1.1) / cell);
  return labels.flatMap((label, i) =>
    i % step === 0 ? [{ text: escaped(shortened(label, room - 4, labelSize)), at: (i + 0.5) * cell }] : [],
  );
}
