import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { ExplorerError } from '../base/errors';
import { nodeFileAccess } from '../engine/files/nodeFileAccess.node';
import type { SelectedPlace, TextSpan } from '../model/contextWindow';

/** The text of a file, and the part of it that is meant. */
export interface FilePart {
  readonly text: string;
  /** Undefined: all of it. */
  readonly span: TextSpan | undefined;
}

/**
 * Reads a file that is named with the part of it that is meant: `FILE`, `FILE:line` (from one), `FILE:from-to` (lines, inclusive) or
 * `FILE:line:column-line:column` (columns from one, inclusive, in UTF-16 units). A file that is really called `FILE:line` goes before a line. Throws `binaryFile`, `invalidArgument` where there is
 * no such part, and what reading throws.
 */
export async function readFilePart(argument: string): Promise<FilePart> {
  const precise = /^(.*):(\d+):(\d+)-(\d+):(\d+)$/.exec(argument);
  const [, path = argument, from, to] =
    precise === null ? (linesOf(argument) ?? []) : [undefined, precise[1], precise[2], precise[4]];
  const bytes = await nodeFileAccess.read(path, 'text');
  if (bytes.subarray(0, 8192).includes(0)) throw new ExplorerError('binaryFile', [basename(path)]);
  const text = new TextDecoder().decode(bytes);
  if (from === undefined) return { text, span: undefined };
  const lines = lineSpans(text);
  const [first, last] = [lines[Number(from) - 1], lines[Math.min(Number(to), lines.length) - 1]];
  const span =
    first === undefined || last === undefined
      ? undefined
      : precise === null
        ? { start: first.start, end: last.end }
        : spanOf(lines, precise.slice(2).map(Number));
  if (span === undefined || span.start >= span.end)
    throw new ExplorerError('invalidArgument', [
      argument.slice(path.length + 1),
      `${basename(path)} does not have ${precise === null ? 'these lines' : 'this part'}`,
    ]);
  return { text, span };
}

/** The file and the first and the last line of what names a file with lines, after the whole of it. */
function linesOf(argument: string): readonly (string | undefined)[] | undefined {
  const found = /^(.*):(\d+)(?:-(\d+))?$/.exec(argument);
  if (found === null || (found[3] === undefined && existsSync(argument))) return undefined;
  const [whole, path, from, to = from] = found;
  return [whole, path, from, to];
}

/** The text that a file, or a part of one, has. Throws as {@link readFilePart}. */
export async function readWholePart(argument: string): Promise<string> {
  return meantOf(await readFilePart(argument));
}

/** What of a text is meant. */
export function meantOf({ text, span }: FilePart): string {
  return span === undefined ? text : text.slice(span.start, span.end);
}

function spanOf(
  lines: readonly TextSpan[],
  [fromLine, fromColumn, toLine, toColumn]: readonly number[],
): TextSpan | undefined {
  const [first, last] = [lines[fromLine - 1], lines[toLine - 1]];
  if (first === undefined || last === undefined || fromColumn < 1 || toColumn < 1) return undefined;
  return { start: first.start + fromColumn - 1, end: Math.min(last.end, last.start + toColumn) };
}

/** The lines of a text, their breaks included. */
function lineSpans(text: string): TextSpan[] {
  let start = 0;
  return text.split(/(?<=\n)/).map((line) => ({ start, end: (start += line.length) }));
}

/** Where a part stands in a text. */
export function placeInText(text: string, selection: TextSpan): SelectedPlace {
  const startOf = (offset: number): number => text.lastIndexOf('\n', offset - 1) + 1;
  const endFrom = (offset: number): number => {
    const at = text.indexOf('\n', offset);
    if (at < 0) return text.length;
    return at > 0 && text[at - 1] === '\r' && at > offset ? at - 1 : at;
  };
  return {
    selection,
    firstLineStart: selection.start === 0 ? 0 : startOf(selection.start),
    // A part of whole lines ends at the start of the next one.
    lastLineEnd: text[selection.end - 1] === '\n' ? selection.end : endFrom(selection.end),
    documentLength: text.length,
    lineStartFrom: (offset) => {
      if (offset <= 0 || text[offset - 1] === '\n') return Math.max(0, offset);
      const at = text.indexOf('\n', offset);
      return at < 0 ? text.length : at + 1;
    },
    lineEndUntil: (offset) => {
      const start = offset <= 0 ? 0 : startOf(offset);
      const end = endFrom(start);
      return end <= offset ? end : start === 0 ? 0 : endFrom(startOf(start - 1));
    },
  };
}

/** The number of the line, from one, that an offset of a text is in. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
