import type { Event } from '../../base/event';
import { ExplorerError } from '../../base/errors';
import type {
  EngineApi,
  EngineEvents,
  EngineHostApi,
  ExplainImageParams,
  ExplainParams,
  HowParams,
  ModelSpec,
  ReportView,
} from '../../protocol';
import { numTokensOf, type Backend, type RunInfo } from '../../model/modelInfo';
import type { Channel } from '../../rpc/channel';
import { openConnection, type Client, type Connection, type Server } from '../../rpc/connection';
import { engineHostMethods } from '../../rpc/methods';
import { giveUp } from '../../rpc/transferable';
import type { How } from '../../model/how/how';
import { normMetrics } from '../../model/metrics/headTable';
import { drawnCell } from '../how/drawnCell';
import type { Component } from '../../model/head';
import type { TokenStream } from '../../model/token';
import type { FedFile } from '../session/fedInput';
import { AttentionStore } from '../weights/attentionStore';
import { baseName, type FileAccess } from '../files/fileAccess';
import { isSameModel } from '../folder/isSameModel';
import type { ImageModel } from '../image/imageModel';
import { PictureStore } from '../image/pictureStore';
import { Deadlines, type Interrupt } from '../limits/deadlines';
import { heldInParts, letGoWhereCancelled } from './runLayers';
import type { LoadedModel, ModelBounds } from './loadedModel';
import { ServedModel } from './servedModel';
import { ComparedRuns } from './comparedRuns';
import { measureRelations } from './measureRelations';
import { readRequests } from './readRequests';
import { openAttention } from './openAttention';
import { writeNumbers, type NumbersWriter } from './writeNumbers';
import { WeighedRuns, type WeighableRun } from './weighedRuns';

import { CodeParser } from '../syntax/parseCode';
import type { SyntaxFiles } from '../syntax/syntaxFiles';
import { measureRandomText } from './measureRandomText';
import { inspectModel } from './inspectModel';
import { modelHash, type Sha256 } from './modelHash';
import { profileRequests } from './profileRequests';
import { showChatTemplate } from './showChatTemplate';
import type { timeLimits } from '../limits/timeLimits';
import type { MemoryLimits } from '../long/memoryPlan';
import type { GrowingReading, ReadingSteps } from '../text/textModel';
import { Runtimes, type LoadRuntime } from '../runtime/runtimes';

/** What an entry knows of its host and the engine does not. */
export interface EngineHost {
  readonly channel: Channel;
  /** The builds of the runtime that this host has, given the window (for an engine that cannot read their files itself). */
  readonly runtimes: (window: Client<EngineHostApi>) => Readonly<Partial<Record<Backend, LoadRuntime>>>;
  /** Makes the file access, given the window's own (for an engine that cannot read files itself). */
  readonly access: (window: Client<EngineHostApi>) => FileAccess;
  readonly numProcessors: number;
  /** Attention held beyond this makes older runs go. */
  readonly attentionBudgetBytes: number;
  /** How much memory runs may take; the usual limits unless told otherwise. */
  readonly memoryLimits?: MemoryLimits;
  readonly residentBytes: () => number;
  /** Ends work that takes too long; without it the window is told what to watch. */
  readonly interrupt?: Interrupt;
  /** Which models are run in stages; large ones unless told otherwise. */
  readonly staging?: ModelBounds['staging'];
  /** Where the parser of programs and its grammars are read from; without them there are no relations. */
  readonly syntax?: (window: Client<EngineHostApi>) => SyntaxFiles;
  /** Tells models apart; without it none can be told. */
  readonly sha256?: Sha256;
  /** Writes files of numbers; without it the window does. */
  readonly numbersWriter?: NumbersWriter;
  /** How long steps may take; the usual limits unless told otherwise. */
  readonly timeLimits?: typeof timeLimits;
}

/** A run whose attention is held. */
interface Ran extends Pick<RunInfo, 'streams' | 'components'>, Pick<WeighableRun, 'weighings'> {
  /** Undefined of an attention file, which has no model. */
  readonly spec: ModelSpec | undefined;
  /** What it is called, of an attention file. */
  readonly name?: string;
  readonly fed: readonly FedFile[];
  /** Whether a model of texts read a picture in one. */
  readonly isWithinText?: boolean;
}

