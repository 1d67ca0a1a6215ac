import type { Event } from '../base/event';
import type { EngineApi, EngineEvents, EngineHostApi, ExplainParams, ModelSpec, ReportView } from '../protocol';
import type { RunInfo } from '../model/modelInfo';
import type { Channel } from '../rpc/channel';
import { openConnection, type Client, type Connection, type Server } from '../rpc/connection';
import { engineHostMethods } from '../rpc/methods';
import { giveUp } from '../rpc/transferable';
import { AttentionStore } from './attentionStore';
import type { FileAccess } from './fileAccess';
import { LoadedModel } from './loadedModel';
import { inspectModel } from './inspectModel';
import { Runtime, type OrtModule } from './runtime';

/** What an entry knows of its host and the engine does not. */
export interface EngineHost {
  readonly channel: Channel;
  readonly ort: OrtModule;
  /** Makes the file access, given the window's own (for an engine that cannot read files itself). */
  readonly access: (window: Client<EngineHostApi>) => FileAccess;
  readonly numProcessors: number;
  /** Attention held beyond this makes older runs go. */
  readonly attentionBudgetBytes: number;
  readonly residentBytes: () => number;
}

/** Serves a window: one model at a time, its runs' attention held in full precision and handed out by slice. */
export class EngineServer {
  readonly #runtime: Runtime;
  readonly #access: FileAccess;
  readonly #attention: AttentionStore;
  readonly #connection: Connection<EngineHostApi, EngineEvents, object>;
  #model: LoadedModel | undefined;
  #nextRun = 1;
  /** Loads and runs follow one another: the runtime has one thread of control. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly onClose: Event<string>;

  constructor(host: EngineHost) {
    this.#runtime = new Runtime(host.ort, host.numProcessors);
    this.#attention = new AttentionStore(host.attentionBudgetBytes);
    const api: Server<EngineApi> = {
      warmUp: async ({ threads }) => {
        await this.#runtime.initialize(threads);
        return { numThreads: this.#runtime.numThreads };
      },
      explain: (params, signal) => this.#enqueue(() => this.#explain(params, signal)),
      pattern: (params) => {
        const pattern = this.#attention.pattern(params);
        giveUp(pattern.weights);
        return pattern;
      },
      row: (params) => ({ weights: giveUp(this.#attention.row(params)) }),
      thumbnails: (params) => {
        const thumbnails = this.#attention.thumbnails(params);
        giveUp(thumbnails.pixels);
        return thumbnails;
      },
      release: ({ runId }) => this.#attention.release(runId),
      inspect: (model) => this.#inspect(model),
      memory: () => ({ residentBytes: host.residentBytes(), attentionBytes: this.#attention.bytes }),
    };
    this.#connection = openConnection<EngineApi, EngineHostApi, EngineEvents>(host.channel, engineHostMethods, api, (what) => this.#log('warn', what));
    this.#access = host.access(this.#connection.remote);
    this.onClose = this.#connection.onClose;
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  #log(level: EngineEvents['log']['level'], message: string): void {
    this.#connection.fire('log', { level, message });
  }

  async #explain({ model: spec, text, tokenLimit }: ExplainParams, signal: AbortSignal): Promise<RunInfo> {
    signal.throwIfAborted();
    const started = performance.now();
    const model = await this.#load(spec, signal);
    const loaded = performance.now();
    this.#connection.fire('progress', { stage: 'tokenize' });
    const tokenized = model.tokenize(text, tokenLimit);
    const tokenizedAt = performance.now();
    this.#connection.fire('progress', { stage: 'run' });
    // The run blocks this thread: messages that are under way get their turn first, a cancellation among them.
    await new Promise<void>((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    const { layers, components, notices } = await model.run(tokenized.stream);
    const ranAt = performance.now();
    const runId = this.#nextRun++;
    this.#attention.add(runId, layers);
    this.#log('info', `${model.info.name}: ${tokenized.stream.tokens.length} tokens; load ${(loaded - started).toFixed(0)} ms, tokenize ${(tokenizedAt - loaded).toFixed(0)} ms, run ${(ranAt - tokenizedAt).toFixed(0)} ms; ${(this.#attention.bytes / 1e6).toFixed(1)} MB of attention held`);
    return {
      runId,
      model: model.info,
      streams: [tokenized.stream],
      components,
      notices: [...tokenized.notices, ...notices],
      timings: { load: loaded - started, tokenize: tokenizedAt - loaded, run: ranAt - tokenizedAt },
    };
  }

  async #load(spec: ModelSpec, signal: AbortSignal): Promise<LoadedModel> {
    if (this.#model?.isOf(spec) === true) return this.#model;
    const former = this.#model;
    this.#model = undefined;
    await former?.release();
    this.#connection.fire('progress', { stage: 'startEngine' });
    await this.#runtime.initialize(spec.threads);
    signal.throwIfAborted();
    this.#model = await LoadedModel.load(this.#runtime, this.#access, spec, (progress) => this.#connection.fire('progress', progress), signal);
    return this.#model;
  }

  #inspect(spec: ModelSpec): Promise<ReportView> {
    if (this.#model?.isOf(spec) === true) return Promise.resolve(this.#model.report());
    return inspectModel(this.#access, spec.path);
  }
}
