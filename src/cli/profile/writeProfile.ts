import { join } from 'node:path';
import { profileTables, type FileRow } from '../../engine/profile/profileTables';
import type { HeadName } from '../../model/profile/headNames';
import { ProfileFold } from '../../model/profile/profileFold';
import { writeWhole } from '../writeWhole';
import { RecordReader, resultsPath, type FileResult, type ProfileSettings, type ResultsIndex } from './results';

/** What a profile is of, for people. */
export interface ProfileSummary extends Pick<ProfileSettings, 'length' | 'overlapLines'> {
  readonly numTexts: number;
  readonly numChunks: number;
  readonly numTokens: number;
  /** Files by what became of them, `read` or why they were left out. */
  readonly files: Readonly<Record<string, number>>;
  /** Names of heads. */
  readonly names: readonly HeadName[];
  /** Files that were left out, each with why. */
  readonly leftOut: readonly FileRow[];
}

/**
 * Writes a profile into a folder, of results that may lie in several: texts in the order of their keys, whoever read them, so that the same
 * texts give the same bytes. Throws `profileInvalid`, `profileOther` and `fileNotWritten`.
 */
export async function writeProfile(
  folder: string,
  { settings, records, files }: ResultsIndex,
): Promise<ProfileSummary> {
  const rows = fileRows(files);
  const read = new Set(rows.filter(({ status }) => status === 'read').map(keyOf));
  const fold = new ProfileFold();
  const reader = new RecordReader();
  const lines = async function* (): AsyncIterable<Uint8Array> {
    yield Buffer.from(`${JSON.stringify(settings)}\n`);
    for (const key of [...records.keys()].sort()) {
      // What nobody names any more, as its file was changed since, does not count.
      if (!read.has(key)) continue;
      yield Buffer.from(`${await reader.read(records.get(key) ?? [], (record) => fold.add(record))}\n`);
    }
    for (const line of [...new Set(files.map((file) => JSON.stringify(file)))].sort()) yield Buffer.from(`${line}\n`);
  };
  try {
    await writeWhole(resultsPath(folder), lines());
  } finally {
    await reader.close();
  }
  const { files: tables, names, counts } = profileTables(fold, rows, settings);
  for (const { name, bytes } of tables) await writeWhole(join(folder, name), bytes);
  const { numTexts, numChunks, numTokens } = fold;
  return {
    numTexts,
    numChunks,
    numTokens,
    length: settings.length,
    overlapLines: settings.overlapLines,
    files: counts,
    names,
    leftOut: rows.filter(({ status }) => status !== 'read'),
  };
}

function keyOf({ hash, language }: FileRow): string {
  return language === null ? (hash ?? '') : `${hash ?? ''}:${language}`;
}

/** The files in the order of their names, each as it was read or left out; of those with the same text the first is read. */
function fileRows(files: readonly FileResult[]): FileRow[] {
  const seen = new Set<string>();
  const read = new Set<string>();
  return [...files]
    .sort((a, b) => compare(a.file, b.file) || compare(JSON.stringify(a), JSON.stringify(b)))
    .flatMap((result): FileRow[] => {
      const { file, key, leftOut, reason } = result;
      const own = JSON.stringify(result);
      if (seen.has(own)) return [];
      seen.add(own);
      if (key === undefined)
        return [{ file, hash: null, language: null, status: leftOut ?? 'unreadable', reason: reason ?? null }];
      const [hash, language = null] = key.split(':');
      const status = read.has(key) ? 'duplicate' : 'read';
      read.add(key);
      return [{ file, hash, language, status, reason: null }];
    });
}

/** By UTF-16 units, the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
