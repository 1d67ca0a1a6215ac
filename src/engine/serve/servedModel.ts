import { ExplorerError } from '../../base/errors';
import type { Backend } from '../../model/modelInfo';
import type { EngineEvents, ModelSpec } from '../../protocol';
import type { FileAccess } from '../files/fileAccess';
import type { Loading, ModelBounds } from '../folder/loading';
import { ImageModel } from '../image/imageModel';
import { backendTraits } from '../runtime/backends';
import { canGoElsewhere, loadOnBackend } from '../runtime/loadOnBackend';
import { reasonOf } from '../runtime/runtimeError';
import type { Runtimes } from '../runtime/runtimes';
import { LoadedModel } from './loadedModel';

type Model = LoadedModel | ImageModel;

/** What a model is loaded with. */
export interface ServedModelParts {
  readonly runtimes: Runtimes;
  readonly access: FileAccess;
  readonly bounds: ModelBounds;
  onProgress(progress: EngineEvents['progress']): void;
  warn(what: string): void;
  /** A model has been let go. */
  onLeft(): void;
}

/** The one model that an engine holds, of texts or of pictures; another one takes its place. */
export class ServedModel {
  readonly #parts: ServedModelParts;
  #model: Model | undefined;
  /** Backends that the next load does without, each with a sentence that says why. */
  #refused = new Map<Backend, string>();

  constructor(parts: ServedModelParts) {
    this.#parts = parts;
  }

  get held(): Model | undefined {
    return this.#model;
  }

  /** The model that is asked for, where it is the one that is held. */
  heldFor(spec: ModelSpec): Model | undefined {
    return this.#model?.isOf(spec) === true ? this.#model : undefined;
  }

  /** A model of texts. Throws what loading it throws, and `modelReadsImages`. */
  async ofTexts(spec: ModelSpec, signal: AbortSignal): Promise<LoadedModel> {
    const held = this.heldFor(spec);
    if (held instanceof ImageModel) throw new ExplorerError('modelReadsImages', [held.info.name]);
    const loading = this.#loading(signal);
    return held ?? this.#load(spec, (choosing) => LoadedModel.load(choosing, this.#parts.access, spec, loading));
  }

  /** A model of pictures. Throws what loading it throws, and why a model of texts reads none. */
  async ofPictures(spec: ModelSpec, signal: AbortSignal): Promise<ImageModel> {
    const held = this.heldFor(spec);
    if (held instanceof LoadedModel) throw held.pictureRefusal;
    const loading = this.#loading(signal);
    return held ?? this.#load(spec, (choosing) => ImageModel.load(choosing, this.#parts.access, spec, loading));
  }

  /** Does something with a model, and once more without the device that it is on where that fails on it; the model then stays where it is. */
  async withoutDevice<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const backend = this.#model?.info.backend;
      if (backend === undefined || !backendTraits[backend].isOnDevice || !canGoElsewhere(error, backend)) throw error;
      const { title } = backendTraits[backend];
      const lost = await this.#parts.runtimes.lost(backend);
      const why =
        lost === undefined
          ? `${title} failed in a run of this model: ${reasonOf(error)}.`
          : `${title} is not available: ${lost}.`;
      this.#parts.warn(why);
      await this.#letGo().catch((failure: unknown) =>
        this.#parts.warn(`The model could not be taken from ${title}: ${String(failure)}`),
      );
      this.#refused.set(backend, why);
      return await work();
    }
  }

  #loading(signal: AbortSignal): Loading {
    const { bounds, onProgress } = this.#parts;
    return { ...bounds, onProgress, signal };
  }

  async #load<M extends Model>(spec: ModelSpec, load: Parameters<typeof loadOnBackend<M>>[2]): Promise<M> {
    await this.#letGo();
    // The next load may try them again.
    const refused = this.#refused;
    this.#refused = new Map();
    const model = await loadOnBackend(this.#parts.runtimes, spec, load, refused);
    this.#model = model;
    return model;
  }

  async #letGo(): Promise<void> {
    const former = this.#model;
    this.#model = undefined;
    await former?.release();
    this.#parts.onLeft();
    this.#parts.onProgress({ stage: 'startEngine' });
  }
}

/** A model, as one of texts. Throws `modelReadsImages` where the model reads pictures. */
export function thatReadsTexts(model: Model): LoadedModel {
  if (model instanceof ImageModel) throw new ExplorerError('modelReadsImages', [model.info.name]);
  return model;
}
