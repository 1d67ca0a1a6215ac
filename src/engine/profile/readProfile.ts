import { parquetMetadata, parquetSchema, type FileMetaData } from 'hyparquet';
import { readColumn } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getTreePath } from 'hyparquet/src/schema.js';
import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import { plain } from '../../base/safeText';
import { metricIds } from '../../model/metrics/metrics';
import { relationIds } from '../../model/relations/relation';
import { decileNames } from '../../model/profile/profileFold';
import type { HeadProfile, ProfileFile } from '../../model/profile/headProfile';
import { noDeadlines, type Deadlines } from '../limits/deadlines';
import { checkFooter, checkPages } from './parquetPages';
import { sumText } from './profileTables';

/** The most rows of a table of a profile. */
export const maxProfileRows = 2 ** 18;
/** The most bytes that a column of it unpacks to. */
export const maxProfileColumnBytes = 64 * 2 ** 20;

const index = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100_000));
const number = v.pipe(v.number(), v.finite());
const count = v.pipe(
  v.bigint(),
  v.minValue(0n),
  v.maxValue(2n ** 53n),
  v.transform((value) => Number(value)),
);
const head = {
  component: v.pipe(v.string(), v.regex(/^[a-z]{1,20}\d{0,2}$/)),
  layer: index,
  head: index,
};
const language = v.pipe(v.string(), v.regex(/^[a-z-]{0,40}$/));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const line = v.pipe(v.number(), v.integer(), v.minValue(1));
/** What is no number is nothing in a table. */
const orNone = v.pipe(
  v.nullable(number),
  v.transform((value) => value ?? NaN),
);

const tables = {
  heads: v.object({
    ...head,
    metric: v.picklist(metricIds),
    count,
    mean: number,
    uniform: number,
    min: number,
    max: number,
    ...Object.fromEntries(decileNames.map((name) => [name, number])),
  }),
  relations: v.object({
    ...head,
    ...{ language, relation: v.picklist(relationIds), queries: count, pairs: count },
    ...{ share: orNone, baseline: orNone, ratio: orNone },
  }),
  examples: v.object({
    ...head,
    ...{ metric: v.picklist(metricIds), rank: line, value: number, hash },
    ...{ line, column: line, endLine: line, endColumn: line },
  }),
  files: v.object({
    file: v.pipe(v.string(), v.maxLength(10_000)),
    hash: v.nullable(hash),
    language: v.nullable(language),
    status: v.string(),
  }),
};

const total = v.pipe(v.number(), v.integer(), v.minValue(0));
const about = v.object({
  format: v.literal(1),
  model: v.pipe(v.string(), v.maxLength(1000)),
  modelHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{0,64}$/)),
  length: total,
  numTexts: total,
  numChunks: total,
  numTokens: total,
  /** Check sums of the tables, which were not always there. */
  crc32: v.optional(v.record(v.string(), v.string())),
});

/** A profile from its files' bytes, of which nothing is believed; `folder` is what a person is told of it. Throws `profileInvalid`, and `tookTooLong` of a file that is made to last. */
export function readProfile(
  files: readonly ProfileFile[],
  folder: string,
  deadlines: Deadlines = noDeadlines,
): HeadProfile {
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return deadlines.run('readProfile', size, () => read(files, folder));
}

function read(files: readonly ProfileFile[], folder: string): HeadProfile {
  try {
    const bytesOf = (name: string): Uint8Array => {
      const found = files.find((file) => file.name === name);
      if (found === undefined) throw new RangeError(`it has no ${name}`);
      return found.bytes;
    };
    const {
      format: _,
      crc32: sums,
      ...known
    } = checked(about, jsonOf(bytesOf('profile.json')), 'profile.json is not what a profile has');
    const tableOf = (name: string): Uint8Array => {
      const bytes = bytesOf(name);
      if (sums?.[name] !== undefined && sums[name] !== sumText(bytes))
        throw new RangeError(`${name} is damaged: it does not have the check sum that profile.json says`);
      return bytes;
    };
    const rows = <Name extends keyof typeof tables>(name: Name): v.InferOutput<(typeof tables)[Name]>[] =>
      rowsOf(tables[name], tableOf(`${name}.parquet`), name);
    const [heads, relations, examples, texts] = [rows('heads'), rows('relations'), rows('examples'), rows('files')];
    return {
      about: known,
      metrics: heads.map((row) => ({
        ...{ component: row.component, layer: row.layer, head: row.head, metric: row.metric, count: row.count },
        ...{ mean: row.mean, uniform: row.uniform, smallest: row.min, largest: row.max },
        deciles: decileNames.map((name) => Reflect.get(row, name) as number), // the schema has it
      })),
      relations,
      examples,
      texts: texts.flatMap(({ file, hash: own, language: known_, status }) =>
        status === 'read' && own !== null ? [{ file, hash: own, language: known_ ?? '' }] : [],
      ),
    };
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    throw new ExplorerError('profileInvalid', [folder, error instanceof Error ? plain(error.message, 200) : 'broken'], {
      cause: error,
    });
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new RangeError('profile.json is no JSON');
  }
}

