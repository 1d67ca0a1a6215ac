import { delay } from '../../base/delay';
import { ExplorerError } from '../../base/errors';
import { checkFileLimit } from '../../model/fileLimits';
import type { AttentionFileParams } from '../../protocol';
import { bytesOfFile, heldBytes, type FileBytes } from '../attentionFile/fileBytes';
import { AttentionFileReader, type FileAttention } from '../attentionFile/readAttentionFile';
import { baseName, type FileAccess } from '../files/fileAccess';
import type { BegunRun, Growth } from './growth';

/** Weights of a file that take no more are read at once. */
const mostAtOnce = 2 ** 24;
/** What has come is handed out no more often. */
const growthMilliseconds = 50;
/** A page that is just being opened has the processor for itself so long, once what it draws first is there: reading on would hold it up. */
const paintMilliseconds = 400;

/** How an attention file comes to be held. */
interface Opening {
  readonly begin: (begun: BegunRun) => Growth;
  /** Lets others have their turn. Throws the signal's reason. */
  readonly turn: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** An attention file as a run. */
type OpenedAttention = FileAttention & {
  readonly runId: number;
  readonly timings: { readonly load: number; readonly tokenize: number; readonly run: number };
};

/**
 * Opens an attention file as a run, one layer after another: what is looked at first is there before most of a large one is read. Throws
 * `attentionFileInvalid`, what reading a file throws, and the signal's reason.
 */
export async function openAttention(
  access: FileAccess,
  { path, bytes, isWhole }: AttentionFileParams,
  { begin, turn, signal }: Opening,
): Promise<OpenedAttention> {
  const started = performance.now();
  const file =
    bytes === undefined ? await openFile(access, path) : { bytes: heldBytes(bytes, access.crc32), close: () => {} };
  try {
    const reader = new AttentionFileReader(file.bytes, path, baseName(path));
    const load = performance.now() - started;
    const { model, picture, explanation } = reader;
    const growth = begin({ model, load, explanation, ...(picture === undefined ? {} : { picture }) });
    const grows = isWhole !== true && reader.bytesComing > mostAtOnce;
    for (let told = -Infinity; reader.numComing > 0;) {
      reader.readNext();
      if (grows && reader.numComing > 0 && performance.now() - told >= growthMilliseconds) {
        growth.take(reader.reading);
        // A file that knows its view may need more for that.
        if (told === -Infinity && explanation === undefined) await delay(paintMilliseconds);
        told = performance.now();
      }
      await turn();
    }
    const opened = reader.finish();
    signal.throwIfAborted();
    const runId = growth.end(opened, signal);
    return { ...opened, runId, timings: { load, tokenize: 0, run: performance.now() - started - load } };
  } finally {
    file.close();
  }
}

/** A file whose parts are read as they are needed, where this host has such, and it says how long it is; else all of it. */
async function openFile(
  access: FileAccess,
  path: string,
): Promise<{ readonly bytes: FileBytes; readonly close: () => void }> {
  const file = await access.open?.(path);
  try {
    if (file !== undefined && file.size > 0) {
      checkFileLimit('attention', path, file.size);
      const cutOff = (): Error =>
        new ExplorerError('attentionFileInvalid', [baseName(path), 'it was cut off while it was read']);
      return { bytes: bytesOfFile(file, cutOff, access.crc32), close: () => file.close() };
    }
  } catch (error) {
    file?.close();
    throw error;
  }
  file?.close();
  return { bytes: heldBytes(await access.read(path, 'attention'), access.crc32), close: () => {} };
}
