import { basename, join } from 'node:path';
import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { joinTerminal, jsonText, line, type TerminalText } from '../../base/terminalText';
import type { FileRow } from '../../engine/profile/profileTables';
import { headLabel } from '../../model/head';
import { counted } from '../counted';
import type { ProfileSummary } from './writeProfile';

/** Files that are listed with why they were left out; and those that are, where nothing else was there. */
const [mostListed, mostNamed] = [20, 3];

/** What a profile is of, for people. Throws `nothingToProfile` where nothing was read of which heads could do anything, unless it is a part of something larger. */
export function toldOf(
  out: string,
  summary: ProfileSummary,
  { isJson, isPart }: { readonly isJson: boolean; readonly isPart: boolean },
): TerminalText {
  if (summary.numChunks === 0 && !isPart) throw new ExplorerError('nothingToProfile', [whyNothing(out, summary)]);
  if (isJson) return jsonText({ profile: out, ...summary });
  const { numTexts, numChunks, numTokens, length, overlapLines, files, names, leftOut } = summary;
  const counts = Object.entries(files).map(([status, count]) => line`${plain(status)} ${count}`);
  return joinTerminal([
    line`${counted(numTexts, 'text')}, ${counted(numChunks, 'chunk')} of at most ${counted(length, 'token')} (overlap: ${counted(overlapLines, 'line')}), ${counted(numTokens, 'token')}, in ${plain(out)}`,
    line`files: ${counts.length === 0 ? line`none` : joinTerminal(counts, ', ')}`,
    ...leftOut.slice(0, mostListed).map((row) => line`  ${plain(row.file)}: ${plain(whyOf(row))}`),
    ...(leftOut.length > mostListed
      ? [line`  and ${leftOut.length - mostListed} more, in ${plain(basename(out))}/files.parquet`]
      : []),
    ...(names.length === 0
      ? [line`heads: none has a name by the thresholds`]
      : [
          line`heads, with value, baseline and ratio:`,
          ...names.map(
            (each) =>
              line`  ${plain(headLabel(each).padEnd(6))} ${plain(each.name)}${each.language === '' ? line`` : line` (${plain(each.language)})`}: ${plain(each.value.toFixed(2))}, ${plain(each.baseline.toFixed(3))}, ${plain(each.ratio.toFixed(1))}`,
          ),
        ]),
  ]);
}

function whyOf({ status, reason }: FileRow): string {
  return reason === null ? status : `${status} (${reason})`;
}

function whyNothing(out: string, { numTexts, files, leftOut }: ProfileSummary): string {
  if (numTexts > 0) return 'no text has two tokens; name files of text';
  if (leftOut.length === 0) return 'no text was given; name files, or a list that has some';
  if (leftOut.length <= mostNamed)
    return `${leftOut.map((row) => `${row.file} is ${whyOf(row)}`).join(', ')}; name files of text`;
  const counts = Object.entries(files).map(([status, count]) => `${status} ${count}`);
  return `of ${leftOut.length} files none was read (${counts.join(', ')}), and ${join(out, 'files.parquet')} says why of each; name files of text`;
}
