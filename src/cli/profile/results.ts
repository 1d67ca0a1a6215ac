import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import { leftOutReasons } from '../../model/profile/leftOut';
import type { TextRecord } from '../../model/profile/textRecord';
import { parseRecord, recordStart } from './recordLine';

/** What results are made by; those of one profile are all by the same. */
export interface ProfileSettings {
  /** The form of the results. */
  readonly format: 1;
  readonly model: string;
  /** What tells the model's files from others, as the editor has it; see the engine's `modelHash`. */
  readonly modelHash: string;
  readonly backend: string;
  /** The most tokens of a chunk, special ones included. */
  readonly length: number;
  /** Lines that a chunk repeats of the one before. */
  readonly overlapLines: number;
  /** Whether examples have their texts with them. */
  readonly texts: boolean;
}

const settingsSchema = v.object({
  format: v.literal(1),
  model: v.string(),
  modelHash: v.string(),
  backend: v.string(),
  length: v.number(),
  overlapLines: v.number(),
  texts: v.boolean(),
});

const fileSchema = v.object({
  file: v.string(),
  /** Of a file that was read. */
  key: v.optional(v.string()),
  leftOut: v.optional(v.picklist(leftOutReasons)),
  reason: v.optional(v.string()),
});

/** What became of a file: the key of its text, or why it was left out. */
export type FileResult = v.InferOutput<typeof fileSchema>;

/** Where a line stands in a file of results. */
interface LinePlace {
  readonly path: string;
  readonly start: number;
  readonly length: number;
}

/** What is in files of results, and where: the results themselves are read one by one. */
export interface ResultsIndex {
  readonly settings: ProfileSettings;
  /** Of each text, by its key, the lines with what the model did. */
  readonly records: ReadonlyMap<string, readonly LinePlace[]>;
  readonly files: readonly FileResult[];
}

/** The results in a profile's folder. */
export function resultsPath(folder: string): string {
  return join(folder, 'results.jsonl');
}

/** A longer line is none of ours, in bytes. */
export const longestLine = 2 ** 28;

/** Reads what is in profiles. Throws `profileInvalid`, and `profileOther` where they are not by the same settings. */
export async function indexResults(folders: readonly string[]): Promise<ResultsIndex> {
  let settings: ProfileSettings | undefined;
  const records = new Map<string, LinePlace[]>();
  const files: FileResult[] = [];
  for (const folder of folders) {
    const path = resultsPath(folder);
    const own = new Map<string, FileResult>();
    let isFirst = true;
    for await (const { line, start, length } of readLines(folder)) {
      if (isFirst) {
        const found = parse(folder, line, settingsSchema);
        checkSettings(folder, (settings ??= found), found);
        isFirst = false;
      } else if (line.startsWith(recordStart)) {
        const key = line.slice(recordStart.length, line.indexOf('"', recordStart.length));
        const places = records.get(key);
        if (places === undefined) records.set(key, [{ path, start, length }]);
        else places.push({ path, start, length });
      } else {
        const file = parse(folder, line, fileSchema);
        // A file that was changed since it was first read is what it was last.
        own.set(file.key !== undefined && file.file === '' ? file.key : file.file, file);
      }
    }
    if (isFirst) throw new ExplorerError('profileInvalid', [folder, 'its results are empty']);
    files.push(...own.values());
  }
  if (settings === undefined) throw new ExplorerError('wrongUsage', ['--merge', 'name at least one profile']);
  return { settings, records, files };
}

/** Throws `profileOther` where settings are not the same. */
function checkSettings(folder: string, wanted: ProfileSettings, found: ProfileSettings): void {
  for (const name of ['model', 'modelHash', 'backend', 'length', 'overlapLines', 'texts'] as const)
    if (wanted[name] !== found[name])
      throw new ExplorerError('profileOther', [
        folder,
        `${name} is ${String(found[name])}, not ${String(wanted[name])}`,
      ]);
}

