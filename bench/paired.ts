// One round of what must not get slower, in milliseconds, as JSON: the same file measures this build and, beside it, an older one
// (`npm run bench -- --against COMMIT`). It runs in the folder of the build that it measures, whose sources it is bundled with.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { nodeEngineLauncher } from '../src/host/engine/launchEngine.node';
import { Tokenizer } from '../src/tokenizer/tokenizer';
import { median } from './statistics';

const path = resolve('media/models/code-decoder');
const text = Array.from({ length: 200 }, (_, i) => `def f${i}(a, b):\n    return [a + ${i}, b * ${i % 7}]\n`).join(
  '\n',
);
const launcher = nodeEngineLauncher(resolve('dist/engine.node.cjs'), () => {});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** From the start of the engine's process to the first result, 64 tokens. */
async function coldStart(backend: 'native' | 'wasm'): Promise<number> {
  const engine = launcher.launch();
  const milliseconds = await timed(() =>
    engine.connection.remote.explain({ model: { path, backend, threads: 0 }, text, tokenLimit: 64 }),
  );
  engine.dispose();
  return milliseconds;
}

/** Later runs of 512 tokens in one engine: the run, and cutting its text into tokens. */
async function warm(): Promise<{ readonly run: number; readonly tokenize: number }> {
  const engine = launcher.launch();
  const { remote } = engine.connection;
  const times = [];
  for (let i = 0; i < 12; i++) {
    const { runId, timings } = await remote.explain({
      model: { path, backend: 'auto', threads: 0 },
      text,
      tokenLimit: 512,
    });
    await remote.release({ runId });
    if (i > 1) times.push(timings);
  }
  engine.dispose();
  return { run: median(times.map((each) => each.run)), tokenize: median(times.map((each) => each.tokenize)) };
}

/** 100 kB cut into tokens by a tokenizer that has just been read, and again: all of the text, as no run asks for. */
function encodeLong(): { readonly first: number; readonly later: number } {
  const long = text.repeat(Math.ceil(1e5 / text.length)).slice(0, 1e5);
  const tokenizer = Tokenizer.fromJson(readFileSync(resolve(path, 'tokenizer.json'), 'utf8'));
  const times = [0, 1, 2, 3, 4, 5].map(() => {
    const started = performance.now();
    tokenizer.encode(long);
    return performance.now() - started;
  });
  return { first: times[0], later: median(times.slice(1)) };
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
const { run, tokenize } = await warm();
const { first, later } = encodeLong();
console.log(
  JSON.stringify({
    'cold start, native, 64 tokens': native,
    'cold start, WebAssembly, 64 tokens': wasm,
    'run of 512 tokens': run,
    'cutting its text into tokens, in the engine': tokenize,
    '100 kB cut into tokens, first': first,
    '100 kB cut into tokens, later': later,
    'inspect on the command line': median([inspect(), inspect(), inspect()]),
  }),
);
process.exit(0);
