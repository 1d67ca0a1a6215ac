import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import { metricOf } from '../../model/metrics/metrics';
import { crc32 } from '../../model/numbers/zip';
import { headNames, type HeadName } from '../../model/profile/headNames';
import type { ProfileFile } from '../../model/profile/headProfile';
import { leftOutSentences } from '../../model/profile/leftOut';
import { decileNames, type ProfileFold } from '../../model/profile/profileFold';
import { profileMetrics } from '../../model/profile/textRecord';
import { tokenClassSentences } from '../../model/profile/tokenClass';
import { relationSentences } from '../../model/relations/relation';

/** A row of the table of files. */
export interface FileRow {
  readonly file: string;
  readonly hash: string | null;
  readonly language: string | null;
  readonly status: string;
  readonly reason: string | null;
}

/** The files of a profile, and what stands in them for people. */
export interface ProfileTables {
  readonly files: readonly ProfileFile[];
  readonly names: readonly HeadName[];
  /** Files by what became of them. */
  readonly counts: Readonly<Record<string, number>>;
}

/** The tables of a profile as Parquet, and what it is of, with the settings that made it, as JSON: the same bytes each time. */
export function profileTables(
  fold: ProfileFold,
  rows: readonly FileRow[],
  settings: { readonly texts: boolean },
): ProfileTables {
  const files: ProfileFile[] = [];
  const table = (name: string, columnData: ColumnSource[]): void => {
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData, createdBy: 'attention-explorer' }));
    files.push({ name, bytes });
  };
  const metrics = fold.metricRows();
  table('heads.parquet', [
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
  table('examples.parquet', [
    ...columns(examples, { component: 'STRING', layer: 'INT32', head: 'INT32', metric: 'STRING', rank: 'INT32' }),
    ...columns(examples, { value: 'DOUBLE', hash: 'STRING' }),
    ...placeNames.map((name) => column(name, 'INT32', examples, (row) => Reflect.get(row, name))),
    ...(settings.texts ? columns(examples, { text: 'STRING' }) : []),
  ]);
  const relations = fold.relationRows();
  table('relations.parquet', [
    ...columns(relations, { component: 'STRING', layer: 'INT32', head: 'INT32', language: 'STRING' }),
    ...columns(relations, { relation: 'STRING', queries: 'INT64', pairs: 'INT64' }),
    ...columns(relations, { share: 'DOUBLE', baseline: 'DOUBLE', ratio: 'DOUBLE' }),
  ]);
  const names = headNames(metrics, relations);
  table('names.parquet', [
    ...columns(names, { component: 'STRING', layer: 'INT32', head: 'INT32', name: 'STRING', language: 'STRING' }),
    ...columns(names, { value: 'DOUBLE', baseline: 'DOUBLE', ratio: 'DOUBLE', leastValue: 'DOUBLE' }),
    ...columns(names, { leastRatio: 'DOUBLE' }),
  ]);
  const classes = fold.classRows();
  table('classes.parquet', [
    ...columns(classes, { component: 'STRING', layer: 'INT32', head: 'INT32', from: 'STRING', to: 'STRING' }),
    ...columns(classes, { queries: 'INT64', share: 'DOUBLE', uniform: 'DOUBLE' }),
  ]);
  table(
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
    crc32: Object.fromEntries(files.map(({ name, bytes }) => [name, sumText(bytes)])),
    metrics: profileMetrics.map((id) => {
      const { title, definition, formula, source } = metricOf(id);
      return { id, title, definition, formula, source };
    }),
    relations: relationSentences,
    tokenClasses: tokenClassSentences,
    leftOut: leftOutSentences,
  };
  files.push({ name: 'profile.json', bytes: new TextEncoder().encode(`${JSON.stringify(described, undefined, 2)}\n`) });
  return { files, names, counts };
}

/** The check sum of a table's bytes, as `profile.json` has it. */
export const sumText = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, '0');

const placeNames = ['line', 'column', 'endLine', 'endColumn', 'tokens'] as const;

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
