// Plain inference against inference with all attention exposed, side by side in one process.
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as ort from 'onnxruntime-web';
import { AttentionSession } from '../src/engine/attentionSession';
import { readModelFiles } from '../src/engine/modelFiles';
import { nodeFileAccess } from '../src/engine/nodeFileAccess.node';
import { planInputs } from '../src/onnx/inputs';
import { toTensor } from '../src/engine/feeds';
import { bertBase, writeRandomBert } from './randomBert';
import { interleave, median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const lengths = (process.env['BENCH_TOKENS'] ?? '64,256').split(',').map(Number);
const threads = Number(process.env['BENCH_THREADS'] ?? 1);

const folder = resolve('out/bench');
const path = join(folder, 'bert-base.onnx');
if (!existsSync(path)) {
  console.log('Writing a BERT-base-size model with random weights (436 MB), once.');
  mkdirSync(folder, { recursive: true });
  writeRandomBert(path, bertBase);
}
ort.env.wasm.numThreads = threads;
const files = await readModelFiles(nodeFileAccess, path);
const plain = await ort.InferenceSession.create(path, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
const exposed = await AttentionSession.create({ ort, files });
const plan = planInputs(files.analysis.index, exposed.inputNames);
const rows: (string | number)[][] = [];
for (const length of lengths) {
  const { inputs, numPositions } = plan.make({ ids: Array.from({ length }, (_, i) => (i * 7919) % bertBase.vocabulary) });
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, toTensor(ort, input)]));
  const times = await interleave(rounds, { plain: () => plain.run(feeds), exposed: () => exposed.run(inputs, { numPositions }) });
  const ratios = times.exposed.map((time, i) => time / times.plain[i]);
  rows.push([length, ms(median(times.plain)), ms(median(times.exposed)), (median(times.exposed) / median(times.plain)).toFixed(3), `${Math.min(...ratios).toFixed(2)} … ${Math.max(...ratios).toFixed(2)}`]);
}
console.log(`\nBERT-base size, WASM, ${threads} thread(s), medians of ${rounds}, interleaved; «exposed» includes copying out and checking all 144 patterns\n`);
console.log(table(['tokens', 'plain ms', 'exposed ms', 'ratio of medians', 'ratios pair by pair'], rows));
process.exit(0);
