// Plain inference against inference with all attention exposed, on every backend, and what else runs such models, side by side.
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import * as native from 'onnxruntime-node';
import { AttentionSession } from '../src/engine/session/attentionSession';
import { toTensor } from '../src/engine/runtime/feeds';
import { loadWasm } from '../src/engine/runtime/loadWasm.node';
import { readModelFiles } from '../src/engine/files/modelFiles';
import { nodeFileAccess } from '../src/engine/files/nodeFileAccess.node';
import { Runtimes } from '../src/engine/runtime/runtimes';
import { planInputs } from '../src/onnx/inputs/inputs';
import { startEager } from './eager';
import { inChild } from './inChild';
import { bertBase, writeRandomBert } from './randomBert';
import { gpt2Small, writeRandomGpt2 } from './randomGpt2';
import { writeRandomProducts } from './randomProducts';
import { interleave, median, ms, table } from './statistics';
import { startTransformersJs } from './transformersJs';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const folder = resolve('out/bench');
/** Threads of a pool turn for a while after their work, before they sleep; what runs next must not pay for them. */
const pauseMs = 300;

/** BERT-base with twice its context, so that it reads 1024 tokens as well. */
const models = {
  bert: {
    title: 'BERT-base size',
    path: resolve(folder, 'bert-base-1024.onnx'),
    write: (path: string) => writeRandomBert(path, { ...bertBase, context: 1024 }),
  },
  gpt2: {
    title: 'GPT-2-small size',
    path: resolve(folder, 'gpt2-small.onnx'),
    write: (path: string) => writeRandomGpt2(path, gpt2Small),
  },
};
type Kind = keyof typeof models;

/** What no computation of BERT-base's attention does without. */
const productsPath = resolve(folder, 'bert-base-products.onnx');

/** What one process measures: a runtime's number of threads never changes. */
interface Task {
  readonly kind: Kind;
  readonly threads: number;
  readonly lengths: readonly number[];
}

/** The times of each length and way of running, in milliseconds. */
interface Measured {
  readonly times: Readonly<Record<string, Readonly<Record<string, number[]>>>>;
  readonly leftOut: readonly string[];
}

const given = process.env['BENCH_INFERENCE_TASK'];
if (given === undefined) await measureAll();
else {
  const measured = await measure(JSON.parse(given) as Task); // what measureAll() writes
  process.send?.(measured, () => process.exit(0));
}

async function measureAll(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const lengths = (process.env['BENCH_TOKENS'] ?? '64,128,256,512,1024').split(',').map(Number);
  const kinds = (process.env['BENCH_MODELS'] ?? 'bert,gpt2').split(',').filter((kind): kind is Kind => kind in models);
  // Two threads at all lengths, and one at the length that targets are set for.
  const threads = process.env['BENCH_THREADS'];
  const setups =
    threads === undefined
      ? [
          { threads: 2, lengths },
          { threads: 1, lengths: lengths.filter((length) => length === 256) },
        ]
      : threads.split(',').map((each) => ({ threads: Number(each), lengths }));
  console.log(
    `Random weights; medians of ${rounds}, interleaved in one run with ${pauseMs} ms of rest between any two, in which threads that wait for more work give up (the fastest of them tell more on a busy machine). «Exposed»: with all 144 patterns copied out and checked, without the model's own output; «plain»: the same file as it is, without any attention. PyTorch runs the model of that size with attn_implementation="eager" and output_attentions=True; transformers.js runs the same file plainly (it gives no attention that the file does not), on its own copy of the native runtime. «Products alone»: the native runtime on nothing but the matrix products with weights that this attention needs.`,
  );
  const leftOut = new Set<string>();
  for (const kind of kinds) {
    const { title, path, write } = models[kind];
    if (!existsSync(path)) {
      console.error(`Writing a model of ${title} with random weights, once.`);
      write(path);
    }
    if (kind === 'bert' && !existsSync(productsPath)) writeRandomProducts(productsPath, bertBase);
    for (const setup of setups) {
      if (setup.lengths.length === 0) continue;
      const { times, leftOut: left } = await inChild<Measured>(import.meta.url, {
        BENCH_INFERENCE_TASK: JSON.stringify({ kind, ...setup } satisfies Task),
      });
      left.forEach((each) => leftOut.add(each));
      console.log(`\n### ${title}, ${setup.threads} thread${setup.threads === 1 ? '' : 's'}\n`);
      console.log(
        table(
          [
            'tokens',
            'what',
            'median ms',
            'fastest ms',
            'exposed ÷ plain',
            'of the fastest',
            'native exposed ÷ this',
            'wasm exposed ÷ this',
          ],
          rowsOf(times),
        ),
      );
    }
  }
  if (leftOut.size > 0) console.log(`\nLeft out: ${[...leftOut].join('; ')}.`);
  process.exit(0);
}

