import { cssColour } from '../ramp';
import { digits, escaped, figureSvg, roomOf, textSize, wrapped, type Paper } from './paper';

/** Steps as a figure shows them, one below the other. */
export interface StepsFigure {
  readonly title: string;
  readonly steps: readonly {
    readonly title: string;
    readonly formula: string;
    readonly sentence: string;
    /** A line for each array: its name, its shape and the first of its numbers. */
    readonly numbers: readonly string[];
  }[];
}

const rowHeight = textSize * 1.4;

/** How a weight came about as an SVG file: text alone. */
export function stepsSvg({ title, steps }: StepsFigure, paper: Paper): string {
  const room = roomOf(paper);
  const lines: string[] = [];
  let y = 0;
  const write = (text: string, indent: number, attributes = ''): void => {
    for (const line of text === '' ? [] : wrapped(text, room - indent, textSize)) {
      lines.push(`<text x="${indent}" y="${digits(y + rowHeight * 0.75)}"${attributes}>${escaped(line)}</text>`);
      y += rowHeight;
    }
  };
  write(title, 0, ' font-weight="bold"');
  steps.forEach((step, i) => {
    y += rowHeight / 3;
    write(`${i + 1}. ${step.title}`, 0, ' font-weight="bold"');
    write(step.sentence, 8);
    write(step.formula, 8, ' font-style="italic"');
    for (const line of step.numbers) write(line, 8);
  });
  return figureSvg(
    { height: y, svg: `<g font-size="${textSize}" fill="${cssColour(paper.foreground)}">${lines.join('\n')}</g>` },
    paper,
  );
}
