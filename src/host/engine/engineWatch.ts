import { toDisposable, type Disposable } from '../../base/disposable';
import type { Event } from '../../base/event';

/** Calls a listener once a second, as far as this process runs: what is late is not made up for. */
export type Ticks = (listener: () => void) => Disposable;

/** Ticks of this process' own timer. */
export const everySecond: Ticks = (listener) => {
  let isOver = false;
  let timer = setTimeout(tick, 1000);
  function tick(): void {
    listener();
    if (!isOver) timer = setTimeout(tick, 1000);
  }
  return toDisposable(() => {
    isOver = true;
    clearTimeout(timer);
  });
};

/** What is watched of an engine. */
export interface WatchedEngine {
  /** See `EngineProcess.onBeat`. */
  readonly onBeat: Event<undefined> | undefined;
  /** Whether it has been asked for something that it has not answered. */
  isBusy(): boolean;
  /** Asks for an answer that costs nothing. */
  ask(): Promise<unknown>;
}

/** A process that beat and does not for so many ticks is stopped; one that never did gets longer, as it may come from a slow disk. */
const silentTicks = { beaten: 10, fresh: 60 };
/** An engine with nothing to do is asked for a sign every so many ticks, and has so many to give one. */
const idleTicks = { pause: 30, patience: 20 };

/**
 * Notices an engine that lives no more though its process is there: stopped, or stuck. It counts ticks of the window's own timer and not the
 * time of day: while the machine sleeps neither side runs, and afterwards one tick is late.
 */
export function watchEngine(engine: WatchedEngine, ticks: Ticks, onSilent: (reason: string) => void): Disposable {
  let hasBeaten = false;
  let sinceBeat = 0;
  let sinceAnswer = 0;
  let isAsked = false;
  const beats = engine.onBeat?.(() => {
    hasBeaten = true;
    sinceBeat = 0;
  });
  const ticking = ticks(() => {
    sinceBeat++;
    sinceAnswer = engine.isBusy() && !isAsked ? 0 : sinceAnswer + 1;
    const most = hasBeaten ? silentTicks.beaten : silentTicks.fresh;
    if (engine.onBeat !== undefined && sinceBeat > most)
      return onSilent(`its process gave no sign of life for ${most} seconds`);
    if (isAsked && sinceAnswer > idleTicks.pause + idleTicks.patience)
      return onSilent(`it did not answer for ${idleTicks.patience} seconds`);
    if (isAsked || sinceAnswer < idleTicks.pause) return;
    isAsked = true;
    const answered = (): void => {
      isAsked = false;
      sinceAnswer = 0;
    };
    engine.ask().then(answered, answered);
  });
  return toDisposable(() => {
    beats?.dispose();
    ticking.dispose();
  });
}