function rowsOf(times: Measured['times']): (string | number)[][] {
  return Object.entries(times).flatMap(([length, each]) =>
    Object.entries(each).map(([name, measured]) => {
      const own = median(measured);
      const ratio = (other: number[] | undefined): string =>
        other === undefined ? '' : (median(other) / own).toFixed(2);
      const plain = name.endsWith('exposed') ? each[name.replace('exposed', 'plain')] : undefined;
      const toPlain =
        plain === undefined
          ? ['', '']
          : [(own / median(plain)).toFixed(3), (Math.min(...measured) / Math.min(...plain)).toFixed(3)];
      return [
        length,
        name,
        ms(own),
        ms(Math.min(...measured)),
        ...toPlain,
        ratio(each['native exposed']),
        ratio(each['wasm exposed']),
      ];
    }),
  );
}

async function measure({ kind, threads, lengths }: Task): Promise<Measured> {
  const { path } = models[kind];
  const runtimes = new Runtimes(
    { native: () => Promise.resolve(native), webgpu: () => Promise.resolve(native), wasm: loadWasm },
    threads,
  );
  const hasWebGpu = (await runtimes.choose('webgpu', threads)).runtime.backend === 'webgpu'; // only where there is an adapter
  const files = await readModelFiles(nodeFileAccess, path);
  const backends = await Promise.all(
    (['wasm', 'native', ...(hasWebGpu ? ['webgpu' as const] : [])] as const).map(async (backend) => {
      const { runtime } = await runtimes.choose(backend, threads);
      const plain = await runtime.ort.InferenceSession.create(path, {
        ...runtime.sessionOptions,
        graphOptimizationLevel: 'all',
      });
      return { backend, runtime, plain, exposed: await AttentionSession.create({ ort: runtime.ort, runtime, files }) };
    }),
  );
  const products =
    kind === 'bert' ? await native.InferenceSession.create(productsPath, { intraOpNumThreads: threads }) : undefined;
  const leftOut: string[] = hasWebGpu ? [] : ['webgpu (there is no adapter here)'];
  const others = [];
  const eager = await startEager(kind, threads);
  if (eager === undefined) leftOut.push('PyTorch (there is no python3 with torch and transformers here)');
  else others.push({ name: `${eager.title}, eager with attentions`, program: eager });
  const js = await startTransformersJs(resolve(folder, 'transformersJs'), path, kind, threads);
  if (js === undefined) leftOut.push('transformers.js (BENCH_TRANSFORMERS_JS=1 installs it below out/)');
  else others.push({ name: `${js.title}, plain`, program: js });

  const times: Record<string, Record<string, number[]>> = {};
  for (const length of lengths) {
    const work: Record<string, () => Promise<unknown>> = {};
    for (const { backend, runtime, plain, exposed } of backends) {
      const { inputs, numPositions } = planInputs(files.analysis.index, exposed.inputNames).make({
        ids: Array.from({ length }, (_, i) => (i * 7919) % bertBase.vocabulary),
      });
      const feeds = Object.fromEntries(inputs.map((input) => [input.name, toTensor(runtime.ort, input)]));
      work[`${backend} plain`] = () => plain.run(feeds);
      work[`${backend} exposed`] = () => exposed.run(inputs, { numPositions });
    }
    if (products !== undefined) {
      const hidden = new native.Tensor(
        'float32',
        Float32Array.from({ length: length * bertBase.width }, (_, i) => Math.sin(i)),
        [1, length, bertBase.width],
      );
      work['native, products alone'] = () => products.run({ hidden });
    }
    for (const { name, program } of others) work[name] = () => program.run(length);
    times[length] = await interleave(rounds, work, pauseMs);
  }
  for (const { program } of others) program.stop();
  return { times, leftOut };
}
