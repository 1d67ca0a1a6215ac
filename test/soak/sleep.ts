// A machine that sleeps: the window's process and its engines stand still for a while and go on. Nothing counts as dead then, and what was
// asked is answered. An engine that stands still alone is noticed instead.
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExplorerError } from '../../src/base/errors';
import { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import { Ledger, readOrder } from './ledger';
import { measuredModel, source } from './models';

/** What the window's process says. */
type Word =
  | { readonly kind: 'state'; readonly state: string }
  | { readonly kind: 'answer'; readonly code: string; readonly milliseconds: number };

const never = new AbortController().signal;
const wait = (milliseconds: number): Promise<void> => new Promise((turn) => setTimeout(turn, milliseconds));
/** An engine that stands still must be noticed within this time: one that has not yet beaten has sixty ticks, which a busy machine lets come late. */
const noticeMilliseconds = 120_000;

if (process.argv[2] === 'window') beWindow();
else await sleepAndWake(new Ledger(readOrder()));

/** A window: explains what it is asked to, and says what it sees of its engine. */
function beWindow(): void {
  const say = (word: Word): void => void process.send?.(word);
  const note = (): void => {};
  const supervisor = new EngineSupervisor(nodeEngineLauncher(resolve('dist/engine.node.cjs'), note), {
    debug: note,
    info: note,
    warn: note,
    error: note,
  });
  supervisor.onDidChangeState((state) =>
    say({ kind: 'state', state: state.kind === 'stopped' ? `stopped: ${state.reason}` : state.kind }),
  );
  process.on('message', (length: number) => {
    const began = performance.now();
    supervisor
      .explain(
        { model: { path: measuredModel, backend: 'auto', threads: 1 }, text: source.slice(0, length), tokenLimit: 0 },
        never,
      )
      .then(
        (run) => {
          run.release();
          say({ kind: 'answer', code: 'answered', milliseconds: performance.now() - began });
        },
        (error: unknown) =>
          say({
            kind: 'answer',
            code: error instanceof ExplorerError ? error.code : String(error),
            milliseconds: performance.now() - began,
          }),
      );
  });
}

function below(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return [...children, ...children.flatMap(below)];
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) process.kill(pid, name);
}

async function sleepAndWake(ledger: Ledger): Promise<void> {
  const { isShort } = ledger.order;
  while (ledger.goesOn) {
    // Asleep for longer than any heartbeat waits; in the middle of a run, and with nothing to do.
    const asleep = isShort ? 3000 : 20_000 + (ledger.at % 3) * 20_000;
    await inWindow(async (window, said) => {
      await ask(window, said, 200);
      await wait(isShort ? 200 : 3000);
      const asked = ledger.at % 2 === 0 ? ask(window, said, 4000) : undefined;
      await wait(5);
      const all = [window.pid ?? 0, ...below(window.pid ?? 0)];
      signal(all, 'SIGSTOP');
      await wait(asleep);
      signal(all, 'SIGCONT');
      if (asked !== undefined) check(await asked, 'what was asked before it slept');
      // Timers that slept too come due now: whatever they make of it shows soon.
      await wait(isShort ? 500 : 15_000);
      check(await ask(window, said, 200), 'what was asked after it slept');
      for (const state of said.states)
        if (state.startsWith('stopped')) ledger.fail('an engine counts as dead after the machine slept', state);
      ledger.count('slept and woke');
    });
    // Noticing takes as long as a heartbeat waits.
    if (!isShort)
      await inWindow(async (window, said) => {
        await ask(window, said, 200);
        signal(below(window.pid ?? 0), 'SIGSTOP');
        const began = performance.now();
        const code = await Promise.race([ask(window, said, 200), wait(noticeMilliseconds).then(() => 'nothing')]);
        if (code === 'nothing')
          return ledger.fail('an engine that stands still is not noticed', said.states.join(', '));
        ledger.count(`engine alone: ${code}`);
        ledger.most('ms until it is noticed', performance.now() - began);
        check(await ask(window, said, 200), 'what was asked after it stood still');
      });
    ledger.done();
  }
  ledger.flush();
  process.exit(0);

  function check(code: string, what: string): void {
    if (code !== 'answered') ledger.fail(`${what}: ${code}`);
  }
}

/** What a window said so far. */
interface Said {
  readonly states: string[];
  answered: (code: string) => void;
}

function ask(window: ChildProcess, said: Said, length: number): Promise<string> {
  return new Promise((answered) => {
    said.answered = answered;
    window.send(length);
  });
}

async function inWindow(test: (window: ChildProcess, said: Said) => Promise<void>): Promise<void> {
  const window = fork(fileURLToPath(import.meta.url), ['window']);
  const said: Said = { states: [], answered: () => {} };
  window.on('message', (word: Word) => {
    if (word.kind === 'state') said.states.push(word.state);
    else said.answered(word.code);
  });
  try {
    await test(window, said);
  } finally {
    const all = [window.pid ?? 0, ...below(window.pid ?? 0)];
    signal(all, 'SIGKILL');
  }
}
