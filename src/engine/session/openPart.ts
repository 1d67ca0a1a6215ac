import type * as Ort from 'onnxruntime-common';
import type { RewrittenModel } from '../../onnx/rewrite/rewriteModel';
import { folderOf } from '../files/fileAccess';
import { openExternalData, readExternalData, type ModelFiles } from '../files/modelFiles';
import { exclusively } from '../limits/runLock';
import { silentSeverity, type OrtModule } from '../runtime/runtime';

/** What a part of a model is made of, and what it runs on: the processor. */
export interface PartRuntime {
  readonly ort: OrtModule;
  readonly files: ModelFiles;
  readonly isNative: boolean;
}

/** A session of a part of a model that runs a few times, on the processor. What it does not need of the weights is not read. Throws what the runtime throws. */
export async function openPart(
  { ort, files, isNative }: PartRuntime,
  rewritten: RewrittenModel,
): Promise<Ort.InferenceSession> {
  const ownBytes =
    rewritten.ownBytesName === undefined ? [] : [{ path: rewritten.ownBytesName, data: files.analysis.model.bytes }];
  const create = async (
    extra: Readonly<Record<string, string>>,
    external: readonly { readonly path: string; readonly data: Uint8Array }[],
  ): Promise<Ort.InferenceSession> =>
    exclusively(ort, () =>
      ort.InferenceSession.create(rewritten.bytes, {
        executionProviders: [isNative ? 'cpu' : 'wasm'],
        graphOptimizationLevel: 'disabled',
        enableCpuMemArena: false,
        enableMemPattern: false,
        logSeverityLevel: silentSeverity,
        extra: { session: extra },
        ...(external.length + ownBytes.length > 0 ? { externalData: [...external, ...ownBytes] } : {}),
      }),
    );
  if (!isNative) {
    const weights = await openExternalData(files, rewritten.externalFiles);
    return create({}, weights.files).finally(weights.close);
  }
  const folder = folderOf(files.path);
  const mapped = create(
    { model_external_initializers_file_folder_path: (await files.access.links?.realPath(folder)) ?? folder },
    [],
  );
  return mapped.catch(async () => create({}, (await readExternalData(files, rewritten.externalFiles)).files));
}
