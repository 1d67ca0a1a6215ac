import { ExplorerError } from '../../src/base/errors';
import type { EngineLauncher, EngineProcess } from '../../src/host/engine/engineLauncher';
import { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import type { Log } from '../../src/host/say/log';
import type { ExplainParams } from '../../src/protocol';

/** When an engine's process is killed: with nothing to do; as it starts; at the moment of a request; inside a run; and the same of its spare, or of both. */
export const killMoments = ['idle', 'launching', 'asSent', 'inRun', 'spare', 'both'] as const;
export type KillMoment = (typeof killMoments)[number];

/** What is to be killed, how often. */
export interface KillPlan {
  readonly launcher: EngineLauncher;
  /** A short text, and one whose run takes a while. */
  readonly short: ExplainParams;
  readonly long: ExplainParams;
  readonly moments: readonly KillMoment[];
  /** In [0, 1): the same numbers make the same kills, as far as two processes can. */
  readonly random: () => number;
  /** What ends a process; SIGKILL unless told otherwise. */
  readonly signal?: () => NodeJS.Signals;
  readonly log?: Log;
  /** Is told of each kill and what came of it. */
  readonly onKill?: (outcome: KillOutcome) => void;
}

/** What came of one kill. */
export interface KillOutcome {
  readonly moment: KillMoment;
  /** `none`, or the code of the error that the request under way ended with; undefined where there was none. */
  readonly during: string | undefined;
  /** The same of the next request, which has to work. */
  readonly next: string;
  /** Milliseconds that the next request took. */
  readonly nextMilliseconds: number;
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const never = new AbortController().signal;
const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Kills real engines at random moments, one kill a moment of the plan, and asks anew after each; resolves to what came of them. */
export async function killEngines({
  launcher,
  short,
  long,
  moments,
  random,
  signal = () => 'SIGKILL',
  log = silent,
  onKill,
}: KillPlan): Promise<KillOutcome[]> {
  const launched: EngineProcess[] = [];
  const supervisor = new EngineSupervisor(
    { launch: () => (launched.push(launcher.launch()), launched[launched.length - 1]) },
    log,
  );
  const ask = (params: ExplainParams): Promise<string> =>
    supervisor.explain(params, never).then((run) => (run.release(), 'none'), codeOf);
  const kill = (pid: number | undefined): void => {
    if (pid === undefined) return;
    try {
      process.kill(pid, signal());
    } catch {
      // It was gone already.
    }
  };
  const killSpare = (): void => {
    for (const { pid } of launched.slice(-2)) if (pid !== supervisor.pid) kill(pid);
  };
  /** Half of the kills come with no time between. */
  const wait = (most: number): Promise<void> => (random() < 0.5 ? Promise.resolve() : pause(random() * most));
  const outcomes: KillOutcome[] = [];
  try {
    for (const moment of moments) {
      let under: Promise<string> | undefined;
      await ask(short);
      switch (moment) {
        case 'idle':
          kill(supervisor.pid);
          await wait(30);
          break;
        case 'launching':
          supervisor.restart(short.model);
          await wait(150);
          kill(supervisor.pid);
          await wait(30);
          break;
        case 'asSent':
          under = ask(long);
          await wait(1);
          kill(supervisor.pid);
          break;
        case 'inRun':
          under = ask(long);
          await pause(random() * 60);
          kill(supervisor.pid);
          break;
        case 'spare':
        case 'both':
          for (let i = 0; i < 300 && !supervisor.hasSpare; i++) await pause(10);
          await wait(150);
          killSpare();
          if (moment === 'both') kill(supervisor.pid);
          await wait(30);
          break;
      }
      const during = await under;
      const started = performance.now();
      const outcome = { moment, during, next: await ask(short), nextMilliseconds: performance.now() - started };
      outcomes.push(outcome);
      onKill?.(outcome);
    }
  } finally {
    supervisor.dispose();
  }
  return outcomes;
}

function codeOf(error: unknown): string {
  return error instanceof ExplorerError ? error.code : `not typed: ${String(error)}`;
}
