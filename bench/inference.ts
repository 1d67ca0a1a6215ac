// Plain inference against inference with all attention exposed, on every backend, and PyTorch's eager attention, side by side.
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { AttentionSession } from '../src/engine/attentionSession';
import { toTensor } from '../src/engine/feeds';
import { readModelFiles } from '../src/engine/modelFiles';
import { nodeFileAccess } from '../src/engine/nodeFileAccess.node';
import { Runtimes } from '../src/engine/runtimes';
import { planInputs } from '../src/onnx/inputs';
import { startEager } from './eager';
import { bertBase, writeRandomBert } from './randomBert';
import { interleave, median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const lengths = (process.env['BENCH_TOKENS'] ?? '64,256').split(',').map(Number);
const threads = Number(process.env['BENCH_THREADS'] ?? 1);

const folder = resolve('out/bench');
const path = join(folder, 'bert-base.onnx');
if (!existsSync(path)) {
  console.error('Writing a BERT-base-size model with random weights (436 MB), once.');
  mkdirSync(folder, { recursive: true });
  writeRandomBert(path, bertBase);
}
const runtimes = new Runtimes({ native: () => Promise.resolve(native), webgpu: () => Promise.resolve(native), wasm: () => Promise.resolve(web) }, threads);
const hasWebGpu = (await runtimes.choose('webgpu', threads)).runtime.backend === 'webgpu'; // only where there is an adapter
const files = await readModelFiles(nodeFileAccess, path);
const backends = await Promise.all(
  (['wasm', 'native', ...(hasWebGpu ? ['webgpu' as const] : [])] as const).map(async (backend) => {
    const { runtime } = await runtimes.choose(backend, threads);
    const plain = await runtime.ort.InferenceSession.create(path, { ...runtime.sessionOptions, graphOptimizationLevel: 'all' });
    return { backend, runtime, plain, exposed: await AttentionSession.create({ ort: runtime.ort, runtime, files }) };
  }),
);
const eager = await startEager(threads);
if (eager === undefined) console.error('PyTorch is left out: python3 with torch and transformers is not here.');

const rows: (string | number)[][] = [];
for (const length of lengths) {
  const work: Record<string, () => Promise<unknown>> = {};
  for (const { backend, runtime, plain, exposed } of backends) {
    const { inputs, numPositions } = planInputs(files.analysis.index, exposed.inputNames).make({ ids: Array.from({ length }, (_, i) => (i * 7919) % bertBase.vocabulary) });
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, toTensor(runtime.ort, input)]));
    work[`${backend} plain`] = () => plain.run(feeds);
    work[`${backend} exposed`] = () => exposed.run(inputs, { numPositions });
  }
  if (eager !== undefined) work['PyTorch eager'] = () => eager.run(length);
  const times = await interleave(rounds, work);
  const own = times['native exposed'];
  for (const [name, measured] of Object.entries(times)) {
    const plain = times[name.replace('exposed', 'plain')];
    rows.push([length, name, ms(median(measured)), name.endsWith('exposed') ? (median(measured) / median(plain)).toFixed(3) : '', (median(own) / median(measured)).toFixed(2)]);
  }
}
eager?.stop();
console.log(`\nBERT-base size, ${threads} thread(s), medians of ${rounds}, interleaved in one run. «Exposed» includes copying out and checking all 144 patterns; PyTorch runs transformers' BertModel with attn_implementation="eager" and output_attentions=True.\n`);
console.log(table(['tokens', 'what', 'median ms', 'exposed ÷ plain', 'native exposed ÷ this'], rows));
process.exit(0);
