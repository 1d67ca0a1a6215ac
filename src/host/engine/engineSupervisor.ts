import { delay } from '../../base/delay';
import { MutableDisposable, type Disposable } from '../../base/disposable';
import { Emitter } from '../../base/event';
import { ExplorerError, isCancelled } from '../../base/errors';
import { entry, entryOf } from '../../base/logText';
import type { ProcessEnd } from '../../base/processEnd';
import type {
  EngineEvents,
  EngineOptions,
  ExplainImageParams,
  ExplainParams,
  InputView,
  ModelSpec,
  ReportView,
  ChatTemplateView,
} from '../../protocol';
import type { RunInfo } from '../../model/modelInfo';
import type { Log } from '../say/log';
import { EngineHandle, isSameEngine } from './engineHandle';
import type { EngineLauncher } from './engineLauncher';
import { everySecond, type Ticks } from './engineWatch';
import { HeldRun } from './heldRun';

/** What the window's engine is doing. */
export type EngineState =
  | { readonly kind: 'notStarted' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' }
  | { readonly kind: 'stopped'; /** for the log and the sentence */ readonly reason: string };

/** Asks an engine for a run. */
type RunRequest = (engine: EngineHandle, signal: AbortSignal) => Promise<RunInfo>;

/** An answer, and the engine that gave it. */
interface Answer<T> {
  readonly engine: EngineHandle;
  readonly value: T;
}

/** For how many milliseconds what is waited for. */
interface Patience {
  /** A cancelled engine has so long to answer before it is ended: one that answers is not inside a run and can stay. */
  readonly inRun: number;
  /** Of one that runs in steps, which ends behind the one that it is in. */
  readonly inStep: number;
  /** A window that stood still for so long slept, and its engine with it: a step's time may be over without the step having had it. */
  readonly asleep: number;
}

const usualPatience: Patience = { inRun: 150, inStep: 2000, asleep: 5000 };
/** How long the reason of an end is waited for, once the connection is gone. */
const exitReasonMilliseconds = 1000;
/** A request goes to so many engines at most: the one there was, its spare, and two fresh ones. */
const mostEngines = 4;
/** The spare starts when the run that brought it about has had the time to be drawn. */
const spareDelayMilliseconds = 1000;

/**
 * Starts the window's engine on first use and keeps it: one run at a time, the newest wins. A run that is cancelled ends between its
 * steps; where it has none, or one that is long, its engine is ended, and a spare promoted, which is kept warm after the first run that succeeds.
 */
export class EngineSupervisor implements Disposable {
  readonly #launcher: EngineLauncher;
  readonly #log: Log;
  readonly #ticks: Ticks;
  readonly #patience: Patience;
  readonly #engine = new MutableDisposable<EngineHandle>();
  #spare: EngineHandle | undefined;
  #spareTimer: number | undefined;
  readonly #stateEmitter = new Emitter<EngineState>();
  readonly #progressEmitter = new Emitter<EngineEvents['progress']>();
  readonly onDidChangeState = this.#stateEmitter.event;
  /** Progress of the newest run. */
  readonly onDidProgress = this.#progressEmitter.event;
  #state: EngineState = { kind: 'notStarted' };
  #running: AbortController | undefined;
  /** Settles when the former run has let go of the engine. */
  #turn: Promise<unknown> = Promise.resolve();
  #nextRunId = 1;
  /** How many runs have begun. */
  #numRuns = 0;
  #isBackground = false;
  #isDisposed = false;

  constructor(launcher: EngineLauncher, log: Log, ticks: Ticks = everySecond, patience: Patience = usualPatience) {
    this.#launcher = launcher;
    this.#log = log;
    this.#ticks = ticks;
    this.#patience = patience;
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Process id of the engine, where it has one. */
  get pid(): number | undefined {
    return this.#engine.value?.pid;
  }

  /** Whether a spare engine stands by. */
  get hasSpare(): boolean {
    return this.#spare?.isAlive === true;
  }

  /**
   * Explains a text, and cancels the run before if it has not ended.
   * @param onGrowing is given the run as soon as some of its layers are there, where it is long; it then is the receiver's to release. It
   * mostly is the one that this resolves to, and stops where there is another, or none.
   * Throws `cancelled`, `engineStopped`, or what the engine says; the next call works in every case.
   */
  explain(params: ExplainParams, signal: AbortSignal, onGrowing?: (run: HeldRun) => void): Promise<HeldRun> {
    return this.#queue(params.model, (engine, own) => engine.remote.explain(params, own), signal, onGrowing);
  }

  /**
   * The same, one after the other: it ends no run before it, and no run after it ends it. For runs that are short, as an engine
   * that is ended inside of one has to load its model again. Only the signal ends it.
   */
  explainInTurn(params: ExplainParams, signal: AbortSignal): Promise<HeldRun> {
    const result = this.#turn.then(() =>
      this.#run(params.model, (engine, own) => engine.remote.explain(params, own), signal),
    );
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Whether the engine gives way to whatever else wants the processor, as far as the system lets us say so. */
  setBackground(isBackground: boolean): void {
    this.#isBackground = isBackground;
    this.#engine.value?.setBackground(isBackground);
  }

  /** The same for a picture. */
  explainImage(params: ExplainImageParams, signal: AbortSignal, onGrowing?: (run: HeldRun) => void): Promise<HeldRun> {
    return this.#queue(params.model, (engine, own) => engine.remote.explainImage(params, own), signal, onGrowing);
  }

  #queue(
    model: ModelSpec,
    request: RunRequest,
    signal: AbortSignal,
    onGrowing?: (run: HeldRun) => void,
  ): Promise<HeldRun> {
    this.#running?.abort();
    const controller = new AbortController();
    this.#running = controller;
    const abort = (): void => controller.abort();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const result = this.#turn
      .then(() => this.#run(model, request, controller.signal, onGrowing))
      .finally(() => signal.removeEventListener('abort', abort));
    this.#turn = result.catch(() => {});
    return result;
  }

  /** The extraction report of a model, the one in use when it is asked for. */
  inspect(model: () => ModelSpec, signal: AbortSignal): Promise<ReportView> {
    return this.#document(model, (engine, spec) => engine.remote.inspect(spec, signal), signal);
  }

  /** What the engine's model was fed in its latest run. Throws `nothingRead` where there is no engine, or no run. */
  async input(signal: AbortSignal): Promise<InputView> {
    const engine = this.#engine.value;
    if (engine?.isAlive !== true) throw new ExplorerError('nothingRead', ['']);
    return engine.remote.input({}, signal);
  }

  /** The chat template of a model, likewise. */
  chatTemplate(model: () => ModelSpec, signal: AbortSignal): Promise<ChatTemplateView> {
    return this.#document(model, (engine, spec) => engine.remote.chatTemplate(spec, signal), signal);
  }

  /** Bytes held by the engine; undefined where there is none. */
  async memory(): Promise<{ readonly residentBytes: number; readonly attentionBytes: number } | undefined> {
    const engine = this.#engine.value;
    return engine?.isAlive === true ? engine.remote.memory({}) : undefined;
  }

  /** Ends the engine and its spare, and starts anew. */
  restart(options: EngineOptions): void {
    this.#log.info(entry`Restarting the engine.`);
    this.#running?.abort();
    this.#dropSpare();
    this.#engine.value = undefined;
    this.#setState({ kind: 'notStarted' });
    const engine = this.#take(options);
    this.#warmUp(engine).then(
      () => {
        if (engine === this.#engine.value && this.#state.kind === 'notStarted') this.#setState({ kind: 'idle' });
      },
      () => {},
    );
  }

  /** Starts the process of an engine where none has ever been asked for, while what it will be asked is still looked for. */
  begin(options: EngineOptions): void {
    if (this.#state.kind === 'notStarted' && !this.#isDisposed) this.#take(options);
  }

  /** Starts the engine before it is asked for anything, and loads a model. Throws what the engine says. */
  async prepare(model: ModelSpec): Promise<void> {
    await this.#ask(
      () => this.#take(model),
      (engine) => engine.remote.warmUp({ ...engine.options, model }),
    );
  }

  /** Kills the engine as a crash would, for tests. */
  crash(): void {
    this.#engine.value?.crash();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#running?.abort();
    this.#dropSpare();
    this.#engine.dispose();
    this.#stateEmitter.dispose();
    this.#progressEmitter.dispose();
  }

  async #run(
    model: ModelSpec,
    request: RunRequest,
    signal: AbortSignal,
    onGrowing?: (run: HeldRun) => void,
  ): Promise<HeldRun> {
    let asked: EngineHandle | undefined;
    let growing: HeldRun | undefined;
    let listening: Disposable | undefined;
    const take = async (): Promise<EngineHandle> => {
      if (signal.aborted || this.#isDisposed) throw new ExplorerError('cancelled');
      this.#setState({ kind: 'running' });
      asked = await this.#takeFree(model);
      if (this.#isBackground) asked.setBackground(true);
      const engine = asked;
      listening?.dispose();
      listening = engine.on('growing', ({ run, runId, components }) => {
        if (signal.aborted) return;
        if (growing?.isOf(runId) === true) growing.grow(components);
        if (run === undefined) return;
        growing?.stop();
        growing = new HeldRun(engine, run, { windowRunId: this.#nextRunId++, isGrowing: true });
        onGrowing?.(growing);
      });
      return asked;
    };
    this.#numRuns++;
    try {
      const { engine, value: info } = await this.#ask(take, (taken) => request(taken, signal));
      this.#keepSpare(model);
      if (growing?.isOf(info.runId) !== true || !growing.isHeld)
        return new HeldRun(engine, info, { windowRunId: this.#nextRunId++ });
      growing.complete(info);
      return growing;
    } catch (error) {
      if (onGrowing === undefined) growing?.release();
      if (isCancelled(error)) await this.#letGo(asked);
      else if (error instanceof ExplorerError && error.code === 'outOfMemory') this.#outgrown(asked);
      throw error;
    } finally {
      listening?.dispose();
      growing?.stop();
      if (this.#state.kind === 'running')
        this.#setState({ kind: this.#engine.value?.isAlive === true ? 'idle' : 'notStarted' });
    }
  }

  /**
   * Asks for a document about a model. Explanations go first: where one ends the engine that was asked, or takes its model's files
   * from it, the document is asked for anew when that is through. Throws `cancelled`, and what the engine says.
   */
  async #document<T>(
    model: () => ModelSpec,
    request: (engine: EngineHandle, spec: ModelSpec) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    for (;;) {
      if (signal.aborted || this.#isDisposed) throw new ExplorerError('cancelled');
      const spec = model();
      const numRuns = this.#numRuns;
      const asked: EngineHandle[] = [];
      const take = (): EngineHandle => {
        const engine = this.#reader(spec);
        engine.numDocuments++;
        asked.push(engine);
        return engine;
      };
      try {
        return (await this.#ask(take, (engine) => request(engine, spec))).value;
      } catch (error) {
        const engine = asked.at(-1);
        if (signal.aborted && engine !== undefined && !this.#isRunningOn(engine))
          await this.#letGo(engine, 'its document was cancelled');
        const isOvertaken = this.#numRuns !== numRuns || (isCancelled(error) && engine?.isUnwanted === true);
        if (signal.aborted || !isOvertaken) throw error;
      } finally {
        for (const engine of asked) engine.numDocuments--;
      }
      await this.#turn;
    }
  }

  /** The engine to ask for a document: during a run the spare, which has nothing to do; else the one that there is, whatever it runs on. */
  #reader(model: ModelSpec): EngineHandle {
    const current = this.#engine.value;
    if (this.#spare?.isAlive === true && current !== undefined && this.#isRunningOn(current)) return this.#spare;
    return current?.isAlive === true ? current : this.#take(model);
  }

  #isRunningOn(engine: EngineHandle): boolean {
    return this.#state.kind === 'running' && engine === this.#engine.value;
  }

  /** An engine for a run, which waits for no document: one that is busy with such is ended. */
  async #takeFree(model: ModelSpec): Promise<EngineHandle> {
    let engine = this.#take(model);
    // The spare, which then takes over, may have been asked for one as well.
    for (let tries = 0; tries < 2 && engine.numDocuments > 0; tries++) {
      await this.#letGo(engine, 'an explanation goes before its document');
      if (this.#isDisposed) throw new ExplorerError('cancelled');
      engine = this.#take(model);
    }
    return engine;
  }

  /**
   * Asks an engine. One that proves to be gone before it began is nothing that the request has done: then another is asked. The end of
   * one that did begin is told: `engineStopped` with its reason, `outOfMemory`, or `modelChanged`. What took too long while the machine slept
   * is asked for once more.
   */
  async #ask<T>(
    take: () => EngineHandle | Promise<EngineHandle>,
    request: (engine: EngineHandle) => Promise<T>,
  ): Promise<Answer<T>> {
    let hasSlept = false;
    for (let numAsked = 1; ; numAsked++) {
      const engine = await take();
      const { numBegun, unticked } = engine;
      try {
        return { engine, value: await request(engine) };
      } catch (error) {
        if (!(error instanceof ExplorerError)) throw error;
        if (error.code === 'tookTooLong' && !hasSlept && engine.unticked - unticked >= this.#patience.asleep) {
          hasSlept = true;
          this.#log.info(entry`The machine slept meanwhile: the engine is asked once more.`);
          continue;
        }
        if (error.code !== 'disconnected') throw error;
        if (engine.isUnwanted) throw engine.endedBy ?? new ExplorerError('cancelled');
        const end = await Promise.race([
          engine.exited,
          delay(exitReasonMilliseconds).then((): ProcessEnd => ({ kind: 'other', reason: 'the connection was lost' })),
        ]);
        this.#stopped(engine, end);
        if (engine.numBegun > numBegun || numAsked >= mostEngines) throw endError(end, error);
        this.#log.info(entry`The engine was gone before it began: another is asked.`);
      }
    }
  }

  /** The engine to use: the one there is, else the spare, else a new one. */
  #take(options: EngineOptions): EngineHandle {
    const current = this.#engine.value;
    if (current !== undefined && current.isAlive && isSameEngine(current.options, options)) return current;
    const spare = this.#spare;
    if (spare !== undefined && spare.isAlive && isSameEngine(spare.options, options)) {
      this.#promote();
      return spare;
    }
    this.#dropSpare();
    const engine = this.#launch(options);
    this.#engine.value = engine;
    return engine;
  }

  #launch({ backend, threads }: EngineOptions): EngineHandle {
    const engine = new EngineHandle(this.#launcher.launch(), { backend, threads }, this.#ticks);
    this.#log.debug(entry`Engine started${engine.pid === undefined ? '' : ` as process ${engine.pid}`}.`);
    engine.on('log', ({ level, message }) => this.#log[level](entryOf('', message)));
    engine.on('progress', (progress) => {
      if (engine === this.#engine.value) this.#progressEmitter.fire(progress);
    });
    engine.watchSteps(this.#ticks, ({ message }) => this.#end(engine, message));
    void engine.exited.then((end) => this.#stopped(engine, end));
    return engine;
  }

  /** Makes the spare the engine. */
  #promote(): void {
    const spare = this.#spare;
    if (spare === undefined) return;
    this.#spare = undefined;
    this.#engine.value = spare;
    this.#log.debug(entry`The spare engine takes over.`);
  }

  /** After something was cancelled: the engine stays if it answers, which it cannot do inside a run. */
  async #letGo(engine: EngineHandle | undefined, why = 'its run was cancelled'): Promise<void> {
    if (engine === undefined || !engine.isAlive || engine.isUnwanted) return;
    const isFree = await Promise.race([
      engine.remote.memory({}).then(
        () => true,
        () => false,
      ),
      delay(engine.isInSteps ? this.#patience.inStep : this.#patience.inRun).then(() => false),
    ]);
    if (!isFree) this.#end(engine, why);
  }

  #end(engine: EngineHandle, why: string): void {
    if (engine === this.#spare) this.#dropSpare();
    else this.#replace(engine, why);
  }

  #replace(engine: EngineHandle, why: string): void {
    if (engine !== this.#engine.value) return;
    this.#log.info(entry`Engine ended: ${why}.`);
    this.#engine.value = undefined;
    if (this.hasSpare) this.#promote();
  }

  /** After a run for which there was not enough memory: what the runtime's heap has grown to is never given back, and a fresh engine has room again. */
  #outgrown(engine: EngineHandle | undefined): void {
    if (engine?.isAlive === true) this.#replace(engine, 'it ran out of memory');
    // The run says what happened; nothing is left of it that would have to be started again by hand.
    else if (this.#state.kind === 'stopped') this.#setState({ kind: 'notStarted' });
  }

  #stopped(engine: EngineHandle, { kind, reason: what }: ProcessEnd): void {
    if (engine.isUnwanted) return;
    const reason =
      kind === 'memory'
        ? `not enough memory for ${what}`
        : kind === 'files'
          ? `the model's file ${what} changed`
          : what;
    if (engine === this.#spare) {
      this.#log.warn(entry`The spare engine stopped: ${reason}.`);
      this.#dropSpare();
    } else if (engine === this.#engine.value) {
      this.#log.error(entry`The engine stopped: ${reason}.`);
      this.#engine.value = undefined;
      this.#setState({ kind: 'stopped', reason });
    }
  }

  #keepSpare(options: EngineOptions): void {
    if (this.#isDisposed || this.hasSpare || this.#spareTimer !== undefined) return;
    this.#spareTimer = setTimeout(() => {
      this.#spareTimer = undefined;
      if (this.#isDisposed || this.hasSpare) return;
      this.#spare = this.#launch(options);
      this.#warmUp(this.#spare).catch(() => {});
    }, spareDelayMilliseconds);
  }

  #dropSpare(): void {
    clearTimeout(this.#spareTimer);
    this.#spareTimer = undefined;
    const spare = this.#spare;
    this.#spare = undefined;
    spare?.dispose();
  }

  async #warmUp(engine: EngineHandle): Promise<void> {
    try {
      await engine.remote.warmUp(engine.options);
    } catch (error) {
      if (!engine.isUnwanted)
        this.#log.warn(entry`An engine did not warm up: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }

  #setState(state: EngineState): void {
    if (this.#isDisposed || (state.kind === this.#state.kind && state.kind !== 'stopped')) return;
    this.#state = state;
    this.#stateEmitter.fire(state);
  }
}

/** What the end of an engine inside a request is to the person. */
function endError({ kind, reason }: ProcessEnd, cause: unknown): ExplorerError {
  const codes = { memory: 'outOfMemory', files: 'modelChanged', other: 'engineStopped' } as const;
  return new ExplorerError(codes[kind], [reason], { cause });
}
