import { ExplorerError } from '../../base/errors';
import type { EngineEvents } from '../../protocol';
import { mostSeconds, timeLimits, type TimedStep, type TimeLimit } from './timeLimits';

/** Does work, and ends it with a {@link TimeIsUpError} when its milliseconds are over, wherever it is: what it was changing may then be half-changed. */
export type Interrupt = <T>(milliseconds: number, work: () => T) => T;

/** Says that work was ended. */
export class TimeIsUpError extends Error {}

/** What {@link Deadlines} need of their host. */
export interface DeadlineOptions {
  /** Undefined where the host cannot interrupt its own thread, as in a web worker. */
  readonly interrupt?: Interrupt | undefined;
  /** Told, where there is no `interrupt`, before each step how long it may take, and `null` after it. */
  readonly announce?: (busy: EngineEvents['busy']) => void;
  readonly limits?: Readonly<Record<TimedStep, TimeLimit>> | undefined;
}

/** Keeps steps that hold the thread within their time. */
export class Deadlines {
  readonly #interrupt: Interrupt | undefined;
  readonly #announce: (busy: EngineEvents['busy']) => void;
  readonly #limits: Readonly<Record<TimedStep, TimeLimit>>;

  constructor({ interrupt, announce = () => {}, limits = timeLimits }: DeadlineOptions = {}) {
    this.#interrupt = interrupt;
    this.#announce = announce;
    this.#limits = limits;
  }

  /** Does a step on something of a size (see {@link timeLimits}). Throws `tookTooLong` where it was ended, and what `work` throws. */
  run<T>(step: TimedStep, size: number, work: () => T): T {
    const { title } = this.#limits[step];
    const seconds = mostSeconds(this.#limits[step], size);
    if (this.#interrupt === undefined) {
      this.#announce({ title, seconds });
      try {
        return work();
      } finally {
        this.#announce(null);
      }
    }
    try {
      return this.#interrupt(seconds * 1000, work);
    } catch (error) {
      throw error instanceof TimeIsUpError
        ? new ExplorerError('tookTooLong', [title, seconds], { cause: error })
        : error;
    }
  }
}

/** For work that nobody watches. */
export const noDeadlines = new Deadlines();
