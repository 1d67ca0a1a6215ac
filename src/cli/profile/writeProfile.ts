import { join } from 'node:path';
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import { metricOf } from '../../model/metrics/metrics';
import { headNames, type HeadName } from '../../model/profile/headNames';
import { leftOutSentences } from '../../model/profile/leftOut';
import { decileNames, ProfileFold } from '../../model/profile/profileFold';
import { profileMetrics } from '../../model/profile/textRecord';
import { tokenClassSentences } from '../../model/profile/tokenClass';
import { relationSentences } from '../../model/relations/relation';
import { writeWhole } from '../writeWhole';
import { RecordReader, resultsPath, type FileResult, type ResultsIndex } from './results';

/** What a profile is of, for people. */
export interface ProfileSummary {
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

/** A row of the table of files. */
interface FileRow {
  readonly file: string;
  readonly hash: string | null;
  readonly language: string | null;
  readonly status: string;
  readonly reason: string | null;
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
  const table = (name: string, columnData: ColumnSource[]): Promise<void> =>
    writeWhole(join(folder, name), new Uint8Array(parquetWriteBuffer({ columnData, createdBy: 'attention-explorer' })));
  const metrics = fold.metricRows();
  await table('heads.parquet', [
    ...columns(metrics, { component: 'STRING', layer: 'INT32', head: 'INT32', metric: 'STRING', unit: 'STRING' }),
    ...columns(metrics, { count: 'INT64', mean: 'DOUBLE', variance: 'DOUBLE', uniform: 'DOUBLE' }),
    column('min', 'DOUBLE', metrics, ({ smallest }) => smallest),
    ...decileNames.map((name, i) => column(name, 'DOUBLE', metrics, ({ deciles }) => deciles[i])),
    column('max', 'DOUBLE', metrics, ({ largest }) => largest),
    column('histogram', 'JSON', metrics, ({ bins }) => bins),
  ]);
  const examples = metrics.flatMap((row) =>
    row.examples.map((example, i) => ({
      ...{ component: row.component, layer: row.layer, head: row.head, metric: row.metric, rank: i + 1 },
      ...{ value: example.value, hash: example.hash },
      ...Object.fromEntries(placeNames.map((name, at) => [name, example.place[at]])),
      text: example.text,
    })),
  );
  await table('examples.parquet', [
    ...columns(examples, { component: 'STRING', layer: 'INT32', head: 'INT32', metric: 'STRING', rank: 'INT32' }),
    ...columns(examples, { value: 'DOUBLE', hash: 'STRING' }),
    ...placeNames.map((name) => column(name, 'INT32', examples, (row) => Reflect.get(row, name))),
    ...(settings.texts ? columns(examples, { text: 'STRING' }) : []),
  ]);
  const relations = fold.relationRows();
  await table('relations.parquet', [
    ...columns(relations, { component: 'STRING', layer: 'INT32', head: 'INT32', language: 'STRING' }),
    ...columns(relations, { relation: 'STRING', queries: 'INT64', pairs: 'INT64' }),
    ...columns(relations, { share: 'DOUBLE', baseline: 'DOUBLE', ratio: 'DOUBLE' }),
  ]);
  const names = headNames(metrics, relations);
  await table('names.parquet', [
    ...columns(names, { component: 'STRING', layer: 'INT32', head: 'INT32', name: 'STRING', language: 'STRING' }),
    ...columns(names, { value: 'DOUBLE', baseline: 'DOUBLE', ratio: 'DOUBLE', leastValue: 'DOUBLE' }),
    ...columns(names, { leastRatio: 'DOUBLE' }),
  ]);
  const classes = fold.classRows();
  await table('classes.parquet', [
    ...columns(classes, { component: 'STRING', layer: 'INT32', head: 'INT32', from: 'STRING', to: 'STRING' }),
    ...columns(classes, { queries: 'INT64', share: 'DOUBLE', uniform: 'DOUBLE' }),
  ]);
  await table(
    'files.parquet',
    columns(rows, { file: 'STRING', hash: 'STRING', language: 'STRING', status: 'STRING', reason: 'STRING' }),
  );
  const counts: Record<string, number> = {};
  for (const { status } of [...rows].sort((a, b) => (a.status < b.status ? -1 : 1)))
    counts[status] = (counts[status] ?? 0) + 1;
  const { numTexts, numChunks, numTokens } = fold;
  const described = {
    ...settings,
    ...{ numTexts, numChunks, numTokens, files: counts },
    metrics: profileMetrics.map((id) => {
      const { title, definition, formula, source } = metricOf(id);
      return { id, title, definition, formula, source };
    }),
    relations: relationSentences,
    tokenClasses: tokenClassSentences,
    leftOut: leftOutSentences,
  };
  await writeWhole(join(folder, 'profile.json'), Buffer.from(`${JSON.stringify(described, undefined, 2)}\n`));
  return {
    numTexts,
    numChunks,
    numTokens,
    files: counts,
    names,
    leftOut: rows.filter(({ status }) => status !== 'read'),
  };
}

const placeNames = ['line', 'column', 'endLine', 'endColumn', 'tokens'] as const;

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

type ColumnType = 'STRING' | 'JSON' | 'INT32' | 'INT64' | 'DOUBLE';

/** Columns that are called as fields of the rows are. */
function columns<Row extends object>(
  rows: readonly Row[],
  types: { readonly [Name in keyof Row]?: ColumnType },
): ColumnSource[] {
  return Object.entries(types).map(([name, type]) =>
    column(name, type as ColumnType, rows, (row): unknown => Reflect.get(row, name)),
  );
}

/** A column; what is no number is nothing. */
function column<Row>(
  name: string,
  type: ColumnType,
  rows: readonly Row[],
  valueOf: (row: Row) => unknown,
): ColumnSource {
  const data = rows.map((row) => {
    const value = valueOf(row);
    if (value === undefined || Number.isNaN(value)) return null;
    return type === 'INT64' ? BigInt(value as number) : value; // a count
  });
  return { name, type, data };
}
