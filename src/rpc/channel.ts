import type { Disposable } from '../base/disposable';
import type { Event } from '../base/event';

/** A pipe for structured-clonable messages (typed arrays included) between two sides. */
export interface Channel extends Disposable {
  send(message: unknown): void;
  readonly onMessage: Event<unknown>;
  /** Fires once, when no message will come or go any more; the text says why, for the log. */
  readonly onClose: Event<string>;
}
