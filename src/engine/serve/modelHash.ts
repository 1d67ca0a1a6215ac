import { fileLimits } from '../../model/fileLimits';
import type { FileAccess } from '../files/fileAccess';
import { modelAccess, type ModelPlace } from '../files/modelAccess';
import { externalDataPath, weightFilesOf } from '../files/modelFiles';
import { resolveModel } from '../folder/modelFolder';

/** SHA-256 of bytes that come one after the other, in hexadecimal digits. */
export type Sha256 = (blocks: Iterable<Uint8Array<ArrayBuffer>>) => Promise<string>;

const blockBytes = 2 ** 24;
/** Of a larger file of weights so many blocks are read, evenly from its first to its last bytes. */
const [sampledBlocks, sampledBytes] = [256, 2 ** 16];

/** A file, or all of its bytes. */
interface Readable {
  readonly size: number;
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/**
 * What tells a model from another at its path: SHA-256 over the bytes of its ONNX files, of its tokenizer, and of the weights that lie in files of their
 * own; of such a file with more than 16 MiB its size and 256 blocks of 64 KiB, as it may have gigabytes, which are read each time that an explanation is
 * opened: another training has other weights everywhere. Throws `modelNotFound` and what reading its files throws.
 */
export async function modelHash(
  files: FileAccess,
  place: ModelPlace,
  sha256: Sha256,
  signal: AbortSignal,
): Promise<string> {
  const access = await modelAccess(files, place);
  const { modelPath, encoderPath, embeddingPath, visionPath, tokenizerPath } = await resolveModel(
    access,
    place.path,
    place.tokenizerPath,
  );
  const digests: string[] = [];
  const add = async (path: string, kind: 'model' | 'weights'): Promise<void> => {
    signal.throwIfAborted();
    const opened = await access.open?.(path);
    try {
      const file = opened ?? held(await access.read(path, kind));
      digests.push(await sha256(kind === 'weights' ? samplesOf(file) : blocksOf(file)));
    } finally {
      opened?.close();
    }
  };
  for (const path of [modelPath, encoderPath, embeddingPath, visionPath]) {
    if (path === undefined) continue;
    await add(path, 'model');
    for (const location of await weightFilesOf(access, path)) await add(externalDataPath(path, location), 'weights');
  }
  if (tokenizerPath !== undefined) await add(tokenizerPath, 'model');
  return sha256([new TextEncoder().encode(digests.join(' '))]);
}

const held = (bytes: Uint8Array): Readable => ({
  size: bytes.length,
  read: (offset, length) => bytes.slice(offset, offset + length),
});

function* blocksOf(file: Readable): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < Math.min(file.size, fileLimits.model.maxBytes); at += blockBytes)
    yield file.read(at, Math.min(blockBytes, file.size - at));
}

function* samplesOf(file: Readable): Generator<Uint8Array<ArrayBuffer>> {
  yield new TextEncoder().encode(`${file.size} `);
  if (file.size <= sampledBlocks * sampledBytes) {
    yield* blocksOf(file);
    return;
  }
  for (let block = 0; block < sampledBlocks; block++)
    yield file.read(Math.round((block / (sampledBlocks - 1)) * (file.size - sampledBytes)), sampledBytes);
}
