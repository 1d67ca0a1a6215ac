import { ExplorerError } from '../../base/errors';
import type { Component, ComponentInfo } from '../../model/head';
import { methodOf, methods, surprisalMethod, type MethodId } from '../../model/methods';
import type { MethodReasons, Weighing, WeightForm } from '../../model/weightForm';
import type { FedFile } from '../session/fedInput';
import type { WeighRuns } from '../session/weighRuns';
import type { AttentionStore } from '../weights/attentionStore';
import { lackOfArray } from '../attentionFile/readWeighings';
import { lackOfComponent, largestOf, MixedLayer, weighComponent, type LayerWeighing } from '../weights/weighedLayers';

/** What is to be known of a run to weigh it. */
export interface WeighableRun {
  readonly components: readonly ComponentInfo[];
  readonly fed: readonly FedFile[];
  /** What a component's layers weigh beside their weights, where that is known without a model. */
  readonly weighings?: ((component: Component) => readonly LayerWeighing[]) | undefined;
}

/** What a model tells of its methods. */
interface WeighingModel {
  readonly weighs: WeighRuns;
  /** In a clause, why tokens have no surprisal; undefined where they may have one. */
  readonly lackOfSurprisal: string | undefined;
}

/** What weighing needs of the engine. */
export interface WeighingEngine {
  readonly store: AttentionStore;
  /** Throws `unknownRun`. */
  ranOf(runId: number): WeighableRun;
  /** The run's model where that is loaded now. */
  loaded(runId: number): WeighingModel | undefined;
  /** Does something with the weigher of the run's model, loaded for it where it is not, when the model is free. */
  withModel<T>(runId: number, work: (weighs: WeighRuns) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** Weighs the attention of runs by methods, each when someone first asks, and remembers what could not be had. */
export class WeighedRuns {
  readonly #engine: WeighingEngine;
  readonly #jobs = new Map<string, Promise<Weighing>>();
  readonly #refusals = new Map<string, string>();

  constructor(engine: WeighingEngine) {
    this.#engine = engine;
  }

  /** Why methods cannot be had of a component, as far as that is known without weighing it. Throws `unknownRun`. */
  reasons(runId: number, name: Component): MethodReasons {
    const component = this.#componentOf(runId, name);
    const { store } = this.#engine;
    const model = this.#engine.loaded(runId);
    const lackOfSurprisal =
      this.#engine.ranOf(runId).weighings === undefined
        ? model?.lackOfSurprisal
        : 'it is an attention file, which holds no predictions';
    return Object.fromEntries<string>([
      ...methods.flatMap(({ id }): [string, string][] => {
        const reason =
          this.#refusals.get(nameOf(runId, name, id)) ??
          lackOfComponent(id, name, (each) => store.layersOf(runId, each)) ??
          this.#lackOfFile(runId, name, id) ??
          model?.weighs.lackOf(id, component);
        return reason === undefined ? [] : [[id, reason]];
      }),
      ...(lackOfSurprisal === undefined ? [] : [[surprisalMethod.id, lackOfSurprisal] as const]),
    ]);
  }

  /** Weighs a component of a run, where that has not been done. Throws `unknownRun`, `methodNotOffered`, what a run throws, or the signal's reason. */
  async weigh(runId: number, name: Component, method: MethodId, signal?: AbortSignal): Promise<Weighing> {
    if (method === 'attention') return { ceiling: 1, difference: 0 };
    const { store } = this.#engine;
    // Rows of it are made as they are read.
    if (method === 'flow') {
      const lack = lackOfComponent(method, name, (each) => store.layersOf(runId, each));
      if (lack !== undefined) throw notOffered(method, lack);
      return { ceiling: 1, difference: 0 };
    }
    const found = store.weighed(runId, name, method);
    if (found !== undefined) {
      const { layers: _layers, ...weighing } = found;
      return weighing;
    }
    const key = nameOf(runId, name, method);
    const refusal = this.#refusals.get(key);
    if (refusal !== undefined) throw notOffered(method, refusal);
    // Several views ask at once; what one of them no longer wants, the others do.
    const job = this.#jobs.get(key) ?? this.#start(key, runId, name, method);
    const weighing = await job;
    signal?.throwIfAborted();
    return weighing;
  }

  /** Weighs what a form of weights is of. Throws as {@link weigh} does. */
  async ensure(runId: number, name: Component, form: WeightForm | undefined, signal?: AbortSignal): Promise<void> {
    if (form !== undefined) await this.weigh(runId, name, form.method, signal);
  }

  /** Forgets what is known of a run. */
  release(runId: number): void {
    for (const key of this.#refusals.keys()) if (key.startsWith(`${runId}/`)) this.#refusals.delete(key);
  }

  #start(key: string, runId: number, name: Component, method: MethodId): Promise<Weighing> {
    const job = this.#make(runId, name, method).catch((error: unknown) => {
      if (error instanceof ExplorerError && error.code === 'methodNotOffered')
        this.#refusals.set(key, String(error.args[1]));
      throw error;
    });
    this.#jobs.set(key, job);
    const end = (): void => void this.#jobs.delete(key);
    job.then(end, end);
    return job;
  }

