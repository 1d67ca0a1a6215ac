// All numbers of a run written as NPZ by the engine's process, as the editor has them written, beside a plain write of the same bytes and beside the run.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeWhole } from '../src/base/wholeFile.node';
import { nodeEngineLauncher } from '../src/host/engine/launchEngine.node';
import { plainFileForm } from '../src/model/numbers/numbersFile';
import { peakBeyond } from './peakMemory';
import { gpt2Small, writeRandomGpt2 } from './randomGpt2';
import { hasMatplotlib, openInTurn } from './openFile';
import { interleave, median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const lengths = (process.env['BENCH_TOKENS'] ?? '512,1024').split(',').map(Number);
const folder = resolve('out/bench/export');
const model = { path: folder, backend: 'native', threads: 0 } as const;

const kept = join(folder, 'kept.npz');

mkdirSync(folder, { recursive: true });
if (!existsSync(join(folder, 'model.onnx'))) writeRandomGpt2(join(folder, 'model.onnx'), gpt2Small);
const words = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`w${i}`, i * 97]));
writeFileSync(
  join(folder, 'tokenizer.json'),
  JSON.stringify({
    version: '1.0',
    added_tokens: [],
    pre_tokenizer: { type: 'Whitespace' },
    model: { type: 'WordLevel', vocab: { ...words, '[UNK]': 50_000 }, unk_token: '[UNK]' },
  }),
);
const engine = nodeEngineLauncher(resolve('dist/engine.node.cjs'), () => {}).launch();
const { remote } = engine.connection;
const rows: (string | number)[][] = [];
const memory: (string | number)[][] = [];
for (const length of lengths) {
  const text = Array.from({ length }, (_, i) => `w${(i * 7919) % 500}`).join(' ');
  const explain = () => remote.explain({ model, text, tokenLimit: 0 });
  let run = await explain();
  const write = (format: 'npz' | 'safetensors' = 'npz'): Promise<void> =>
    writeWhole(out, (path, flags) =>
      remote.writeNumbers({
        runId: run.runId,
        path,
        flags,
        numbers: {
          model: run.model,
          notices: [],
          components: run.components,
          method: 'attention',
          heads: undefined,
        },
        form: { format, ...plainFileForm },
        forms: [],
      }),
    );
  const [out, copy] = ['numbers.npz', 'copy.npz'].map((name) => join(folder, name));
  const firstPeak = await peakBeyond(engine.pid, () => write());
  const bytes = readFileSync(out);
  const times = await interleave(
    rounds,
    {
      // Both are then written where nothing stands: what takes a file's place gets its memory, too.
      tidy: async () => {
        for (const file of [out, copy]) rmSync(file, { force: true });
      },
      run: async () => {
        const former = run.runId;
        run = await explain();
        await remote.release({ runId: former });
      },
      plain: async () => {
        const file = await open(copy, 'w');
        await file.writeFile(bytes);
        await file.close();
      },
      export: () => write(),
    },
    300,
  );
  const ratio = (to: 'run' | 'plain'): string => median(times.export.map((time, i) => time / times[to][i])).toFixed(2);
  rows.push([
    length,
    run.components[0].layers[0].held,
    (statSync(out).size / 1e6).toFixed(0),
    ms(median(times.run)),
    ms(median(times.plain)),
    ms(median(times.export)),
    ratio('plain'),
    ratio('run'),
  ]);
  for (const format of ['npz', 'safetensors'] as const) {
    const peaks: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      peaks.push(await peakBeyond(engine.pid, () => write(format)));
    }
    const layerBytes = 12 * length * length * 4;
    memory.push([
      length,
      format,
      run.components[0].layers[0].held,
      (layerBytes / 1e6).toFixed(1),
      format === 'npz' ? (firstPeak / 1e6).toFixed(1) : '–',
      (median(peaks) / 1e6).toFixed(1),
      (Math.max(median(peaks), format === 'npz' ? firstPeak : 0) / layerBytes).toFixed(2),
    ]);
  }
  await write();
  if (length === lengths[0]) renameSync(out, kept);
  for (const file of [out, copy]) rmSync(file, { force: true });
  await remote.release({ runId: run.runId });
}
engine.dispose();
console.log(
  `GPT-2-small size, random weights, native; medians of ${rounds}, in turn. «Export» writes all 144 heads as NPZ, float32, in the engine's process; «plain» writes the same bytes from memory; neither file is there before.\n`,
);
console.log(
  table(['tokens', 'held', 'MB', 'run ms', 'plain write ms', 'export ms', 'export ÷ plain', 'export ÷ run'], rows),
);

if (process.platform === 'linux') {
  console.log(
    `\nMost memory of the engine's process while it writes, beyond what it has between runs (\`VmHWM\` − \`VmRSS\` of Linux, set anew before each): the first time, and the median of ${rounds} later ones, which find memory that the process has kept; the larger of both beside a layer.\n`,
  );
  console.log(table(['tokens', 'format', 'held', 'MB of a layer', 'first MB', 'later MB', 'most ÷ layer'], memory));
}

if (hasMatplotlib()) {
  const { editor, python } = await openInTurn(kept, rounds);
  console.log(
    `\nThe file of ${lengths[0]} tokens opened again in a real VS Code, from the command to the first paint by its log; beside a Python process that imports NumPy and matplotlib, reads all of it and draws one head; medians of ${rounds}, in turn.\n`,
  );
  console.log(
    table(
      ['MB', 'first paint ms', 'Python ms', 'first paint ÷ Python'],
      [
        [
          (statSync(kept).size / 1e6).toFixed(0),
          ms(median(editor)),
          ms(median(python)),
          median(editor.map((time, i) => time / python[i])).toFixed(2),
        ],
      ],
    ),
  );
} else
  console.log(
    '\nOpening an attention file was not measured: there is no Python with NumPy and matplotlib (BENCH_PYTHON).',
  );
rmSync(kept);
process.exit(0);