/** A run blocks its thread: messages that are under way, a cancellation among them, get a turn at least so often between its steps. */
const turnMilliseconds = 30;
/** When the first layers of a run are there, it waits so long for what is asked of them. */
const firstLookMilliseconds = 20;
/** And between its layers at most so long for what is being read: whoever looks at some goes before those to come. */
const mostReadMilliseconds = 2000;

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
  #nextRun = 1;
  /** What the models of the runs that are held are, and what they were fed. */
  readonly #ran = new Map<number, Ran>();
  /** Whether the first layers of a run have just been handed out. */
  #isLookedAt = false;
  /** Attention that is being read. */
  readonly #reads = new Set<Promise<unknown>>();
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
    this.#compared = new ComparedRuns(this.#attention, (runId) => this.#ranOf(runId));
    this.#weighed = new WeighedRuns({
      store: this.#attention,
      ranOf: (runId) => this.#ranOf(runId),
      loaded: (runId) => {
        const { spec } = this.#ranOf(runId);
        return spec === undefined ? undefined : this.#served.heldFor(spec)?.weighs;
      },
      withModel: (runId, work, signal = new AbortController().signal) =>
        this.#inTurn(async () => {
          this.#begin();
          return work((await this.#modelOf(runId, signal)).weighs);
        }),
    });
    const reads = readRequests(this.#attention, { weigher: this.#weighed, compared: this.#compared }, (reading) =>
      this.#read(reading),
    );
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
      explainImage: (params, signal) => this.#inTurn(() => this.#explainImage(params, signal)),
      openAttention: async (params, signal) => {
        this.#begin();
        const opened = await openAttention(this.#access, params);
        signal.throwIfAborted();
        const { info, layers, picture, weighings, explanation } = {
          ...opened,
          info: { ...opened.info, runId: this.#nextRun++ },
        };
        this.#ran.set(info.runId, { ...info, spec: undefined, name: info.model.name, fed: [], weighings });
        this.#attention.add(info.runId, layers);
        if (picture !== undefined) this.#pictures.add(info.runId, picture);
        return explanation === undefined ? info : { ...info, explanation };
      },
      picture: ({ runId }) => {
        const { width, height, pixels, source, placed } = this.#pictures.of(runId);
        return { width, height, pixels: giveUp(pixels.slice()), source, placed };
      },
      ...reads,
      writeNumbers: async (params, signal) => {
        const { runId } = params;
        if (host.numbersWriter === undefined) throw new ExplorerError('internal', ['no writer']);
        const run = {
          streams: this.#ranOf(runId).streams,
          layersOf: (component: Component) => this.#attention.layersOf(runId, component),
          pattern: reads.pattern,
          onRead: (numHeads: number) => this.#connection.fire('written', { runId, numHeads }),
        };
        await this.#read(writeNumbers(host.numbersWriter, run, params, signal));
      },
      headTable: async (params, signal) => {
        if (params.metrics.some((id) => normMetrics.includes(id)))
          await this.#weighed.weigh(params.runId, params.component, 'norm', signal);
        const table = await this.#read(this.#attention.headTable(params, signal));
        giveUp(table.values);
        return table;
      },
      measureRandom: ({ runId, ...asked }, signal) =>
        this.#withModel(this.#specOf(runId), signal, (model, steps) =>
          measureRandomText((reading) => model.explain(reading, steps), asked, signal),
        ),
      how: (params, signal) => this.#inTurn(() => this.#how(params, signal)),
      relations: async (params, signal) => {
        const { runId, component, method } = params;
        if (this.#parser === undefined) throw new ExplorerError('noGrammar', [params.language, '–']);
        await this.#weighed.weigh(runId, component, method, signal);
        const layers = this.#attention.weighed(runId, component, method)?.layers;
        return measureRelations(layers ?? this.#attention.layersOf(runId, component), params, this.#parser, signal);
      },
      compare: (params, signal) => this.#read(this.#compared.compare(params, signal)),
      predict: ({ runId, mask }, signal) => this.#asking(runId, signal, (model, ran) => model.predict(ran, mask)),
      effect: ({ runId, otherId, ...asked }, signal) =>
        this.#asking(runId, signal, (model, ran) =>
          model.effect(ran, { ...asked, other: this.#besideOf(ran, otherId) }, this.#steps(signal, noProgress)),
        ),
      intervene: ({ runId, otherId, interventions }, signal) =>
        this.#asking(runId, signal, async (model, ran) => {
          const layers = await model.intervene(
            ran,
            { interventions, other: this.#besideOf(ran, otherId) },
            (component) => this.#attention.layersOf(runId, component),
            this.#steps(signal, noProgress),
          );
          const intervenedId = this.#nextRun++;
          this.#ran.set(intervenedId, ran);
          this.#attention.add(intervenedId, layers);
          return { runId: intervenedId };
        }),
      headEffects: ({ runId, otherId, scan, ...asked }, signal) =>
        this.#asking(runId, signal, (model, ran) =>
          model.headEffects(
            ran,
            { ...asked, other: this.#besideOf(ran, otherId) },
            {
              ...this.#steps(signal, noProgress),
              onLayer: (layer, counts) => this.#connection.fire('effects', { ...layer, runId, scan, ...counts }),
            },
          ),
        ),
      writes: ({ runId, ...asked }, signal) =>
        this.#asking(runId, signal, (model, ran) =>
          model.writes({ ...ran, layersOf: (component) => this.#attention.layersOf(runId, component) }, asked),
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
    return this.#enqueue(() => this.#served.withoutGraphics(work));
  }

  /** Asks a model of texts about a run that it made, in turn. */
  #asking<T>(runId: number, signal: AbortSignal, ask: (model: LoadedModel, ran: Ran) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      signal.throwIfAborted();
      const ran = this.#ranOf(runId);
      this.#begin();
      return ask(await this.#served.ofTexts(this.#specOf(runId), signal), ran);
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
      return work(await this.#served.ofTexts(spec, signal), this.#steps(signal, noProgress));
    });
  }

  /** Reads attention that is held; between its layers a run waits for that. */
  async #read<T>(reading: Promise<T>): Promise<T> {
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
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
    let growing: Pick<RunInfo, 'runId' | 'streams'> | undefined;
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
        ...this.#steps(signal, (progress) => this.#connection.fire('progress', progress)),
        ...(grows && isLive !== true
          ? {
              onGrowth: (reading) => {
                growing ??= { runId: this.#nextRun++, streams: reading.streams };
                this.#grow(growing, reading, { model: model.info, load: loaded - started });
              },
            }
          : {}),
      },
    );
    if (growing === undefined) letGoWhereCancelled(layers, signal);
    // A text that was read anew, otherwise, is another run.
    const runId = growing?.streams[0] === streams[0] ? growing.runId : this.#nextRun++;
    this.#ran.set(runId, { spec, fed: model.fed, streams, components });
    this.#attention.add(runId, layers);
    this.#log(
      isLive === true ? 'debug' : 'info',
      `${model.info.name}: ${streams.map(({ tokens }) => tokens.length).join(' + ')} tokens${numReused > 0 ? `, ${numReused} of them as they were` : ''}; load ${(loaded - started).toFixed(0)} ms, tokenize ${timings.tokenize.toFixed(0)} ms, run ${timings.run.toFixed(0)} ms; ${(this.#attention.bytes / 1e6).toFixed(1)} MB of attention held${heldInParts(layers)}`,
    );
    return {
      runId,
      model: model.info,
      streams,
      components,
      notices,
      ...(languages === undefined ? {} : { languages }),
      numReused,
      timings: { load: loaded - started, ...timings },
    };
  }

  #steps(signal: AbortSignal, onProgress: ReadingSteps['onProgress']): ReadingSteps {
    let turned = -Infinity;
    return {
      onProgress,
      turn: async () => {
        if (performance.now() - turned < turnMilliseconds && !this.#isLookedAt) return;
        // What is looked at first is asked for at once, and what is asked for goes before the next step.
        await delay(this.#isLookedAt ? firstLookMilliseconds : 0);
        this.#isLookedAt = false;
        if (this.#reads.size > 0) await Promise.race([Promise.allSettled(this.#reads), delay(mostReadMilliseconds)]);
        turned = performance.now();
        signal.throwIfAborted();
      },
    };
  }

  /** Hands out the layers of a run that have come; the first time with all that is known of it. */
  #grow(
    { runId }: Pick<RunInfo, 'runId'>,
    { streams, components, layers, notices }: GrowingReading,
    { model, load }: { readonly model: RunInfo['model']; readonly load: number },
  ): void {
    const isFirst = !this.#attention.has(runId);
    this.#attention.add(runId, layers);
    this.#connection.fire('growing', {
      runId,
      components,
      ...(isFirst
        ? { run: { runId, model, streams, components, notices, timings: { load, tokenize: 0, run: 0 } } }
        : {}),
    });
    this.#isLookedAt ||= isFirst;
  }

  #ranOf(runId: number): Ran {
    const ran = this.#ran.get(runId);
    if (ran === undefined) throw new ExplorerError('unknownRun');
    return ran;
  }

  /** A run by the same model. Throws `noEffects` where it is by another. */
  #besideOf({ spec }: Ran, otherId: number | undefined): Ran | undefined {
    const other = otherId === undefined ? undefined : this.#ranOf(otherId);
    if (other === undefined || (spec !== undefined && other.spec !== undefined && isSameModel(spec, other.spec)))
      return other;
    throw new ExplorerError('noEffects', [
      spec?.path.split(/[\\/]/).at(-1) ?? '',
      'the other text was read by another model, whose heads are not these',
    ]);
  }

  /** Throws `noModelHere` of an attention file. */
  #specOf(runId: number): ModelSpec {
    const { spec, name = '' } = this.#ranOf(runId);
    if (spec === undefined) throw new ExplorerError('noModelHere', [name]);
    return spec;
  }

  async #how({ runId, cell }: HowParams, signal: AbortSignal): Promise<How> {
    signal.throwIfAborted();
    const { fed, streams, components } = this.#ranOf(runId);
    const drawn = await drawnCell(cell, components, streams, (params) => this.#attention.row({ runId, ...params }));
    this.#begin();
    return (await this.#modelOf(runId, signal)).how(drawn, fed);
  }

  /** The model of a run, loaded where it is not. */
  #modelOf(runId: number, signal: AbortSignal): Promise<LoadedModel | ImageModel> {
    const spec = this.#specOf(runId);
    const { streams, isWithinText } = this.#ranOf(runId);
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
      this.#steps(signal, (progress) => this.#connection.fire('progress', progress)),
    );
    letGoWhereCancelled(read.layers, signal);
    const { components, layers, notices, timings } = read;
    const streams = read.streams.map((stream): TokenStream => ({ ...stream, role: 'image' }));
    const runId = this.#nextRun++;
    this.#ran.set(runId, { spec, fed: model.fed, streams, components, isWithinText: true });
    this.#attention.add(runId, layers);
    if (read.picture !== undefined) this.#pictures.add(runId, read.picture);
    this.#log('info', `${model.info.name}: ${numTokensOf({ streams })} tokens of a picture and a text`);
    return {
      runId,
      model: model.info,
      streams,
      components,
      notices,
      timings: { ...timings, load: loaded - started },
    };
  }

  async #explainImage(params: ExplainImageParams, signal: AbortSignal): Promise<RunInfo> {
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
    const { streams, layers, components, notices, answers } = await model.run(
      picture,
      this.#steps(signal, (progress) => this.#connection.fire('progress', progress)),
    );
    letGoWhereCancelled(layers, signal);
    const ranAt = performance.now();
    const runId = this.#nextRun++;
    this.#ran.set(runId, { spec, fed: model.fed, streams, components });
    this.#attention.add(runId, layers);
    this.#pictures.add(runId, picture);
    this.#log(
      'info',
      `${model.info.name}: ${numTokensOf({ streams })} tokens of a picture; load ${(loaded - started).toFixed(0)} ms, picture ${(prepared - loaded).toFixed(0)} ms, run ${(ranAt - prepared).toFixed(0)} ms; ${(this.#attention.bytes / 1e6).toFixed(1)} MB of attention held`,
    );
    return {
      runId,
      model: model.info,
      streams,
      components,
      notices: [...preparing, ...notices],
      inputFacts: facts,
      answers,
      timings: { load: loaded - started, tokenize: prepared - loaded, run: ranAt - prepared },
    };
  }

  #inspect(spec: ModelSpec): Promise<ReportView> {
    const held = this.#served.heldFor(spec);
    return held === undefined ? inspectModel(this.#access, spec) : Promise.resolve(held.report());
  }
}

function noProgress(): void {}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
