import type * as Ort from 'onnxruntime-common';
import type { RewrittenModel } from '../../onnx/rewrite/rewriteModel';
import { folderOf } from '../files/fileAccess';
import { openExternalData, readExternalData, type ModelFiles } from '../files/modelFiles';
import { onProcessor, type RuntimeBuild } from '../runtime/backends';
import { exclusively } from '../limits/runLock';
import { silentSeverity, type OrtModule } from '../runtime/runtime';

/** What a part of a model is made of, and what it runs on: the processor. */
export interface PartRuntime {
  readonly ort: OrtModule;
  readonly files: ModelFiles;
  readonly build: RuntimeBuild;
  /** Where sessions are kept that are run with each text; none are where it is missing. */
  readonly kept?: KeptParts;
}

/** What of a part is run, and freed where it is not kept. */
export type OpenedPart = Pick<Ort.InferenceSession, 'run' | 'release'>;

/** Sessions that are kept for a model, and bytes of weights that one of them holds in memory of its own, at most. */
const mostKept = 64;
const mostKeptBytes = 2 ** 28;

/** Sessions of parts that are run with each text, as long as their model is loaded: graphs of thousands of nodes take longer to open than to run. */
export class KeptParts {
  readonly #kept: { readonly bytes: Uint8Array; readonly session: Ort.InferenceSession }[] = [];

  /** A session of a part that is the same to the byte, else a new one. Throws what the runtime throws. */
  async open(runtime: PartRuntime, rewritten: RewrittenModel): Promise<OpenedPart> {
    const { bytes } = rewritten;
    const known = this.#kept.find((each) => isSame(each.bytes, bytes));
    const session = known?.session ?? (await openPart(runtime, rewritten));
    if (known === undefined) {
      if ((!runtime.build.mapsFiles && rewritten.weightBytes > mostKeptBytes) || this.#kept.length >= mostKept)
        return session;
      this.#kept.push({ bytes, session });
    }
    return { run: session.run.bind(session), release: () => Promise.resolve() };
  }

  /** Frees them all. */
  async release(ort: OrtModule): Promise<void> {
    for (const { session } of this.#kept.splice(0)) await exclusively(ort, () => session.release());
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** A session of a part that is run with each text: a kept one where there is one. Throws what the runtime throws. */
export function openKept(runtime: PartRuntime, rewritten: RewrittenModel): Promise<OpenedPart> {
  return runtime.kept?.open(runtime, rewritten) ?? openPart(runtime, rewritten);
}

/** A session of a part of a model that runs a few times, on the processor. What it does not need of the weights is not read. Throws what the runtime throws. */
export async function openPart(
  { ort, files, build }: PartRuntime,
  rewritten: RewrittenModel,
): Promise<Ort.InferenceSession> {
  const ownBytes =
    rewritten.ownBytesName === undefined ? [] : [{ path: rewritten.ownBytesName, data: files.analysis.model.bytes }];
  const createAt = (
    level: 'disabled' | 'basic',
    extra: Readonly<Record<string, string>>,
    external: readonly { readonly path: string; readonly data: Uint8Array }[],
  ): Promise<Ort.InferenceSession> =>
    exclusively(ort, () =>
      ort.InferenceSession.create(rewritten.bytes, {
        ...onProcessor(build),
        graphOptimizationLevel: level,
        enableCpuMemArena: false,
        enableMemPattern: false,
        logSeverityLevel: silentSeverity,
        extra: { session: extra },
        ...(external.length + ownBytes.length > 0 ? { externalData: [...external, ...ownBytes] } : {}),
      }),
    );
  const create = (
    ...given: [Readonly<Record<string, string>>, Parameters<typeof createAt>[2]]
  ): Promise<Ort.InferenceSession> =>
    createAt('disabled', ...given).catch((error: unknown) => {
      // Unless it is optimised away, the runtime trips over a cast from half precision to the same.
      if (!/Type Error/.test(String(error))) throw error;
      return createAt('basic', ...given);
    });
  if (!build.mapsFiles) {
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
