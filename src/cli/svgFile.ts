import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { joinTerminal, line, type TerminalText } from '../base/terminalText';
import { checkWritable } from '../base/wholeFile.node';
import { oneColumn, type Paper } from '../model/figures/paper';
import { editorColours } from '../model/ramp';
import { drawInBrowser, findBrowser, type BrowserDrawing } from './drawInBrowser';
import { readVersion } from './readVersion';
import { writeWhole } from './writeWhole';

/** Where a figure is written, its width in millimetres, and how many times as large as on a screen a PNG is, as they were given. */
export interface SvgOut {
  readonly path: string;
  readonly width: string | undefined;
  readonly times: string | undefined;
}

/** A figure that can be written. */
export interface CheckedSvg {
  readonly path: string;
  readonly ending: string;
  readonly millimetres: number;
  /** Who draws it, where it is no SVG. */
  readonly drawing: BrowserDrawing | undefined;
}

/**
 * Throws `wrongUsage` where a path or a number is none of a figure, `fileNotWritten` where nothing can be written there, and `browserNotDrawn` where
 * nothing on this machine draws a PNG or PDF.
 */
export async function checkSvgOut(
  { path, width, times }: SvgOut,
  endings: readonly string[] = ['svg', 'png', 'pdf'],
): Promise<CheckedSvg> {
  const ending = /[^.]*$/.exec(path.toLowerCase())?.[0] ?? '';
  if (!endings.includes(ending) || !path.includes('.'))
    throw new ExplorerError('wrongUsage', ['--figure', `its name ends in .${endings.join(', .')}`]);
  const millimetres = millimetresOf(width);
  const factor = timesOf(times, ending);
  await checkWritable(path);
  const drawing =
    ending === 'png' || ending === 'pdf'
      ? ({ kind: ending, browser: findBrowser(), times: factor } as const)
      : undefined;
  return { path, ending, millimetres, drawing };
}

/** Throws `wrongUsage`. */
function timesOf(times: string | undefined, ending: string): number {
  if (times === undefined) return 2;
  if (ending !== 'png') throw new ExplorerError('wrongUsage', ['--scale', 'it is of a PNG']);
  if (!['1', '2', '4'].includes(times)) throw new ExplorerError('wrongUsage', ['--scale', 'it is 1, 2 or 4']);
  return Number(times);
}

/** Throws `wrongUsage`. */
function millimetresOf(width: string | undefined): number {
  const millimetres = width === undefined ? oneColumn : Number(width);
  if (millimetres >= 20 && millimetres <= 1000) return millimetres;
  throw new ExplorerError('wrongUsage', ['--width', 'it is a number of millimetres, from 20 to 1000']);
}

/** A light page with a caption, whose last line is told with our version. */
export function paperOf(
  { millimetres }: Pick<CheckedSvg, 'millimetres'>,
  [first, ...others]: readonly string[],
): Paper {
  return {
    ...editorColours.light,
    millimetres,
    caption: [first, [...others, `Attention Explorer ${readVersion()}`].join(' · ')],
  };
}

/**
 * Writes a figure, and resolves to what is told of that. Throws `fileNotWritten`, `browserNotDrawn`.
 * @param notices sentences on what was read.
 */
export async function writeSvg(
  { path, drawing }: CheckedSvg,
  svg: string,
  notices: readonly PlainText[],
): Promise<TerminalText> {
  await writeWhole(path, drawing === undefined ? new TextEncoder().encode(svg) : await drawInBrowser(svg, drawing));
  return joinTerminal([
    ...notices.map((sentence) => line`${sentence}`),
    line`The figure was written to ${plain(path)}`,
  ]);
}
