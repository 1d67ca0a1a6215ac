import { DisposableStore, type Disposable } from '../../base/disposable';
import type { EngineApi, EngineEvents, EngineOptions } from '../../protocol';
import type { Client } from '../../rpc/connection';
import type { EngineProcess } from './engineLauncher';

/** A started engine, with what its supervisor must know of it. */
export class EngineHandle implements Disposable {
  readonly #process: EngineProcess;
  readonly #store = new DisposableStore();
  /** What it was asked to run on; that cannot change while it lives. */
  readonly options: EngineOptions;
  /** Resolves with the reason when the engine is gone. */
  readonly exited: Promise<string>;
  #isAlive = true;
  #isUnwanted = false;
  #isBackground = false;

  constructor(process: EngineProcess, options: EngineOptions) {
    this.#process = process;
    this.options = options;
    this.exited = new Promise((resolve) => {
      this.#store.add(
        process.onExit((reason) => {
          this.#isAlive = false;
          resolve(reason);
        }),
      );
    });
  }

  get remote(): Client<EngineApi> {
    return this.#process.connection.remote;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Whether we ended it ourselves: then its end is no crash. */
  get isUnwanted(): boolean {
    return this.#isUnwanted;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  on<K extends keyof EngineEvents>(event: K, listener: (value: EngineEvents[K]) => void): void {
    this.#store.add(this.#process.connection.on(event, listener));
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
}

/** Whether an engine with these options serves for those. */
export function isSameEngine(a: EngineOptions, b: EngineOptions): boolean {
  return a.backend === b.backend && a.threads === b.threads;
}
