// From the command to what the panel needs, in the window's place: a forked engine, this process as the extension host.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { nodeEngineLauncher } from '../src/host/engine/launchEngine.node';
import { headsOf, type HeadSelection } from '../src/model/head';
import { startRuntimeAlone } from './runtimeAlone';
import { interleave, median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const model = {
  path: resolve(process.env['BENCH_MODEL'] ?? 'media/models/code-decoder'),
  backend: 'auto',
  threads: 0,
} as const;
const text = Array.from({ length: 200 }, (_, i) => `def f${i}(a, b):\n    return [a + ${i}, b * ${i % 7}]\n`).join(
  '\n',
);

const launcher = nodeEngineLauncher(resolve('dist/engine.node.cjs'), () => {});
const coldStart = (backend: 'wasm' | 'native') => async (): Promise<void> => {
  const engine = launcher.launch();
  await engine.connection.remote.explain({ model: { ...model, backend }, text, tokenLimit: 64 });
  engine.dispose();
};
const threads = Math.min(2, availableParallelism());
const cold = await interleave(
  rounds,
  {
    wasm: coldStart('wasm'),
    wasmAlone: () => startRuntimeAlone('wasm', threads),
    native: coldStart('native'),
    nativeAlone: () => startRuntimeAlone('native', threads),
  },
  100,
);

const engine = launcher.launch();
const { remote } = engine.connection;
const delay = monitorEventLoopDelay({ resolution: 1 });
const rows: (string | number)[][] = [];
for (const tokenLimit of [64, 256, 512]) {
  delay.reset();
  delay.enable();
  let run = await remote.explain({ model, text, tokenLimit });
  const [component] = run.components;
  const size = 48;
  const heads = headsOf(component);
  const one = (i: number): HeadSelection => ({
    component: component.component,
    heads: [heads[i % heads.length]],
    aggregation: 'mean',
  });
  let next = 0;
  let bytes = 0;
  const split: { tokenize: number; run: number }[] = [];
  const times = await interleave(rounds, {
    explain: async () => {
      await remote.release({ runId: run.runId });
      run = await remote.explain({ model, text, tokenLimit });
      split.push(run.timings);
    },
    thumbnails: async () =>
      (bytes = (
        await remote.thumbnails({
          runId: run.runId,
          component: component.component,
          size,
          isCausal: component.isCausal,
        })
      ).pixels.byteLength),
    slice: async () =>
      (bytes += (await remote.pattern({ runId: run.runId, selection: one(next++) })).weights.byteLength),
    row: () => remote.row({ runId: run.runId, selection: one(next), position: 3, direction: 'reads' }),
    allHeads: () =>
      remote.pattern({ runId: run.runId, selection: { component: component.component, heads, aggregation: 'mean' } }),
  });
  delay.disable();
  const memory = await remote.memory({});
  rows.push([
    run.streams[0].tokens.length,
    ms(median(times.explain)),
    ms(median(split.map((timing) => timing.tokenize))),
    ms(median(split.map((timing) => timing.run))),
    ms(median(times.thumbnails)),
    ms(median(times.slice)),
    ms(median(times.row)),
    ms(median(times.allHeads)),
    (bytes / 1024).toFixed(0),
    (delay.max / 1e6).toFixed(0),
    (memory.attentionBytes / 1e6).toFixed(1),
    (memory.residentBytes / 1e6).toFixed(0),
  ]);
}
console.log(
  `\nBundled model, engine process; medians of ${rounds}. Cold start, from the start of the process to the first result, 64 tokens: ${ms(median(cold.wasm))} ms with WebAssembly, ${ms(median(cold.native))} ms with the native runtime. A process that only loads the runtime and this model and runs it takes ${ms(median(cold.wasmAlone))} and ${ms(median(cold.nativeAlone))} ms. The table is of the runtime that the engine chooses here.\n`,
);
console.log(
  table(
    [
      'tokens',
      'explain ms',
      'tokenize',
      'run',
      'thumbnails ms',
      'slice ms',
      'row ms',
      'all heads ms',
      'posted KiB',
      'longest block of this process ms',
      'attention MB',
      'engine RSS MB',
    ],
    rows,
  ),
);
engine.dispose();
process.exit(0);
