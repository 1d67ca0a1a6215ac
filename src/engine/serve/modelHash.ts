import { fileLimits } from '../../model/fileLimits';
import type { FileAccess } from '../files/fileAccess';
import { modelAccess, type ModelPlace } from '../files/modelAccess';
import { resolveModel } from '../folder/modelFolder';

/** SHA-256 of bytes that come one after the other, in hexadecimal digits. */
export type Sha256 = (blocks: Iterable<Uint8Array<ArrayBuffer>>) => Promise<string>;

const blockBytes = 2 ** 24;

/**
 * What tells a model from another at its path: SHA-256 over the bytes of its ONNX files and of its tokenizer, one after the other. Weights in files of
 * their own are not among them. Throws `modelNotFound` and what reading its files throws.
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
  for (const path of [modelPath, encoderPath, embeddingPath, visionPath, tokenizerPath]) {
    if (path === undefined) continue;
    signal.throwIfAborted();
    const file = await access.open?.(path);
    try {
      digests.push(await sha256(file === undefined ? [copied(await access.read(path, 'model'))] : blocksOf(file)));
    } finally {
      file?.close();
    }
  }
  return sha256([new TextEncoder().encode(digests.join(' '))]);
}

const copied = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);

function* blocksOf(file: {
  readonly size: number;
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < Math.min(file.size, fileLimits.model.maxBytes); at += blockBytes)
    yield file.read(at, Math.min(blockBytes, file.size - at));
}
