import { plain } from '../../base/safeText';
import { cssColour, type Rgb } from '../ramp';

/** What a figure is drawn on, and what it says of itself. */
export interface Paper {
  readonly background: Rgb;
  readonly foreground: Rgb;
  /** The width of the figure. */
  readonly millimetres: number;
  /** Lines below the figure. */
  readonly caption: readonly string[];
}

/** A part of a figure, in points (1/72 inch) from its own upper left corner. */
export interface Drawing {
  readonly height: number;
  readonly svg: string;
}

/** Widths of papers of one column and of two, in millimetres. */
export const [oneColumn, twoColumns] = [85, 174] as const;

/** So many cells are shapes of their own; of more, all are one picture in the figure. */
export const mostVectorCells = 10_000;

/** Sizes of letters in points. */
export const [labelSize, textSize] = [6, 7.5] as const;

/** Fonts that are there, or have a like, wherever a figure is opened. */
export const fonts = {
  fixed: 'Consolas, Menlo, DejaVu Sans Mono, monospace',
  plain: 'Arial, Helvetica, DejaVu Sans, sans-serif',
} as const;

const margin = 3;

/** The width that a paper has for a figure, in points. */
export function roomOf({ millimetres }: Pick<Paper, 'millimetres'>): number {
  return (millimetres / 25.4) * 72 - 2 * margin;
}

/** A drawing as an SVG file, with its caption below. */
export function figureSvg(drawing: Drawing, paper: Paper): string {
  const { background, foreground, millimetres, caption } = paper;
  const room = roomOf(paper);
  const width = room + 2 * margin;
  const lines = caption.flatMap((line) => wrapped(line, room, textSize, 'plain'));
  const lineHeight = textSize * 1.35;
  const top = margin + drawing.height + (lines.length === 0 ? 0 : 4);
  const height = top + lines.length * lineHeight + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${millimetres}mm" height="${digits((millimetres * height) / width)}mm" viewBox="0 0 ${digits(width)} ${digits(height)}" role="img">`,
    `<title>${escaped(caption[0] ?? '')}</title>`,
    `<rect width="100%" height="100%" fill="${cssColour(background)}"/>`,
    `<g transform="translate(${margin} ${margin})" font-family="${fonts.fixed}" font-size="${labelSize}" fill="${cssColour(foreground)}">`,
    `${drawing.svg}</g>`,
    `<g font-family="${fonts.plain}" font-size="${textSize}" fill="${cssColour(foreground)}">${lines
      .map((line, i) => `<text x="${margin}" y="${digits(top + (i + 0.8) * lineHeight)}">${escaped(line)}</text>`)
      .join('')}</g>`,
    '</svg>\n',
  ].join('\n');
}

/** Text as XML and HTML have it; what a file says is one line, and no markup. */
export function escaped(text: string): string {
  return plain(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A number as short as it can be without being seen. */
export function digits(value: number): string {
  return String(Number(value.toFixed(3)));
}

const isWide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** How wide a text is, about: every letter of a fixed font has one width, and signs of East Asia are square. */
export function widthOf(text: string, size: number, font: keyof typeof fonts = 'fixed'): number {
  let sum = 0;
  for (const character of text) sum += isWide.test(character) ? 1 : font === 'fixed' ? 0.6 : 0.53;
  return sum * size;
}

/** The beginning of a text that is no wider, with «…» for the rest. */
export function shortened(text: string, width: number, size: number, font: keyof typeof fonts = 'fixed'): string {
  const characters = Array.from(plain(text));
  if (widthOf(characters.join(''), size, font) <= width) return characters.join('');
  while (characters.length > 1 && widthOf(`${characters.join('')}…`, size, font) > width) characters.pop();
  return `${characters.join('')}…`;
}

/** A line in several where it is too long. */
export function wrapped(
  line: string,
  width: number,
  size: number,
  font: keyof typeof fonts = 'fixed',
): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && widthOf(longer, size, font) > width) {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  return [...lines, current];
}

/** A filled rectangle. */
export function box(
  { x, y, width, height }: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  fill: Rgb,
): string {
  return `<rect x="${digits(x)}" y="${digits(y)}" width="${digits(width)}" height="${digits(height)}" fill="${cssColour(fill)}"/>`;
}

/** The outline of a rectangle. */
export function frame(
  { x, y, width, height }: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  stroke: Rgb,
  thickness = 0.5,
): string {
  return `<rect x="${digits(x)}" y="${digits(y)}" width="${digits(width)}" height="${digits(height)}" fill="none" stroke="${cssColour(stroke)}" stroke-width="${thickness}"/>`;
}
