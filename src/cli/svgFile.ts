import { ExplorerError } from '../base/errors';
import { plain, type PlainText } from '../base/safeText';
import { joinTerminal, line, type TerminalText } from '../base/terminalText';
import { checkWritable } from '../base/wholeFile.node';
import { oneColumn, type Paper } from '../model/figures/paper';
import { editorColours } from '../model/ramp';
import { readVersion } from './readVersion';
import { writeWhole } from './writeWhole';

/** Where a figure is written, and its width in millimetres as it was given. */
export interface SvgOut {
  readonly path: string;
  readonly width: string | undefined;
}

/** A figure that can be written. */
export interface CheckedSvg {
  readonly path: string;
  readonly millimetres: number;
}

/** Throws `wrongUsage` where a path or a width is none of an SVG, `fileNotWritten` where nothing can be written there. */
export async function checkSvgOut({ path, width }: SvgOut): Promise<CheckedSvg> {
  if (!path.toLowerCase().endsWith('.svg'))
    throw new ExplorerError('wrongUsage', ['--figure', 'its name ends in .svg']);
  const millimetres = millimetresOf(width);
  await checkWritable(path);
  return { path, millimetres };
}

/** Throws `wrongUsage`. */
export function millimetresOf(width: string | undefined): number {
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
 * Writes a figure, and resolves to what is told of that. Throws `fileNotWritten`.
 * @param notices sentences on what was read.
 */
export async function writeSvg(
  { path }: CheckedSvg,
  svg: string,
  notices: readonly PlainText[],
): Promise<TerminalText> {
  await writeWhole(path, new TextEncoder().encode(svg));
  return joinTerminal([
    ...notices.map((sentence) => line`${sentence}`),
    line`The figure was written to ${plain(path)}`,
  ]);
}
