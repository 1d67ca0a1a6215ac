// Peak memory of loading a large model, as part of the size of its files, and of a run, as part of its attention: a process of its own for each.
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { AttentionSession } from '../src/engine/attentionSession';
import { readModelFiles } from '../src/engine/modelFiles';
import { nodeFileAccess } from '../src/engine/nodeFileAccess.node';
import { Runtimes } from '../src/engine/runtimes';
import { planInputs } from '../src/onnx/inputs';
import { bertBase, writeRandomBert, type EncoderSize } from './randomBert';
import { table } from './statistics';

/** Width and context of BERT-large, with as many layers as the largest single file holds: 1.9 GB. */
const large: EncoderSize = { numLayers: 36, numHeads: 16, width: 1024, vocabulary: 30522, context: 512 };
/** One layer more than a single file may hold. */
const larger: EncoderSize = { ...large, numLayers: 40 };

interface Peak {
  /** Bytes before and at the peak of loading. */
  readonly before: number;
  readonly peak: number;
  readonly inspectMs: number;
}

/** What a run takes beside the model, in bytes. */
interface RunPeak {
  readonly attention: number;
  /** Of the whole process: when the model has read a few tokens, and at the peak of the run that follows. */
  readonly before: number;
  readonly peak: number;
  /** Pages of the model's own file that the run read for the first time. */
  readonly mapped: number;
}

const path = process.env['BENCH_MEMORY_MODEL'];
const backend = process.env['BENCH_MEMORY_RUN'];
if (path === undefined) await measureAll();
else if (backend === undefined) await measure(path);
else await measureRun(path, backend === 'native' ? 'native' : 'wasm');

async function measure(model: string): Promise<void> {
  web.env.wasm.numThreads = 1;
  const before = process.resourceUsage().maxRSS * 1024;
  const started = performance.now();
  const files = await readModelFiles(nodeFileAccess, model);
  const inspectMs = performance.now() - started;
  const session = await AttentionSession.create({ ort: web, files });
  const peak = process.resourceUsage().maxRSS * 1024;
  await session.release();
  const result: Peak = { before, peak, inspectMs };
  process.send?.(result, () => process.exit(0));
}

/** Reads 8 tokens, then some number of others for the first time, as a person's first text would be. */
async function measureRun(model: string, backend: 'native' | 'wasm'): Promise<void> {
  const { runtime } = await new Runtimes({ native: () => Promise.resolve(native), wasm: () => Promise.resolve(web) }, 1).choose(backend, 1);
  const files = await readModelFiles(nodeFileAccess, model);
  const session = await AttentionSession.create({ ort: runtime.ort, runtime, files });
  const plan = planInputs(files.analysis.index, session.inputNames);
  const read = async (length: number): Promise<number> => {
    const { inputs, numPositions } = plan.make({ ids: Array.from({ length }, (_, i) => (i * 7919) % bertBase.vocabulary) });
    return (await session.run(inputs, { numPositions })).layers.reduce((sum, { weights }) => sum + weights.byteLength, 0);
  };
  await read(8);
  (globalThis as { gc?: () => void }).gc?.(); // the process is started with --expose-gc
  const before = statusOf('VmRSS');
  const mappedBefore = statusOf('RssFile');
  writeFileSync('/proc/self/clear_refs', '5'); // the peak is counted anew
  const attention = await read(256);
  const result: RunPeak = { attention, before, peak: statusOf('VmHWM'), mapped: statusOf('RssFile') - mappedBefore };
  process.send?.(result, () => process.exit(0));
}

/** A line of the kernel's account of this process, in bytes. */
function statusOf(name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}

async function measureRuns(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-memory-'));
  const model = join(folder, 'model.onnx');
  const rows: (string | number)[][] = [];
  try {
    writeRandomBert(model, bertBase);
    for (const backend of ['native', 'wasm']) {
      const { attention, before, peak, mapped } = await inProcess<RunPeak>({ BENCH_MEMORY_MODEL: model, BENCH_MEMORY_RUN: backend });
      const own = peak - before - mapped;
      rows.push([backend, megabytes(attention), megabytes(before), megabytes(peak), megabytes(mapped), megabytes(own), (own / attention).toFixed(2)]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log('\nThe first run at 256 tokens after a first one at 8, BERT-base size, one thread, the results held; «read from the file» are pages of the weights, which the native runtime maps\n');
  console.log(table(['backend', 'attention MB', 'process before MB', 'process peak MB', 'of it newly read from the file MB', 'beyond the model MB', 'beyond the model / attention'], rows));
}

async function measureAll(): Promise<void> {
  if (process.platform === 'linux') await measureRuns();
  else console.log('What a run takes is left out: it is read from /proc.');
  const folder = mkdtempSync(join(tmpdir(), 'bench-memory-'));
  const rows: (string | number)[][] = [];
  try {
    for (const [title, size, isExternal] of [['one file', large, false], ['external data', larger, true]] as const) {
      const model = join(folder, 'model.onnx');
      writeRandomBert(model, size, { isExternal, isRepeated: true });
      const bytes = statSync(model).size + (isExternal ? statSync(`${model}.data`).size : 0);
      const { before, peak, inspectMs } = await inProcess<Peak>({ BENCH_MEMORY_MODEL: model });
      rows.push([title, gigabytes(bytes), gigabytes(before), gigabytes(peak), (peak / bytes).toFixed(3), inspectMs.toFixed(0)]);
      for (const file of isExternal ? [model, `${model}.data`] : [model]) rmSync(file);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log('\nLoading a model with its attention exposed, WASM, one thread; the peak is that of the whole process, Node and runtime included\n');
  console.log(table(['weights', 'files GB', 'before GB', 'peak GB', 'peak / files', 'read graph ms'], rows));
  process.exit(0);
}

function inProcess<T>(env: Readonly<Record<string, string>>): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), { env: { ...process.env, ...env }, execArgv: ['--expose-gc'] });
    child.on('message', (message) => resolve(message as T)); // what measure() and measureRun() send
    child.on('exit', (code) => reject(new Error(`The process that measures ended with ${code}.`)));
  });
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}
