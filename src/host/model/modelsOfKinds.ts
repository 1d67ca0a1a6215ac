import type { Memento } from 'vscode';
import { ExplorerError, type ErrorCode } from '../../base/errors';
import type { Reads } from './modelChoices';
import { bundledPrefix } from './modelPath';

const keys: Readonly<Record<Reads, string>> = { text: 'textModel', image: 'imageModel' };

/** What is used for a kind of input where nothing was chosen for it, as settings have it. */
const defaultModels: Readonly<Record<Reads, string>> = { text: '', image: `${bundledPrefix}shapes-vit` };

/** What a model that reads the other kind is refused with. */
const refusals: Readonly<Record<Reads, ErrorCode>> = { text: 'modelReadsImages', image: 'modelReadsText' };

/** Which model reads a kind of input where the one in the settings reads the other kind: the one that read it last. */
export class ModelsOfKinds {
  readonly #memento: Memento;
  readonly #ask: () => Promise<string | undefined>;

  /** @param ask lets the person choose among the models that read pictures; resolves to what the setting would be. */
  constructor(memento: Memento, ask: () => Promise<string | undefined>) {
    this.#memento = memento;
    this.#ask = ask;
  }

  /** The path of the model that read a kind last, as settings have it; undefined where none did. */
  known(kind: Reads): string | undefined {
    const known = this.#memento.get<unknown>(keys[kind]);
    return typeof known === 'string' ? known : undefined;
  }

  /** The same, and where none did, the bundled one for texts, and for pictures the one that the person chooses; undefined where that is none. */
  async choose(kind: Reads, whileAsking: WhileAsking): Promise<string | undefined> {
    return this.known(kind) ?? (kind === 'text' ? defaultModels.text : await whileAsking(this.#ask));
  }

  /** Remembers what read a kind. */
  async remember(kind: Reads, path: string): Promise<void> {
    if (this.known(kind) !== path) await this.#memento.update(keys[kind], path);
  }

  /** Forgets a model that did not work. */
  async forget(kind: Reads): Promise<void> {
    await this.#memento.update(keys[kind], undefined);
  }
}

/** Rests what is said to be under way while the person is asked. */
export type WhileAsking = <T>(ask: () => Promise<T>) => Promise<T>;

/** How an input of some kind is run. */
export interface FittingRun<Run> {
  readonly kind: Reads;
  /** The model of the settings, as they have it. */
  readonly written: string;
  readonly models: ModelsOfKinds;
  readonly whileAsking: WhileAsking;
  readonly signal: AbortSignal;
  /** Runs with a model; `instead` is the name of the one in the settings, where that reads the other kind. Resolves with the path that finds the model from everywhere, and is remembered; undefined: none is. */
  run(
    modelPath: string,
    instead: string | undefined,
  ): Promise<{ readonly run: Run; readonly path: string | undefined }>;
}

/**
 * Runs with the model of the settings; where that reads the other kind of input, with the one that read this kind last, else with another
 * (see {@link ModelsOfKinds.choose}); where the settings name none, with the one that read it last, else with the bundled one.
 */
export async function runFitting<Run>({
  kind,
  written,
  models,
  whileAsking,
  signal,
  run,
}: FittingRun<Run>): Promise<Run> {
  const use = async (modelPath: string, instead: string | undefined): Promise<Run> => {
    const done = await run(modelPath, instead);
    if (done.path !== undefined) await models.remember(kind, done.path);
    return done.run;
  };
  /** One that was remembered may be gone by now, or not be trusted here. */
  const useRemembered = async (modelPath: string, instead: string | undefined): Promise<Run> => {
    try {
      return await use(modelPath, instead);
    } catch (error) {
      if (!(error instanceof ExplorerError) || !/^(?:model|untrusted|file|tokenizer)/.test(error.code)) throw error;
      await models.forget(kind);
      if (modelPath === defaultModels[kind] || (kind === 'image' && instead !== undefined) || signal.aborted)
        throw error;
      return use(defaultModels[kind], instead);
    }
  };
  if (written === '' && kind === 'image') return useRemembered(models.known(kind) ?? defaultModels.image, undefined);
  try {
    return await use(written, undefined);
  } catch (error) {
    if (!(error instanceof ExplorerError) || error.code !== refusals[kind]) throw error;
    const other = await models.choose(kind, whileAsking);
    if (other === undefined || signal.aborted) throw error;
    return useRemembered(other, String(error.args[0]));
  }
}
