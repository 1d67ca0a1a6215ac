// Ends engines at random moments, as an accident would, and asks for a run after each: it must be given. The supervisor and the engine are the
// window's own; what is asked when the engine ends must say so, be cancelled, or be answered.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ExplorerError } from '../../src/base/errors';
import { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import { seededRandom } from '../unit/onnx/mutate';
import { below, oneOf } from './fuzz/fuzzTarget';
import { Ledger, readOrder } from './ledger';
import { source } from './models';

const ledger = new Ledger(readOrder());
const random = seededRandom(ledger.order.seed + ledger.order.from);
const said: string[] = [];
const note = (line: string): void => void said.push(line);
const supervisor = new EngineSupervisor(nodeEngineLauncher(resolve('dist/engine.node.cjs'), note), { debug: note, info: note, warn: note, error: note });
const model = { path: resolve('media/models/code-decoder'), backend: 'auto', threads: 1 } as const;
const never = new AbortController().signal;
/** A run that takes longer never comes: with a cold start it takes a second on an idle machine. */
const patienceMilliseconds = 60_000;

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Engines that live below this process. */
function engines(): number[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('engine.node.cjs');
    } catch {
      return false; // it just ended
    }
  });
}

async function explain(): Promise<string> {
  const from = below(random, source.length - 500);
  try {
    const run = await Promise.race([supervisor.explain({ model, text: source.slice(from, from + 40 + below(random, 400)), tokenLimit: 0 }, never), wait(patienceMilliseconds).then(() => undefined)]);
    if (run === undefined) return 'never';
    run.release();
    return 'answered';
  } catch (error) {
    return error instanceof ExplorerError ? error.code : `untyped: ${String(error)}`;
  }
}

await explain();
while (ledger.goesOn) {
  said.length = 0;
  const moment = oneOf(random, ['idle', 'asked', 'running', 'right after']);
  const signal = oneOf(random, ['SIGKILL', 'SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGABRT'] as const);
  const asked = moment === 'idle' || moment === 'right after' ? undefined : explain();
  await wait(moment === 'asked' ? 0 : below(random, moment === 'running' ? 400 : 30));
  const found = engines();
  // Sometimes the spare is meant, and sometimes all there are.
  const chosen = random() < 0.2 ? found : found.length > 0 ? [random() < 0.7 ? found[0] : oneOf(random, found)] : [];
  for (const pid of chosen) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended by itself
    }
  }
  // The next request comes at once, or when the end has been noticed.
  if (moment !== 'right after') await wait(below(random, 60));
  const started = performance.now();
  const next = explain();
  const during = await asked;
  if (during !== undefined) {
    ledger.count(`during: ${during}`);
    if (!['answered', 'engineStopped', 'cancelled'].includes(during)) ledger.fail(`what was asked before the end: ${during}`, `${moment}, ${signal}\n${said.join('\n')}`);
  }
  const after = await next;
  ledger.count(`after: ${after}`);
  if (after !== 'answered') ledger.fail(`the request after the end: ${after}`, `${moment}, ${signal}, ${chosen.length} of ${found.length} engines\n${said.join('\n')}`);
  ledger.most('ms to the next answer', performance.now() - started);
  ledger.done();
}
ledger.flush();
supervisor.dispose();
process.exit(0);
