import type { Event } from '../../base/event';
import { ExplorerError } from '../../base/errors';
import type {
  EngineApi,
  EngineEvents,
  EngineHostApi,
  ExplainImageParams,
  ExplainParams,
  MethodParams,
  PictureView,
  ModelSpec,
  ReportView,
} from '../../protocol';
import type { RunInfo } from '../../model/modelInfo';
import { openConnection, type Connection, type Server } from '../../rpc/connection';
import { engineHostMethods } from '../../rpc/methods';
import { giveUp } from '../../rpc/transferable';
import { normMetrics } from '../../model/metrics/headTable';
import { drawnCell, inWindow } from '../how/drawnCell';
import type { Component } from '../../model/head';
import type { TokenStream } from '../../model/token';
import { AttentionStore } from '../weights/attentionStore';
import type { HeldLayer } from '../weights/heldLayer';
import { baseName, type FileAccess } from '../files/fileAccess';
import type { ImageModel } from '../image/imageModel';
import { PictureStore } from '../image/pictureStore';
import { Deadlines } from '../limits/deadlines';
import { Growth, type BegunRun } from './growth';
import { describeRun, letGoWhereCancelled } from './runLayers';
import type { LoadedModel } from './loadedModel';
import { RanRuns, type Ran } from './ranRuns';
import { RunTurns } from './runTurns';
import { ServedModel, thatReadsTexts } from './servedModel';
import { ComparedRuns } from './comparedRuns';
import { codeSymbols } from './codeSymbols';
import { measureRelations } from './measureRelations';
import { readRequests } from './readRequests';
import { besideNumbers, copied } from './besideNumbers';
import { openAttention } from './openAttention';
import { writeNumbers } from './writeNumbers';
import { WeighedRuns } from './weighedRuns';
import { CodeParser } from '../syntax/parseCode';
import { measureRandomText } from './measureRandomText';
import { inspectModel } from './inspectModel';
import { modelHash } from './modelHash';
import { profileRequests } from './profileRequests';
import { showChatTemplate } from './showChatTemplate';
import type { ReadingSteps } from '../text/textModel';
import { Runtimes } from '../runtime/runtimes';
import type { EngineHost } from './engineHost';

/** What came of a run. */
interface CameOfRun {
  readonly layers: readonly HeldLayer[];
  readonly picture?: PictureView | undefined;
}

