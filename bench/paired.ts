// One round of what must not get slower, in milliseconds, as JSON: the same file measures this build and, beside it, an older one
// (`npm run bench -- --against COMMIT`). It runs in the folder of the build that it measures, whose sources it is bundled with.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { nodeEngineLauncher } from '../src/host/engine/launchEngine.node';
import { median } from './statistics';

const path = resolve('media/models/code-decoder');
const text = Array.from({ length: 200 }, (_, i) => `def f${i}(a, b):\n    return [a + ${i}, b * ${i % 7}]\n`).join('\n');
const launcher = nodeEngineLauncher(resolve('dist/engine.node.cjs'), () => {});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** From the start of the engine's process to the first result, 64 tokens. */
async function coldStart(backend: 'native' | 'wasm'): Promise<number> {
  const engine = launcher.launch();
  const milliseconds = await timed(() => engine.connection.remote.explain({ model: { path, backend, threads: 0 }, text, tokenLimit: 64 }));
  engine.dispose();
  return milliseconds;
}

/** Later runs in one engine, and the first time that it meets a long text. */
async function warm(): Promise<{ readonly run: number; readonly firstTokens: number; readonly laterTokens: number }> {
  const engine = launcher.launch();
  const { remote } = engine.connection;
  const explain = async (what: string, tokenLimit: number) => {
    const { runId, timings } = await remote.explain({ model: { path, backend: 'auto', threads: 0 }, text: what, tokenLimit });
    await remote.release({ runId });
    return timings;
  };
  const runs: number[] = [];
  for (let i = 0; i < 8; i++) runs.push((await explain(text, 256)).run);
  const long = text.repeat(Math.ceil(1e5 / text.length)).slice(0, 1e5);
  const firstTokens = (await explain(long, 16)).tokenize;
  const later = [];
  for (let i = 0; i < 3; i++) later.push((await explain(long, 16)).tokenize);
  engine.dispose();
  return { run: median(runs.slice(1)), firstTokens, laterTokens: median(later) };
}

/** The report of a model on the command line, the start of Node with it. */
function inspect(): number {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, ['dist/cli.cjs', 'inspect', path], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`inspect ended with ${status}`);
  return performance.now() - started;
}

const native = await coldStart('native');
const wasm = await coldStart('wasm');
const { run, firstTokens, laterTokens } = await warm();
console.log(
  JSON.stringify({
    'cold start, native, 64 tokens': native,
    'cold start, WebAssembly, 64 tokens': wasm,
    'run of 256 tokens': run,
    'tokens of 100 kB, first': firstTokens,
    'tokens of 100 kB, later': laterTokens,
    'inspect on the command line': median([inspect(), inspect(), inspect()]),
  }),
);
process.exit(0);
