import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import type { RewrittenModel } from '../../onnx/rewrite/rewriteModel';
import type { StageCut } from '../../onnx/stages/cutStages';
import type { PassedTensor, StageModel } from '../../onnx/stages/encodeStage';
import { folderOf } from '../files/fileAccess';
import {
  externalDataPaths,
  noExternalData,
  openExternalData,
  readExternalData,
  type ExternalData,
  type ModelFiles,
} from '../files/modelFiles';
import { exclusively } from '../limits/runLock';
import { silently, silentSeverity, type OrtModule, type SessionRuntime } from '../runtime/runtime';
import { failedRun, reasonOf, runtimeError } from '../runtime/runtimeError';
import { StagedSession } from './stagedSession';

/** What sessions of a model are made of. */
export interface SessionParts {
  readonly ort: OrtModule;
  readonly runtime: SessionRuntime;
  readonly files: ModelFiles;
  readonly rewritten: RewrittenModel;
  /** The runtime's own settings. */
  readonly config: Readonly<Record<string, string>>;
  /** Whether memory counts more than time. */
  readonly isLean: boolean;
  readonly onProgress?: ((stage: 'readWeights' | 'createSession') => void) | undefined;
}

/** Weights up to this are packed for speed in lean runs, where memory counts, on any backend. */
const mostLeanPackedBytes = 4e8;

/** How far the runtime may rewrite a graph; what is not optimised gives the same numbers, in more time. */
type OptimizationLevel = 'all' | 'disabled';

/** What one kind of session is made with. */
interface OwnOptions {
  /** The runtime's own settings. */
  readonly settings: Readonly<Record<string, string>>;
  /** Whether what a run takes is kept for the next. */
  readonly keepsMemory: boolean;
}

/** Makes the runtime's sessions of a model whose attention is exposed: one of it all, or one of each stage. */
export class ModelSessions {
  readonly #parts: SessionParts;
  #refusal: string | undefined;
  /** What passes between stages, as their sessions have told. */
  readonly #passed = new Map<string, PassedTensor>();
  /** Weights files that the runtime was announced to map. */
  readonly #mapped = new Set<string>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Why the runtime does not optimise the model; undefined where it does. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** One session of all of it. Throws `externalDataMissing`, `externalDataOutside`, `outOfMemory` or `runtimeFailed`. */
  whole(): Promise<Ort.InferenceSession> {
    const { rewritten } = this.#parts;
    const { ownBytesName, externalFiles } = rewritten;
    return this.#open(
      { ...rewritten, externalFiles: ownBytesName === undefined ? externalFiles : [...externalFiles, ownBytesName] },
      { settings: {}, keepsMemory: !this.#parts.isLean },
    );
  }

  /** Sessions of its stages, of which the first is opened now and the others when they are run. Throws what {@link whole} throws. */
  stages(cut: StageCut): Promise<StagedSession> {
    const { ort, runtime, rewritten } = this.#parts;
    // Threads of stages that wait for work by turning would take it from the one that has some, and each stage would keep memory for itself.
    const own = {
      settings: runtime.build.hasOwnThreads ? { 'intra_op.allow_spinning': '0' } : {},
      keepsMemory: false,
    };
    return StagedSession.create(
      cut,
      {
        open: (model) => this.#open(model, own),
        run: (session, feeds, fetches) =>
          exclusively(ort, () => runtime.unlessLost(() => session.run(feeds, fetches, silently))).catch(failedRun),
        // With a lost device it would wait for ever.
        release: async (session) => {
          if (runtime.lost === undefined) await exclusively(ort, () => session.release());
        },
      },
      { passed: this.#passed, cpuNodeNames: rewritten.cpuNodeNames },
    );
  }

  async #open(model: StageModel, own: OwnOptions): Promise<Ort.InferenceSession> {
    if (this.#refusal !== undefined) return this.#openAt(model, 'disabled', own);
    try {
      return await this.#openAt(model, 'all', own);
    } catch (error) {
      // The setting for exact sums works through the optimiser alone.
      const hasSettings = Object.keys(this.#parts.config).length > 0;
      if (!(error instanceof ExplorerError) || error.code !== 'runtimeFailed' || hasSettings) throw error;
      // Some graphs are only refused as the optimiser rewrites them, or infers shapes of what it has rewritten.
      const session = await this.#openAt(model, 'disabled', own).catch(() => {
        throw error;
      });
      this.#refusal = reasonOf(error);
      return session;
    }
  }

