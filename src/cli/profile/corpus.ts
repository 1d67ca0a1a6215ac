import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { ExplorerError } from '../../base/errors';
import { systemReason } from '../../base/systemReason';
import { checkIsFile, nodeFileAccess } from '../../engine/files/nodeFileAccess.node';
import { formatBytes } from '../../model/fileLimits';
import { mostBytes } from '../../model/profile/leftOut';

/** The most bytes of a line of a list: as many as a text that may be profiled has in JSON, each byte as an escape of six, and room for its name. */
export const mostLineBytes = 8 * mostBytes;

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

/** Throws `wrongUsage` where it is not told in one way where the texts are, and `fileNotFound` or `fileUnreadable` of a list. */
export async function checkCorpus({ files, filesFrom, jsonl }: Omit<CorpusOptions, 'shard'>): Promise<void> {
  if ([files.length > 0, filesFrom !== undefined, jsonl !== undefined].filter(Boolean).length !== 1)
    throw new ExplorerError('wrongUsage', [
      'profile',
      'it reads FILES, --files-from LIST or --jsonl TEXTS, one of them',
    ]);
  const list = filesFrom ?? jsonl ?? '-';
  if (list !== '-') await checkIsFile(list);
}

/** The texts of a corpus, in the order in which they are given. Throws `fileNotFound` or `fileUnreadable` of a list. */
export async function* corpusItems({ files, filesFrom, jsonl, shard }: CorpusOptions): AsyncIterable<CorpusItem> {
  let index = 0;
  const isOurs = (): boolean => index++ % shard.count === shard.index;
  if (jsonl !== undefined) {
    for await (const line of linesOf(jsonl))
      if (line?.trim() !== '' && isOurs()) yield line === undefined ? longItem : jsonItem(line);
    return;
  }
  for await (const path of filesFrom === undefined ? files : linesOf(filesFrom))
    if (path !== '' && isOurs()) yield path === undefined ? longItem : fileItem(path);
}

/** A line that nobody has read to its end. */
const longItem: CorpusItem = {
  name: undefined,
  language: '',
  read: () => {
    const most = formatBytes(mostLineBytes);
    return Promise.reject(new ExplorerError('fileTooLarge', ['a line', `more than ${most}`, most]));
  },
};

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

/** The lines of a file, or of the standard input, without their ends; undefined for one of more than {@link mostLineBytes}, which is not held. Throws `fileNotFound` or `fileUnreadable`. */
async function* linesOf(path: string): AsyncIterable<string | undefined> {
  if (path !== '-') await checkIsFile(path);
  const stream: AsyncIterable<Buffer> = // no encoding is set
    path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 2 ** 20 });
  const decoder = new TextDecoder();
  let pieces: Buffer[] = [];
  let length = 0;
  const add = (piece: Buffer): void => {
    length += piece.length;
    if (length <= mostLineBytes) pieces.push(piece);
    else pieces = [];
  };
  const end = (): string | undefined => {
    const line = length > mostLineBytes ? undefined : decoder.decode(Buffer.concat(pieces)).replace(/\r$/, '');
    [pieces, length] = [[], 0];
    return line;
  };
  try {
    for await (const bytes of stream) {
      let from = 0;
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
        add(bytes.subarray(from, at));
        yield end();
        from = at + 1;
      }
      add(bytes.subarray(from));
    }
  } catch (error) {
    throw new ExplorerError('fileUnreadable', [path, systemReason(error)], { cause: error });
  }
  if (length > 0) yield end();
}
