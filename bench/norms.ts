// Norms of what all heads write, beside the run whose values they are made of.
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import * as native from 'onnxruntime-node';
import { AttentionSession } from '../src/engine/session/attentionSession';
import { SiteParts } from '../src/engine/session/siteParts';
import { readModelFiles } from '../src/engine/files/modelFiles';
import { nodeFileAccess } from '../src/engine/files/nodeFileAccess.node';
import { Runtimes } from '../src/engine/runtime/runtimes';
import { planInputs, type ModelInput } from '../src/onnx/inputs/inputs';
import { bertBase, writeRandomBert } from './randomBert';
import { interleave, median, ms } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const folder = resolve('out/bench');
const length = 512;
const path = resolve(folder, 'bert-base-512.onnx');

mkdirSync(folder, { recursive: true });
if (!existsSync(path)) writeRandomBert(path, { ...bertBase, context: length });
const { runtime } = await new Runtimes({ native: () => Promise.resolve(native) }, 2).choose('native', 0);
const files = await readModelFiles(nodeFileAccess, path);
const parts = new SiteParts({ ort: runtime.ort, files, build: runtime.build }, ['value', 'norm']);
const plain = await AttentionSession.create({ ort: runtime.ort, runtime, files });
const weighing = await AttentionSession.create({ ort: runtime.ort, runtime, files, extras: parts.extras });
const ids = Int32Array.from({ length }, (_, i) => (i * 7919) % bertBase.vocabulary);
const inputs: readonly ModelInput[] = planInputs(files.analysis.index, plain.inputNames).make({ ids }).inputs;
const options = { numPositions: length, numTokens: length };
let ran = await weighing.run(inputs, options);
const weigh = async (): Promise<number> => (await parts.weighings(ran.layers, ran.extras ?? new Map(), false)).size;
const started = performance.now();
await weigh();
const first = performance.now() - started;
const times = await interleave(rounds, {
  plain: () => plain.run(inputs, options),
  values: async () => (ran = await weighing.run(inputs, options)),
  weigh,
});
const ratios = (list: readonly number[]): number => median(list.map((time, i) => time / times.plain[i]));
console.log(
  `| Tokens | Run ms | Run that gives values too, ÷ run | Norms of all heads ms | … ÷ run | Proof and factors of the first run ms |\n|---|---|---|---|---|---|\n| ${length} | ${ms(median(times.plain))} | ${ratios(times.values).toFixed(2)} | ${ms(median(times.weigh))} | ${ratios(times.weigh).toFixed(3)} | ${ms(first)} |`,
);
await parts.release();
await plain.release();
await weighing.release();
