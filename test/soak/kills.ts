// Ends engines at random moments, as accidents would, and asks for a run after each: it must be given. The supervisor and the engine are the
// window's own; what was asked when the engine ended must say so, or be answered.
import { resolve } from 'node:path';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import type { ExplainParams } from '../../src/protocol';
import { killEngines, killMoments, seeded } from '../harness/engineKills';
import { oneOf } from './fuzz/fuzzTarget';
import { Ledger, readOrder } from './ledger';
import { measuredModel, source } from './models';

const ledger = new Ledger(readOrder());
const random = seeded(ledger.order.seed + ledger.order.from);
const explain = (length: number): ExplainParams => ({
  model: { path: measuredModel, backend: 'auto', threads: 1 },
  text: source.slice(0, length),
  tokenLimit: 0,
});
const said: string[] = [];
const note = (line: string): void => void said.push(line);
/** Kills of one supervisor. */
const perSupervisor = 10;

while (ledger.goesOn) {
  const moments = Array.from(
    { length: Math.min(perSupervisor, ledger.order.from + ledger.order.count - ledger.at) },
    () => oneOf(random, killMoments),
  );
  await killEngines({
    launcher: nodeEngineLauncher(resolve('dist/engine.node.cjs'), note),
    short: explain(200),
    long: explain(3000),
    moments,
    random,
    signal: () => oneOf(random, ['SIGKILL', 'SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGABRT']),
    log: { debug: note, info: note, warn: note, error: note },
    onKill: ({ moment, during, next, nextMilliseconds }) => {
      ledger.count(moment);
      if (during !== undefined) ledger.count(`during: ${during}`);
      if (next !== 'none' || !['none', 'engineStopped', undefined].includes(during))
        ledger.fail(`${moment}: during ${String(during)}, after ${next}`, said.join('\n'));
      ledger.most('ms to the next answer', nextMilliseconds);
      ledger.done();
      said.length = 0;
    },
  });
}
ledger.flush();
process.exit(0);
