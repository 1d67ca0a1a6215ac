import type { Disposable } from '../../base/disposable';
import { ExplorerError } from '../../base/errors';
import type { EngineEvents } from '../../protocol';
import type { Ticks } from './engineWatch';

/**
 * Watches steps that an engine announces because it cannot end them by itself. It counts ticks of the window's own timer and not
 * the time of day: a machine that slept is one tick late.
 */
export class StepWatch implements Disposable {
  readonly #ticks: Ticks;
  readonly #onOverdue: (error: ExplorerError) => void;
  #ticking: Disposable | undefined;

  /** @param onOverdue gets `tookTooLong` for a step that lasts longer than it may. */
  constructor(ticks: Ticks, onOverdue: (error: ExplorerError) => void) {
    this.#ticks = ticks;
    this.#onOverdue = onOverdue;
  }

  /** A step begins, or the last one has ended. */
  set(busy: EngineEvents['busy']): void {
    this.dispose();
    if (busy === null) return;
    const { title, seconds } = busy;
    let passed = 0;
    this.#ticking = this.#ticks(() => {
      if (++passed <= seconds) return;
      this.dispose();
      this.#onOverdue(new ExplorerError('tookTooLong', [title, seconds]));
    });
  }

  dispose(): void {
    this.#ticking?.dispose();
    this.#ticking = undefined;
  }
}