function parse<T>(folder: string, line: string, schema: v.GenericSchema<unknown, T>): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const parsed = v.safeParse(schema, value);
  if (!parsed.success)
    throw new ExplorerError('profileInvalid', [folder, `a line is not what it should be: ${line.slice(0, 40)}`]);
  return parsed.output;
}

/** A line of a file of results, and where it stands. */
interface ReadLine {
  readonly line: string;
  readonly start: number;
  readonly length: number;
}

/** The whole lines of a profile's results; one that was not finished when its process ended is none. Throws `profileInvalid`. */
async function* readLines(folder: string): AsyncIterable<ReadLine> {
  const file = await openResults(folder, 'r');
  try {
    let start = 0;
    let pieces: Buffer[] = [];
    let length = 0;
    for await (const bytes of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
        pieces.push(bytes.subarray(from, at));
        length += at - from;
        yield { line: Buffer.concat(pieces).toString(), start, length };
        start += length + 1;
        [pieces, length, from] = [[], 0, at + 1];
      }
      pieces.push(bytes.subarray(from));
      length += bytes.length - from;
      if (length > longestLine)
        throw new ExplorerError('profileInvalid', [folder, 'a line of its results does not end']);
    }
  } finally {
    await file.close();
  }
}

async function openResults(folder: string, flags: string): Promise<FileHandle> {
  const path = resultsPath(folder);
  try {
    // Opening a pipe would wait for whoever writes to it.
    if (flags.startsWith('r') && !(await stat(path)).isFile())
      throw new ExplorerError('profileInvalid', [folder, 'its results.jsonl is no file']);
    return await open(path, flags);
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ExplorerError('profileInvalid', [folder, code === 'ENOENT' ? 'it has no results.jsonl' : code], {
      cause: error,
    });
  }
}

/** Reads records by their places. */
export class RecordReader {
  readonly #files = new Map<string, FileHandle>();

  /** Hands over what the model did over a text, and gives its line: of several that differ, as on other processors, that which sorts first. Throws `profileInvalid`, also where it is not taken (RangeError). */
  async read(places: readonly LinePlace[], take: (record: TextRecord) => void): Promise<string> {
    const lines: string[] = [];
    for (const { path, start, length } of places) {
      let file = this.#files.get(path);
      if (file === undefined) this.#files.set(path, (file = await open(path)));
      const bytes = Buffer.alloc(length);
      await file.read(bytes, 0, length, start);
      lines.push(bytes.toString());
    }
    const [line] = [...lines].sort();
    try {
      take(parseRecord(line));
      return line;
    } catch (error) {
      throw new ExplorerError(
        'profileInvalid',
        [
          dirname(places[lines.indexOf(line)].path),
          error instanceof RangeError ? error.message : 'a result is no JSON',
        ],
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }
}

/** Adds results to a profile's folder, each whole. */
export class ResultsWriter {
  readonly #file: FileHandle;
  readonly known: ResultsIndex | undefined;

  private constructor(file: FileHandle, known: ResultsIndex | undefined) {
    this.#file = file;
    this.known = known;
  }

  /** Begins a profile, or goes on with one by the same settings. Throws `profileInvalid`, `profileOther`. */
  static async open(folder: string, settings: ProfileSettings, hasResults: boolean): Promise<ResultsWriter> {
    if (!hasResults) {
      const file = await openResults(folder, 'wx');
      await file.appendFile(`${JSON.stringify(settings)}\n`);
      return new ResultsWriter(file, undefined);
    }
    const known = await indexResults([folder]);
    checkSettings(folder, settings, known.settings);
    const file = await openResults(folder, 'r+');
    let end = 0;
    for await (const { start, length } of readLines(folder)) end = start + length + 1;
    await file.truncate(end);
    await file.close();
    return new ResultsWriter(await openResults(folder, 'a'), known);
  }

  async add(...lines: readonly string[]): Promise<void> {
    await this.#file.appendFile(lines.map((line) => `${line}\n`).join(''));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