  async #openAt(model: StageModel, level: OptimizationLevel, own: OwnOptions): Promise<Ort.InferenceSession> {
    const { files, runtime, rewritten, onProgress } = this.#parts;
    onProgress?.('readWeights');
    const weightFiles = model.externalFiles.filter((name) => name !== rewritten.ownBytesName);
    if (!runtime.build.mapsFiles)
      return this.#make(model, await openExternalData(files, weightFiles), { ...own, level });
    // The runtime maps the files where they really lie in the model's folder; links lead out of it.
    await this.#announce(weightFiles);
    const folder = folderOf(files.path);
    const place = {
      model_external_initializers_file_folder_path: (await files.access.links?.realPath(folder)) ?? folder,
    };
    return this.#make(model, noExternalData, { ...own, level, settings: { ...own.settings, ...place } }).catch(
      async (error: unknown) => {
        if (weightFiles.length === 0) throw error;
        return this.#make(model, await readExternalData(files, weightFiles), { ...own, level });
      },
    );
  }

  async #announce(weightFiles: readonly string[]): Promise<void> {
    const { files } = this.#parts;
    const paths = (await externalDataPaths(files, weightFiles)).map(({ path }) => path);
    const others = paths.filter((path) => !this.#mapped.has(path));
    for (const path of others) this.#mapped.add(path);
    if (others.length > 0) await files.access.willMap?.(others);
  }

  async #make(
    model: StageModel,
    weights: ExternalData,
    { level, settings, keepsMemory }: OwnOptions & { readonly level: OptimizationLevel },
  ): Promise<Ort.InferenceSession> {
    const { ort, runtime, files, rewritten, config, isLean, onProgress } = this.#parts;
    const { ownBytesName } = rewritten;
    const externalData = [
      ...weights.files,
      ...(ownBytesName === undefined || !model.externalFiles.includes(ownBytesName)
        ? []
        : [{ path: ownBytesName, data: files.analysis.model.bytes }]),
    ];
    const { provider, mostPackedBytes } = runtime.traits;
    const besideProcessor = { name: provider, forceCpuNodeNames: model.cpuNodeNames };
    const mostPacked = isLean ? Math.min(mostPackedBytes, mostLeanPackedBytes) : mostPackedBytes;
    onProgress?.('createSession');
    try {
      const create = (): Promise<Ort.InferenceSession> =>
        ort.InferenceSession.create(model.bytes, {
          ...runtime.sessionOptions,
          ...(model.cpuNodeNames.length > 0 ? { executionProviders: [besideProcessor] } : {}),
          graphOptimizationLevel: level,
          // Matrices of scores of long texts are given back as soon as they are used, rather than kept for the next run.
          ...(keepsMemory ? {} : { enableCpuMemArena: false, enableMemPattern: false }),
          logSeverityLevel: silentSeverity,
          // Packing weights anew for the processor holds them twice for a while.
          extra: {
            session: {
              ...config,
              ...(rewritten.weightBytes > mostPacked ? { disable_prepacking: '1' } : {}),
              ...settings,
            },
          },
          ...(externalData.length > 0 ? { externalData } : {}),
        });
      return await exclusively(ort, () => runtime.unlessLost(create));
    } catch (error) {
      throw runtimeError(error, `the model ${files.name}`);
    } finally {
      weights.close();
    }
  }
}