function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  otherwise: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  throw new RangeError(`${otherwise}: ${v.getDotPath(result.issues[0]) ?? ''}`);
}

/** The rows of a table. Throws RangeError, and what the library throws of a file that is none of its kind. */
function rowsOf<Schema extends v.GenericSchema & { readonly entries: object }>(
  schema: Schema,
  bytes: Uint8Array,
  name: string,
): v.InferOutput<Schema>[] {
  checkFooter(bytes);
  const file = Uint8Array.from(bytes).buffer;
  const metadata = parquetMetadata(file);
  if (metadata.num_rows > maxProfileRows) throw new RangeError(`${name}.parquet has more than ${maxProfileRows} rows`);
  const numRows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (numRows !== metadata.num_rows) throw new RangeError(`${name}.parquet has not as many rows as it says`);
  const chunks = metadata.row_groups.flatMap(({ columns }) => columns);
  for (const { meta_data: column } of chunks) {
    if (column === undefined) throw new RangeError(`${name}.parquet has a column elsewhere`);
    // What nobody wrote could unpack to anything.
    if (column.codec !== 'SNAPPY' && column.codec !== 'UNCOMPRESSED')
      throw new RangeError(`${name}.parquet is packed by ${column.codec}`);
    if (column.total_uncompressed_size > maxProfileColumnBytes || column.num_values > BigInt(maxProfileRows))
      throw new RangeError(`a column of ${name}.parquet is too large`);
  }
  const columns = Object.keys(schema.entries);
  const found = new Set(metadata.schema.map((element) => element.name));
  const missing = columns.find((column) => !found.has(column));
  if (missing !== undefined) throw new RangeError(`${name}.parquet has no column ${missing}`);
  const values = columns.map((column) => valuesOf(file, metadata, column));
  const rows = Array.from({ length: Number(numRows) }, (_, at) =>
    Object.fromEntries(columns.map((column, i) => [column, values[i][at]])),
  );
  return rows.map((row) => checked(schema, row, `a row of ${name}.parquet is not what it should be`));
}

/** All values of a column: the library's own reading of it, in one piece, which can be ended. */
function valuesOf(file: ArrayBuffer, metadata: FileMetaData, name: string): unknown[] {
  const schemaPath = getTreePath(parquetSchema(metadata), [name]);
  const values: unknown[] = [];
  for (const { columns, num_rows: numRows } of metadata.row_groups) {
    const column = columns.find(({ meta_data: each }) => each?.path_in_schema.join('.') === name)?.meta_data;
    if (column === undefined) throw new RangeError(`a part of the file has no column ${name}`);
    const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
    const view = new DataView(file, start, Number(column.total_compressed_size));
    const { element } = schemaPath[schemaPath.length - 1];
    checkPages(new Uint8Array(file, start, view.byteLength), column, element.repetition_type === 'OPTIONAL', {
      maxValues: Number(numRows),
      maxBytes: maxProfileColumnBytes,
    });
    const { data } = readColumn(
      { view, offset: 0 },
      { groupStart: 0, groupRows: Number(numRows), selectStart: 0, selectEnd: Number(numRows) },
      {
        ...column,
        pathInSchema: [name],
        element,
        schemaPath,
        parsers: DEFAULT_PARSERS,
      },
    );
    for (const page of data) for (let at = 0; at < page.length; at++) values.push(page[at]);
  }
  return values;
}
