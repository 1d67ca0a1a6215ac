import { delay } from '../../base/delay';
import type { ReadingSteps } from '../text/textModel';

/** A run blocks its thread: messages that are under way, a cancellation among them, get a turn at least so often between its steps. */
const turnMilliseconds = 30;
/** When the first layers of a run are there, it waits so long for what is asked of them. */
const firstLookMilliseconds = 20;
/** And between its layers at most so long for what is being read: whoever looks at some goes before those to come. */
const mostReadMilliseconds = 2000;

/** When a run, which holds its thread, lets others have their turn. */
export class RunTurns {
  /** Whether the first layers of a run have just been handed out. */
  #isLookedAt = false;
  /** Attention that is being read. */
  readonly #reads = new Set<Promise<unknown>>();

  /** The first layers of a run are handed out: what is looked at of them is asked for at once. */
  lookAt(): void {
    this.#isLookedAt = true;
  }

  /** Reads attention that is held; between its layers a run waits for that. */
  async read<T>(reading: Promise<T>): Promise<T> {
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
  }

  /** What a run that reads does between its steps: what is asked of layers that are there goes before the next one. */
  steps(signal: AbortSignal, onProgress: ReadingSteps['onProgress'] = () => {}): ReadingSteps {
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
}