  async #make(runId: number, name: Component, method: MethodId): Promise<Weighing> {
    const { store } = this.#engine;
    const { fed, weighings: known } = this.#engine.ranOf(runId);
    const component = this.#componentOf(runId, name);
    const layers = store.layersOf(runId, name);
    const { needs, unit } = methodOf(method);
    const layersOf = (each: Component) => store.layersOf(runId, each);
    const lack =
      lackOfComponent(method, name, layersOf) ?? this.#engine.loaded(runId)?.weighs.lackOf(method, component);
    if (lack !== undefined) throw notOffered(method, lack);
    const weighings: readonly (LayerWeighing | undefined)[] | string =
      needs === 'nothing'
        ? []
        : (known?.(name) ??
          (await this.#engine.withModel(runId, async (weighs) => weighs.weigh(component, layers, fed))));
    if (typeof weighings === 'string') throw notOffered(method, weighings);
    const weighed = await weighComponent(method, name, { layersOf, weighings });
    if (typeof weighed === 'string') throw notOffered(method, weighed);
    const mixing = weighed.map((layer) => (layer instanceof MixedLayer ? meanOf(layer.mixing) : NaN));
    const weighing: Weighing = {
      ...(mixing.every(Number.isNaN) ? {} : { mixing }),
      ceiling: unit === 'share' ? 1 : await largestOf(weighed),
      difference:
        needs !== 'nothing' && needs !== 'values' ? Math.max(0, ...weighings.map((each) => each?.difference ?? 0)) : 0,
    };
    // It may have been let go of meanwhile, or have grown.
    if (store.layersOf(runId, name).some((layer, i) => layer !== layers[i])) throw new ExplorerError('cancelled');
    store.addWeighed(runId, name, method, { ...weighing, layers: weighed });
    return weighing;
  }

  /** What an attention file lacks for a method; undefined of a run of a model. */
  #lackOfFile(runId: number, name: Component, method: MethodId): string | undefined {
    const weighings = methodOf(method).needs === 'nothing' ? undefined : this.#engine.ranOf(runId).weighings?.(name);
    if (weighings === undefined) return undefined;
    const layers = this.#engine.store.layersOf(runId, name);
    const lacks = weighings.map(({ values, norms, joined }, layer) => {
      if (layers[layer]?.numHeads === 0) return undefined;
      if (method === 'norm') return norms;
      return method === 'value' ? values : (joined?.[method] ?? lackOfArray(method, name, layer));
    });
    return lacks.find((lack) => typeof lack === 'string');
  }

  #componentOf(runId: number, name: Component): ComponentInfo {
    const component = this.#engine.ranOf(runId).components.find((each) => each.component === name);
    if (component === undefined) throw new ExplorerError('unknownRun');
    return component;
  }
}

const meanOf = (numbers: Float32Array): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

const nameOf = (runId: number, component: Component, method: MethodId): string => `${runId}/${component}/${method}`;

const notOffered = (method: MethodId, reason: string): ExplorerError =>
  new ExplorerError('methodNotOffered', [methodOf(method).title, reason]);
