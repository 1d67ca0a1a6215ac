import type { Disposable } from '../../base/disposable';
import type { Event } from '../../base/event';
import type { EngineApi, EngineEvents } from '../../protocol';
import type { Connection } from '../../rpc/connection';

/** A running engine: a forked process on the desktop, a Worker in the web host. */
export interface EngineProcess extends Disposable {
  readonly connection: Connection<EngineApi, object, EngineEvents>;
  /** Ends it at once, whatever it does; `onExit` follows. */
  kill(): void;
  /** Gives way to other processes, or no longer; where the system knows no such thing it is missing. */
  setBackground?(isBackground: boolean): void;
  /** Fires once, with a reason for the log. */
  readonly onExit: Event<string>;
  /** The process id; undefined for a Worker. */
  readonly pid: number | undefined;
}

/** Starts engines of the kind that this host can have. */
export interface EngineLauncher {
  launch(): EngineProcess;
}
