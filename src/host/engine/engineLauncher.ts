import type { Disposable } from '../../base/disposable';
import type { Event } from '../../base/event';
import type { ProcessEnd } from '../../base/processEnd';
import type { EngineApi, EngineEvents } from '../../protocol';
import type { Connection } from '../../rpc/connection';

/** A running engine: a forked process on the desktop, a Worker in the web host. */
export interface EngineProcess extends Disposable {
  readonly connection: Connection<EngineApi, object, EngineEvents>;
  /** Ends it at once, whatever it does; `onExit` follows. */
  kill(): void;
  /** Gives way to other processes, or no longer; where the system knows no such thing it is missing. */
  setBackground?(isBackground: boolean): void;
  /** Fires once, with the reason. */
  readonly onExit: Event<ProcessEnd>;
  /** Fires about once a second as long as the process runs, whatever the engine does in it; missing where that cannot be told. */
  readonly onBeat?: Event<undefined>;
  /** The process id; undefined for a Worker. */
  readonly pid: number | undefined;
}

/** Starts engines of the kind that this host can have. */
export interface EngineLauncher {
  launch(): EngineProcess;
}
