import { existsSync } from 'node:fs';
import { open, readFile, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { ExplorerError } from '../../base/errors';
import type { FolderLock } from '../../base/folderLock.node';
import { folderNotWritten } from '../../base/makeFolder.node';
import { systemReason } from '../../base/systemReason';
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
        // A copy: a part of a string holds all of it, and the lines are as long as everything that a model did over a text.
        const key = Buffer.from(line.slice(recordStart.length, line.indexOf('"', recordStart.length))).toString();
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
export function checkSettings(folder: string, wanted: ProfileSettings, found: ProfileSettings): void {
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

/** Opens the results of a profile. Throws `profileInvalid` where they cannot be read, and `folderNotWritten`. */
async function openResults(folder: string, flags: 'r' | 'r+' | 'a' | 'w'): Promise<FileHandle> {
  const path = resultsPath(folder);
  try {
    // Opening a pipe would wait for whoever writes to it.
    if (flags !== 'w' && !(await stat(path)).isFile())
      throw new ExplorerError('profileInvalid', [folder, 'its results.jsonl is no file']);
    return await open(path, flags);
  } catch (error) {
    if (error instanceof ExplorerError) throw error;
    if (flags !== 'r') throw folderNotWritten(folder, error);
    throw new ExplorerError('profileInvalid', [folder, systemReason(error, reasons)], { cause: error });
  }
}

/** Whether results are not there, or their process was ended while it wrote the first line. */
async function hasNotBegun(path: string, first: string): Promise<boolean> {
  if (!existsSync(path)) return true;
  const stats = await stat(path);
  if (!stats.isFile() || stats.size > Buffer.byteLength(first)) return false;
  const begun = await readFile(path, 'utf8').catch(() => undefined); // why is told by whoever reads all of it
  return begun !== undefined && first.startsWith(begun);
}

const reasons = {
  ENOENT: 'it has no results.jsonl',
  ENOTDIR: 'it is a file, and no folder',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
};

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

/** What a lock says is asked so often, in milliseconds: it is taken away only after much longer. */
const checkMilliseconds = 1000;

/** Adds results to a profile's folder, each whole, as long as no other process does. */
export class ResultsWriter {
  readonly #folder: string;
  readonly #file: FileHandle;
  readonly #lock: FolderLock;
  readonly known: ResultsIndex | undefined;
  #checked = -Infinity;

  private constructor(folder: string, file: FileHandle, lock: FolderLock, known?: ResultsIndex) {
    this.#folder = folder;
    this.#file = file;
    this.#lock = lock;
    this.known = known;
  }

  /** Begins a profile in a folder that is locked, or goes on with one by the same settings. Throws `profileInvalid`, `profileOther` and `folderNotWritten`. */
  static async open(folder: string, settings: ProfileSettings, lock: FolderLock): Promise<ResultsWriter> {
    const first = JSON.stringify(settings);
    if (await hasNotBegun(resultsPath(folder), first)) {
      const writer = new ResultsWriter(folder, await openResults(folder, 'w'), lock);
      await writer.add(first);
      return writer;
    }
    const known = await indexResults([folder]);
    checkSettings(folder, settings, known.settings);
    let end = 0;
    for await (const { start, length } of readLines(folder)) end = start + length + 1;
    const file = await openResults(folder, 'r+');
    await file.truncate(end);
    await file.close();
    return new ResultsWriter(folder, await openResults(folder, 'a'), lock, known);
  }

  /** Throws `folderTaken` and `folderNotWritten`. */
  async add(...lines: readonly string[]): Promise<void> {
    if (performance.now() - this.#checked > checkMilliseconds) {
      await this.#lock.check();
      this.#checked = performance.now();
    }
    try {
      await this.#file.appendFile(lines.map((line) => `${line}\n`).join(''));
    } catch (error) {
      throw folderNotWritten(this.#folder, error);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
