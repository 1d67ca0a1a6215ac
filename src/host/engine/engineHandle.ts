import { DisposableStore, type Disposable } from '../../base/disposable';
import type { ExplorerError } from '../../base/errors';
import type { ProcessEnd } from '../../base/processEnd';
import type { EngineApi, EngineEvents, EngineOptions } from '../../protocol';
import type { Client } from '../../rpc/connection';
import { engineMethods } from '../../rpc/methods';
import type { EngineProcess } from './engineLauncher';
import { watchEngine, type Ticks } from './engineWatch';
import { StepWatch } from './stepWatch';

/** A started engine, with what its supervisor must know of it. */
export class EngineHandle implements Disposable {
  readonly #process: EngineProcess;
  readonly #store = new DisposableStore();
  /** What it was asked to run on; that cannot change while it lives. */
  readonly options: EngineOptions;
  /** Resolves with the reason when the engine is gone. */
  readonly exited: Promise<ProcessEnd>;
  readonly remote: Client<EngineApi>;
  #settleExit: (end: ProcessEnd) => void = () => {};
  #numWaiting = 0;
  #numTicks = 0;
  #numBegun = 0;
  #isAlive = true;
  #isUnwanted = false;
  #isBackground = false;
  #isInSteps = false;
  #endedBy: ExplorerError | undefined;
  /** How many documents about a model it has been asked for and has not given. */
  numDocuments = 0;

  constructor(process: EngineProcess, options: EngineOptions, ticks: Ticks) {
    this.#process = process;
    this.options = options;
    this.remote = this.#counted(process.connection.remote);
    this.exited = new Promise((resolve) => (this.#settleExit = resolve));
    this.#store.add(process.onExit((end) => this.#over(end)));
    this.on('began', () => {
      this.#numBegun++;
      this.#isInSteps = false;
    });
    this.on(
      'progress',
      ({ stage, fraction }) =>
        (this.#isInSteps = fraction !== undefined || stage === 'readModel' || stage === 'loadModel'),
    );
    const watched = {
      onBeat: process.onBeat,
      isBusy: () => this.#numWaiting > 0,
      ask: () => process.connection.remote.memory({}),
    };
    const counted: Ticks = (listener) =>
      ticks(() => {
        this.#numTicks++;
        listener();
      });
    this.#store.add(watchEngine(watched, counted, (reason) => this.#end({ kind: 'other', reason })));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Whether we ended it ourselves: then its end is no crash. */
  get isUnwanted(): boolean {
    return this.#isUnwanted;
  }

  /** Why we ended it, where that is the answer to what it was asked. */
  get endedBy(): ExplorerError | undefined {
    return this.#endedBy;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Tells of a step that lasts longer than it may, where the engine cannot end it by itself; that is then what ends the engine. */
  watchSteps(ticks: Ticks, onOverdue: (error: ExplorerError) => void): void {
    const watch = this.#store.add(
      new StepWatch(ticks, (error) => {
        this.#endedBy = error;
        onOverdue(error);
      }),
    );
    this.on('busy', (busy) => watch.set(busy));
  }

  /** Whether what it does lets messages in now and then, and ends there when it is cancelled; a model that is being loaded is then there for the next run. */
  get isInSteps(): boolean {
    return this.#isInSteps;
  }

  /** How many requests it has begun to work on: whoever asked and finds no more of them when it is gone was not what ended it. */
  get numBegun(): number {
    return this.#numBegun;
  }

  /** Milliseconds that ticks do not account for: what it grows by from one moment to another, this window stood still in between, as the machine slept. */
  get unticked(): number {
    return performance.now() - 1000 * this.#numTicks;
  }

  on<K extends keyof EngineEvents>(event: K, listener: (value: EngineEvents[K]) => void): Disposable {
    // A run listens while it is under way, and knows its text and its document.
    return this.#store.addPassing(this.#process.connection.on(event, listener));
  }

  /** Gives way to other processes, or no longer. */
  setBackground(isBackground: boolean): void {
    if (!this.#isAlive || isBackground === this.#isBackground) return;
    this.#isBackground = isBackground;
    this.#process.setBackground?.(isBackground);
  }

  /** Ends it as an accident would. */
  crash(): void {
    this.#process.kill();
  }

  /** Ends it at once; nobody is told of a crash. */
  dispose(): void {
    if (this.#isAlive) this.#isUnwanted = true;
    this.#isAlive = false;
    this.#store.dispose();
    this.#process.dispose();
  }

  /** Ends a process that answers no more, without waiting for it: one inside the system's own code may not go at once. */
  #end(end: ProcessEnd): void {
    this.#over(end);
    this.#process.dispose();
  }

  #over(end: ProcessEnd): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#store.dispose();
    this.#settleExit(end);
  }

  #counted(remote: Client<EngineApi>): Client<EngineApi> {
    const count = async <T>(answer: Promise<T>): Promise<T> => {
      this.#numWaiting++;
      try {
        return await answer;
      } finally {
        this.#numWaiting--;
      }
    };
    const calls = engineMethods.map((name) => [
      name,
      (params: never, signal?: AbortSignal) => count<unknown>(remote[name](params, signal)),
    ]);
    return Object.fromEntries(calls) as Client<EngineApi>; // each method as it was, counted
  }
}

/** Whether an engine with these options serves for those. */
export function isSameEngine(a: EngineOptions, b: EngineOptions): boolean {
  return a.backend === b.backend && a.threads === b.threads;
}
