import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { ExplorerError } from '../../base/errors';
import { nodeFileAccess } from '../../engine/files/nodeFileAccess.node';
import { formatBytes } from '../../model/fileLimits';
import { mostBytes } from '../../model/profile/leftOut';

/** A text that may be profiled. */
export interface CorpusItem {
  /** What it is called in the profile: its path as it was given, or the name that its line of JSON has; undefined: its hash. */
  readonly name: string | undefined;
  /** What its language is called: the ending of its file, or what its line says. */
  readonly language: string;
  /** Its bytes. Throws `fileTooLarge`, and `fileNotFound`, `fileUnreadable` and the like. */
  read(): Promise<Uint8Array>;
}

/** Where the texts are. */
export interface CorpusOptions {
  readonly files: readonly string[];
  /** A file with a path on each line; `-` is the standard input. */
  readonly filesFrom: string | undefined;
  /** A file with a text on each line, as a JSON string or an object with `text`, and `language` and `name` if it likes; `-` is the standard input. */
  readonly jsonl: string | undefined;
  /** The part `index` of `count` of the list: every so many-th. */
  readonly shard: { readonly index: number; readonly count: number };
}

/** The texts of a corpus, in the order in which they are given. Throws `wrongUsage`, and what reading a list throws. */
export async function* corpusItems({ files, filesFrom, jsonl, shard }: CorpusOptions): AsyncIterable<CorpusItem> {
  const ways = [files.length > 0, filesFrom !== undefined, jsonl !== undefined].filter(Boolean).length;
  if (ways !== 1)
    throw new ExplorerError('wrongUsage', [
      'profile',
      'it reads FILES, --files-from LIST or --jsonl TEXTS, one of them',
    ]);
  let index = 0;
  const isOurs = (): boolean => index++ % shard.count === shard.index;
  if (jsonl !== undefined) {
    for await (const line of linesOf(jsonl)) if (line.trim() !== '' && isOurs()) yield jsonItem(line);
    return;
  }
  for await (const path of filesFrom === undefined ? files : linesOf(filesFrom))
    if (path !== '' && isOurs()) yield fileItem(path);
}

function fileItem(path: string): CorpusItem {
  return {
    name: path,
    language: extname(path).slice(1),
    async read() {
      const stats = await stat(path).catch(() => undefined);
      if (stats?.isFile() === true && stats.size > mostBytes)
        throw new ExplorerError('fileTooLarge', [path, formatBytes(stats.size), formatBytes(mostBytes)]);
      return nodeFileAccess.read(path, 'text');
    },
  };
}

function jsonItem(line: string): CorpusItem {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    given = undefined;
  }
  const object: object = typeof given === 'object' && given !== null ? given : { text: given };
  const field = (name: string): string | undefined => {
    const value: unknown = Reflect.get(object, name);
    return typeof value === 'string' ? value : undefined;
  };
  const text = field('text');
  return {
    name:
      field('name') ?? (text === undefined ? `sha256:${createHash('sha256').update(line).digest('hex')}` : undefined),
    language: field('language') ?? extname(field('name') ?? '').slice(1),
    read: () =>
      text === undefined
        ? Promise.reject(new ExplorerError('fileUnreadable', ['a line', 'it is no JSON with a text']))
        : Promise.resolve(new TextEncoder().encode(text)),
  };
}

/** The lines of a file, or of the standard input, without their ends. Throws `fileUnreadable`. */
async function* linesOf(path: string): AsyncIterable<string> {
  const stream: AsyncIterable<Buffer> = path === '-' ? process.stdin : createReadStream(path); // no encoding is set
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const bytes of stream) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.replace(/\r$/, '');
    }
  } catch (error) {
    throw new ExplorerError(
      'fileUnreadable',
      [path, error instanceof Error && 'code' in error ? String(error.code) : String(error)],
      {
        cause: error,
      },
    );
  }
  if (rest !== '') yield rest.replace(/\r$/, '');
}