/** Serves a window: one model at a time, its runs' attention held and handed out by slice. */
export class EngineServer {
  readonly #runtimes: Runtimes;
  readonly #access: FileAccess;
  readonly #attention: AttentionStore;
  readonly #connection: Connection<EngineHostApi, EngineEvents, object>;
  readonly #pictures = new PictureStore();
  readonly #deadlines: Deadlines;
  readonly #parser: CodeParser | undefined;
  readonly #compared: ComparedRuns;
  readonly #weighed: WeighedRuns;
  readonly #served: ServedModel;
  /** Files that the runtime has mapped into memory. */
  #mapped: EngineEvents['mapped']['files'][number][] = [];
  readonly #ran = new RanRuns();
  readonly #turns = new RunTurns();
  /** Loads and runs follow one another: the runtime has one thread of control. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly onClose: Event<string>;

  constructor(host: EngineHost) {
    this.#attention = new AttentionStore(host.attentionBudgetBytes);
    this.#deadlines = new Deadlines({
      interrupt: host.interrupt,
      limits: host.timeLimits,
      announce: (busy) => this.#connection.fire('busy', busy),
    });
    this.#compared = new ComparedRuns(this.#attention, (runId) => this.#ran.of(runId));
    this.#weighed = new WeighedRuns({
      store: this.#attention,
      ranOf: (runId) => this.#ran.of(runId),
      loaded: (runId) => {
        const { spec } = this.#ran.of(runId);
        return spec === undefined ? undefined : this.#served.heldFor(spec);
      },
      withModel: (runId, work, signal = new AbortController().signal) =>
        this.#inTurn(async () => {
          this.#begin();
          return work((await this.#modelOf(runId, signal)).weighs);
        }),
    });
    const reads = readRequests(this.#attention, { weigher: this.#weighed, compared: this.#compared }, (reading) =>
      this.#turns.read(reading),
    );
    const beside = { store: this.#attention, weigher: this.#weighed, pictures: this.#pictures };
    const api: Server<EngineApi> = {
      warmUp: async ({ backend, threads, model }, signal) => {
        this.#begin();
        const { runtime } = await this.#runtimes.choose(backend, threads);
        if (model !== undefined)
          await this.#inTurn(async () =>
            (await this.#served.ofTexts(model, signal)).explain({ text: 'word', tokenLimit: 0 }),
          );
        return { numThreads: runtime.numThreads };
      },
      explain: (params, signal) => {
        let numTries = 0;
        return this.#inTurn(() => this.#explain(params, signal, numTries++ === 0));
      },
      explainImage: (params, signal) => {
        let numTries = 0;
        return this.#inTurn(() => this.#explainImage(params, signal, numTries++ === 0));
      },
      openAttention: async (params, signal) => {
        this.#begin();
        const { model, streams, components, layers, notices, picture, weighings, explanation, runId, timings } =
          await openAttention(this.#access, params, {
            begin: (begun) => this.#growth(begun),
            turn: this.#turns.steps(signal).turn,
            signal,
          });
        const ran = { streams, components, spec: undefined, name: model.name, fed: [], weighings };
        this.#hold(runId, ran, { layers, picture });
        const info = { runId, model, streams, components, notices, timings };
        return explanation === undefined ? info : { ...info, explanation };
      },
      picture: ({ runId }) => this.#pictures.copyOf(runId),
      ...reads,
      writeNumbers: async (params, signal) => {
        const { runId } = params;
        if (host.numbersWriter === undefined) throw new ExplorerError('internal', ['no writer']);
        const run = {
          beside: (looked: Omit<MethodParams, 'runId'>) => besideNumbers(beside, { ...looked, runId }, signal),
          streams: this.#ran.of(runId).streams,
          layersOf: (component: Component) => this.#attention.layersOf(runId, component),
          pattern: reads.pattern,
          onRead: (numHeads: number) => this.#connection.fire('written', { runId, numHeads }),
        };
        await this.#turns.read(writeNumbers(host.numbersWriter, run, params, signal));
      },
      besideNumbers: async (params, signal) => ({ arrays: copied(await besideNumbers(beside, params, signal)) }),
      headTable: async (params, signal) => {
        if (params.metrics.some((id) => normMetrics.includes(id)))
          await this.#weighed.weigh(params.runId, params.component, 'norm', signal);
        const table = await this.#turns.read(this.#attention.headTable(params, signal));
        giveUp(table.values);
        return table;
      },
      measureRandom: ({ runId, ...asked }, signal) =>
        this.#withModel(this.#ran.specOf(runId), signal, (model, steps) =>
          measureRandomText((reading) => model.explain(reading, steps), asked, signal),
        ),
      how: ({ runId, cell }, signal) =>
        this.#asking(runId, signal, async (model, { components, streams, fed }) =>
          model.how(
            inWindow(
              await drawnCell(cell, components, streams, (params) => this.#attention.row({ runId, ...params })),
              this.#attention.layersOf(runId, cell.component)[cell.layer],
            ),
            fed,
          ),
        ),
      relations: async (params, signal) => {
        const { runId, component, method } = params;
        if (this.#parser === undefined) throw new ExplorerError('noGrammar', [params.language, '–']);
        await this.#weighed.weigh(runId, component, method, signal);
        const layers = this.#attention.weighed(runId, component, method)?.layers;
        return measureRelations(layers ?? this.#attention.layersOf(runId, component), params, this.#parser, signal);
      },
      codeSymbols: async (program) => ({ symbols: await codeSymbols(program, this.#parser) }),
      compare: (params, signal) => this.#turns.read(this.#compared.compare(params, signal)),
      predict: ({ runId, mask }, signal) => this.#asking(runId, signal, (model, ran) => model.predict(ran, mask)),
      effect: ({ runId, otherId, ...asked }, signal) =>
        this.#asking(runId, signal, ({ effects }, ran) =>
          effects.effect(ran, { ...asked, other: this.#ran.beside(ran, otherId) }, this.#turns.steps(signal)),
        ),
      intervene: ({ runId, otherId, interventions }, signal) =>
        this.#asking(runId, signal, async ({ effects }, ran) => {
          const layers = await effects.intervene(
            ran,
            { interventions, other: this.#ran.beside(ran, otherId) },
            (component) => this.#attention.layersOf(runId, component),
            this.#turns.steps(signal),
          );
          const intervenedId = this.#ran.nextId();
          this.#hold(intervenedId, ran, { layers });
          return { runId: intervenedId };
        }),
      headEffects: ({ runId, otherId, scan, ...asked }, signal) =>
        this.#asking(runId, signal, ({ effects }, ran) =>
          effects.headEffects(
            ran,
            { ...asked, other: this.#ran.beside(ran, otherId) },
            {
              ...this.#turns.steps(signal),
              onLayer: (layer, counts) => this.#connection.fire('effects', { ...layer, runId, scan, ...counts }),
            },
          ),
        ),
      writes: ({ runId, ...asked }, signal) =>
        this.#asking(runId, signal, (model, ran) =>
          thatReadsTexts(model).writes(
            { ...ran, layersOf: (component) => this.#attention.layersOf(runId, component) },
            asked,
          ),
        ),
      release: ({ runId }) => {
        this.#attention.release(runId);
        this.#compared.release(runId);
        this.#weighed.release(runId);
        this.#ran.delete(runId);
        this.#pictures.release(runId);
      },
      ...profileRequests({
        parser: () => this.#parser,
        deadlines: this.#deadlines,
        sha256: host.sha256,
        withModel: (spec, signal, work) => this.#withModel(spec, signal, work),
        hashOf: async (spec, signal) =>
          host.sha256 === undefined ? '' : modelHash(this.#access, spec, host.sha256, signal),
        onRead: (read) => this.#connection.fire('profiling', read),
      }),
      inspect: (model) => {
        this.#begin();
        return this.#inspect(model);
      },
      input: () => {
        if (this.#served.held === undefined) throw new ExplorerError('nothingRead', ['']);
        return this.#served.held.input();
      },
      modelHash: async (model, signal) => {
        if (host.sha256 === undefined) throw new ExplorerError('internal', ['no hash']);
        return { sha256: await modelHash(this.#access, model, host.sha256, signal) };
      },
      chatTemplate: (model) => {
        this.#begin();
        return showChatTemplate(this.#access, model, this.#deadlines);
      },
      memory: () => ({ residentBytes: host.residentBytes(), attentionBytes: this.#attention.bytes }),
    };
    this.#connection = openConnection<EngineApi, EngineHostApi, EngineEvents>(
      host.channel,
      engineHostMethods,
      api,
      (what) => this.#log('warn', what),
    );
    this.#runtimes = new Runtimes(host.runtimes(this.#connection.remote), host.numProcessors);
    this.#parser = host.syntax && new CodeParser(host.syntax(this.#connection.remote));
    const access = host.access(this.#connection.remote);
    this.#access = { ...access, willMap: (paths) => this.#willMap(access, paths) };
    this.#served = new ServedModel({
      runtimes: this.#runtimes,
      access: this.#access,
      bounds: { memory: host.memoryLimits, deadlines: this.#deadlines, staging: host.staging ?? 'large' },
      onProgress: (progress) => this.#connection.fire('progress', progress),
      warn: (what) => this.#log('warn', what),
      onLeft: () => (this.#mapped = []),
    });
    this.onClose = this.#connection.onClose;
  }

  /** From here on the request may end the engine; the word leaves before anything blocks. */
  #begin(): void {
    this.#connection.fire('began', {});
  }

  /** Tells the window which files must not change now: where one does, the system ends this process, and nothing here can say why. */
  async #willMap(access: FileAccess, paths: readonly string[]): Promise<void> {
    const { version } = access;
    if (version === undefined) return;
    this.#mapped.push(...(await Promise.all(paths.map(async (path) => ({ path, ...(await version(path)) })))));
    this.#connection.fire('mapped', { files: this.#mapped });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  /** Does something with a model, after all that was asked before; once more without WebGPU where that fails in it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#enqueue(() => this.#served.withoutDevice(work));
  }

  /** Asks a model about a run that it made, in turn. */
  #asking<T>(
    runId: number,
    signal: AbortSignal,
    ask: (model: LoadedModel | ImageModel, ran: Ran) => Promise<T>,
  ): Promise<T> {
    return this.#inTurn(async () => {
      signal.throwIfAborted();
      const ran = this.#ran.of(runId);
      this.#begin();
      return ask(await this.#modelOf(runId, signal), ran);
    });
  }

  /** Does something with a model of texts, in turn, which tells nothing of its progress. */
  #withModel<T>(
    spec: ModelSpec,
    signal: AbortSignal,
    work: (model: LoadedModel, steps: ReadingSteps) => Promise<T>,
  ): Promise<T> {
    return this.#inTurn(async () => {
      signal.throwIfAborted();
      this.#begin();
      return work(await this.#served.ofTexts(spec, signal), this.#turns.steps(signal));
    });
  }

  /** Keeps what came of a run until it is released. */
  #hold(runId: number, ran: Ran, { layers, picture }: CameOfRun): void {
    this.#ran.set(runId, ran);
    this.#attention.add(runId, layers);
    if (picture !== undefined) this.#pictures.add(runId, picture);
  }

  /** The same of a run that has come to its end, which the log tells of; returns it. */
  #ended(run: RunInfo, ran: Pick<Ran, 'spec' | 'fed' | 'isWithinText'>, came: CameOfRun, isLive = false): RunInfo {
    const { runId, model, streams, components, numReused, timings } = run;
    this.#hold(runId, { ...ran, streams, components }, came);
    const held = { streams, layers: came.layers, bytes: this.#attention.bytes };
    this.#log(isLive ? 'debug' : 'info', describeRun(held, { name: model.name, ...timings, numReused }));
    return run;
  }

  #log(level: EngineEvents['log']['level'], message: string): void {
    this.#connection.fire('log', { level, message });
  }

  async #explain(
    {
      model: spec,
      text,
      second,
      tokenLimit,
      target,
      languages: named,
      continuation,
      isChatMessage,
      isLive,
      isInContext,
    }: ExplainParams,
    signal: AbortSignal,
    grows: boolean,
  ): Promise<RunInfo> {
    signal.throwIfAborted();
    this.#begin();
    const started = performance.now();
    const model = await this.#served.ofTexts(spec, signal);
    const loaded = performance.now();
    const growth = this.#growth({ model: model.info, load: loaded - started });
    const {
      streams,
      layers,
      components,
      notices,
      languages,
      numReused = 0,
      timings,
    } = await model.explain(
      { text, second, tokenLimit, target, languages: named, continuation, isChatMessage, isLive, isInContext },
      {
        ...this.#turns.steps(signal, (progress) => this.#connection.fire('progress', progress)),
        ...(grows && isLive !== true ? { onGrowth: growth.take } : {}),
      },
    );
    const runId = growth.end({ streams, layers }, signal);
    const run: RunInfo = {
      runId,
      model: model.info,
      streams,
      components,
      notices,
      ...(languages === undefined ? {} : { languages }),
      numReused,
      timings: { load: loaded - started, ...timings },
    };
    return this.#ended(run, { spec, fed: model.fed }, { layers }, isLive);
  }

  #growth(begun: BegunRun): Growth {
    const tell = (grown: EngineEvents['growing']): void => this.#connection.fire('growing', grown);
    return new Growth(
      { ran: this.#ran, attention: this.#attention, pictures: this.#pictures, turns: this.#turns, tell },
      begun,
    );
  }

  /** The model of a run, loaded where it is not. */
  #modelOf(runId: number, signal: AbortSignal): Promise<LoadedModel | ImageModel> {
    const spec = this.#ran.specOf(runId);
    const { streams, isWithinText } = this.#ran.of(runId);
    const isPicture = streams.some(({ grid }) => grid !== undefined) && isWithinText !== true;
    return isPicture ? this.#served.ofPictures(spec, signal) : this.#served.ofTexts(spec, signal);
  }

  /** A picture within a text, shown as a picture: what of the text is no patch stands beside it. */
  async #explainWithinText(
    { model: spec, path, bytes }: ExplainImageParams,
    text: string,
    signal: AbortSignal,
  ): Promise<RunInfo> {
    const started = performance.now();
    const model = await this.#served.ofTexts(spec, signal);
    const loaded = performance.now();
    this.#connection.fire('progress', { stage: 'readImage' });
    const picture = { bytes: bytes ?? (await this.#access.read(path, 'picture')), name: baseName(path) };
    const read = await model.explain(
      { text, tokenLimit: 0, picture },
      this.#turns.steps(signal, (progress) => this.#connection.fire('progress', progress)),
    );
    letGoWhereCancelled(read.layers, signal);
    const { components, layers, notices, timings } = read;
    const streams = read.streams.map((stream): TokenStream => ({ ...stream, role: 'image' }));
    const run: RunInfo = {
      runId: this.#ran.nextId(),
      model: model.info,
      streams,
      components,
      notices,
      timings: { ...timings, load: loaded - started },
    };
    return this.#ended(run, { spec, fed: model.fed, isWithinText: true }, { layers, picture: read.picture });
  }

  async #explainImage(params: ExplainImageParams, signal: AbortSignal, grows: boolean): Promise<RunInfo> {
    const { model: spec, path, bytes, text } = params;
    signal.throwIfAborted();
    this.#begin();
    if (text !== undefined) return this.#explainWithinText(params, text, signal);
    const started = performance.now();
    const model = await this.#served.ofPictures(spec, signal);
    const loaded = performance.now();
    this.#connection.fire('progress', { stage: 'readImage' });
    const {
      picture,
      notices: preparing,
      facts,
    } = await model.prepare(bytes ?? (await this.#access.read(path, 'picture')), baseName(path), this.#deadlines);
    const prepared = performance.now();
    this.#connection.fire('progress', { stage: 'run' });
    await new Promise<void>((resolve) => setTimeout(resolve)); // as above
    signal.throwIfAborted();
    const growth = this.#growth({ model: model.info, load: loaded - started, picture, notices: preparing });
    const { streams, layers, components, notices, answers } = await model.run(picture, {
      ...this.#turns.steps(signal, (progress) => this.#connection.fire('progress', progress)),
      ...(grows ? { onGrowth: growth.take } : {}),
    });
    const ranAt = performance.now();
    const runId = growth.end({ streams, layers }, signal);
    const run: RunInfo = {
      runId,
      model: model.info,
      streams,
      components,
      notices: [...preparing, ...notices],
      inputFacts: facts,
      answers,
      timings: { load: loaded - started, tokenize: prepared - loaded, run: ranAt - prepared },
    };
    return this.#ended(run, { spec, fed: model.fed }, { layers, picture });
  }

  #inspect(spec: ModelSpec): Promise<ReportView> {
    const held = this.#served.heldFor(spec);
    return held === undefined ? inspectModel(this.#access, spec) : Promise.resolve(held.report());
  }
}
