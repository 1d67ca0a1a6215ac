import { plain } from '../../base/safeText';
import type { Pattern } from '../pattern';
import { cssColour, type Ramp, type Rgb } from '../ramp';
import { depthOf, type Scale } from '../viewState';
import { palettePng } from './palettePng';

/** A matrix as a figure shows it. */
export interface MatrixFigure {
  readonly pattern: Pattern;
  readonly queries: readonly string[];
  readonly keys: readonly string[];
  /** What the figure says of itself, below the matrix. */
  readonly caption: readonly string[];
  readonly scale: Scale;
  /** What full depth of colour stands for. */
  readonly ceiling: number;
  /** Numbers below this part of the ceiling are not drawn. */
  readonly threshold: number;
  readonly ramp: Ramp;
  readonly background: Rgb;
  readonly foreground: Rgb;
  /** The width of the figure on paper. */
  readonly millimetres: number;
}

/** So many cells are shapes of their own; of more, all are one picture in the figure. */
export const mostVectorCells = 10_000;

/** Sizes in the figure's own units, of which a cell has ten where there are few. */
const cellUnits = 10;
const fewCells = 60;
const fontSize = 7;
const labelUnits = 60;
/** UTF-16 units of a label. */
const maxLabel = 16;
/** Fonts that are there, or have a like, wherever a figure is opened. */
const fonts = {
  label: 'Consolas, Menlo, DejaVu Sans Mono, monospace',
  caption: 'Arial, Helvetica, DejaVu Sans, sans-serif',
};

/** A matrix as an SVG file: text as text, cells as shapes while there are few enough, and what it shows below it. */
export function matrixSvg(figure: MatrixFigure): string {
  const { pattern, queries, keys, caption, background, foreground, millimetres } = figure;
  const { numQueries, numKeys } = pattern;
  const cell = cellUnits * Math.min(1, fewCells / Math.max(numQueries, numKeys));
  const [left, top] = [labelUnits, labelUnits];
  const [width, height] = [Math.max(left + numKeys * cell, 240) + 4, top + numQueries * cell];
  const lines = caption.flatMap((line) => wrapped(line, Math.floor(width / (fontSize * 0.52))));
  const whole = height + 6 + lines.length * fontSize * 1.4;
  const labels = [
    ...placed(queries, cell).map(
      ({ text, at }) => `<text x="${left - 3}" y="${number(top + at)}" text-anchor="end">${text}</text>`,
    ),
    ...placed(keys, cell).map(
      ({ text, at }) => `<text transform="translate(${number(left + at)} ${top - 3}) rotate(-90)">${text}</text>`,
    ),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${millimetres}mm" height="${number((millimetres * whole) / width)}mm" viewBox="0 0 ${number(width)} ${number(whole)}" role="img">`,
    `<title>${escaped(caption[0] ?? '')}</title>`,
    `<rect width="100%" height="100%" fill="${cssColour(background)}"/>`,
    `<g transform="translate(${left} ${top}) scale(${number(cell)})">${cells(figure)}</g>`,
    `<rect x="${left}" y="${top}" width="${number(numKeys * cell)}" height="${number(numQueries * cell)}" fill="none" stroke="${cssColour(foreground)}" stroke-width="0.5"/>`,
    `<g font-family="${fonts.label}" font-size="${fontSize}" fill="${cssColour(foreground)}" dominant-baseline="central">${labels.join('')}</g>`,
    `<g font-family="${fonts.caption}" font-size="${fontSize}" fill="${cssColour(foreground)}">${lines
      .map((line, i) => `<text x="2" y="${number(height + 6 + (i + 0.8) * fontSize * 1.4)}">${escaped(line)}</text>`)
      .join('')}</g>`,
    '</svg>\n',
  ].join('\n');
}

/** The cells, each one unit wide and high. */
function cells({ pattern, scale, ceiling, threshold, ramp }: MatrixFigure): string {
  const { numQueries, numKeys, weights } = pattern;
  const depths = new Uint8Array(weights.length);
  for (let query = 0, at = 0; query < numQueries; query++) {
    const row = weights.subarray(at, at + numKeys);
    const maximum = row.reduce((most, weight) => Math.max(most, weight), 0);
    for (let key = 0; key < numKeys; key++, at++)
      depths[at] = row[key] < threshold * ceiling ? 0 : Math.round(255 * depthOf(row[key], scale, maximum, ceiling));
  }
  const isDrawn = depths.reduce((count, depth) => count + (depth > 0 ? 1 : 0), 0);
  if (isDrawn > mostVectorCells) {
    const palette = Array.from({ length: 256 }, (_, i) => ramp.colour(i / 255));
    const png = base64(palettePng(numKeys, numQueries, depths, palette));
    return `<image width="${numKeys}" height="${numQueries}" preserveAspectRatio="none" style="image-rendering: pixelated" href="data:image/png;base64,${png}"/>`;
  }
  const shapes: string[] = [];
  for (const [at, depth] of depths.entries())
    if (depth > 0)
      shapes.push(
        `<rect x="${at % numKeys}" y="${Math.floor(at / numKeys)}" width="1" height="1" fill="${cssColour(ramp.colour(depth / 255))}"/>`,
      );
  return shapes.join('');
}

/** Labels where they stand, in the figure's units from the matrix's edge; where there is no room for all, every so many. */
function placed(labels: readonly string[], cell: number): readonly { readonly text: string; readonly at: number }[] {
  const step = Math.ceil((fontSize * 1.1) / cell);
  return labels.flatMap((label, i) =>
    i % step === 0 ? [{ text: escaped(shortened(label)), at: (i + 0.5) * cell }] : [],
  );
}

function shortened(label: string): string {
  const characters = Array.from(label);
  return characters.length > maxLabel ? `${characters.slice(0, maxLabel - 1).join('')}…` : label;
}

/** A line in several where it is too long. */
function wrapped(line: string, most: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > most) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

/** Text as XML has it; what a file says is one line, and no markup. */
function escaped(text: string): string {
  return plain(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function number(value: number): string {
  return String(Number(value.toFixed(3)));
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648, 4. */
function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const three = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const four = [18, 12, 6, 0].map((shift) => digits[(three >> shift) & 63]).join('');
    const numLeft = bytes.length - at;
    parts.push(numLeft < 3 ? four.slice(0, numLeft + 1).padEnd(4, '=') : four);
  }
  return parts.join('');
}
