import type { AttentionFileParams } from '../../protocol';
import type { RunInfo } from '../../model/modelInfo';
import { readAttentionFile, type FileAttention } from '../attentionFile/readAttentionFile';
import { baseName, type FileAccess } from '../files/fileAccess';

/** An attention file as a run whose attention is held, but for its number. Throws `attentionFileInvalid`, and what reading a file throws. */
export async function openAttention(
  access: FileAccess,
  { path, bytes }: AttentionFileParams,
): Promise<
  Pick<FileAttention, 'layers' | 'picture' | 'weighings' | 'explanation'> & { readonly info: Omit<RunInfo, 'runId'> }
> {
  const started = performance.now();
  const read = bytes ?? (await access.read(path, 'attention'));
  const loaded = performance.now();
  const { model, streams, components, notices, ...held } = readAttentionFile(read, path, baseName(path));
  const timings = { load: loaded - started, tokenize: 0, run: performance.now() - loaded };
  return { ...held, info: { model, streams, components, notices, timings } };
}
