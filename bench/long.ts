// Time and memory against the length of a text, from tokens to what the panel opens with: a process of its own for each length.
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as native from 'onnxruntime-node';
import * as web from 'onnxruntime-web';
import { AttentionSession } from '../src/engine/session/attentionSession';
import { AttentionStore } from '../src/engine/weights/attentionStore';
import { arrangeLayers } from '../src/engine/session/arrangeLayers';
import { LeanRuns } from '../src/engine/long/leanRuns';
import { usualLimits } from '../src/engine/long/memoryPlan';
import { readModelFiles } from '../src/engine/files/modelFiles';
import { nodeFileAccess } from '../src/engine/files/nodeFileAccess.node';
import { Runtimes } from '../src/engine/runtime/runtimes';
import { engineEnvironment } from '../src/host/engine/engineEnvironment';
import { planInputs } from '../src/onnx/inputs/inputs';
import { bertBase, writeRandomBert } from './randomBert';
import { gpt2Small, writeRandomGpt2 } from './randomGpt2';
import { ms, table } from './statistics';

const models = {
  'gpt2-small': { size: { ...gpt2Small, context: 4096 }, write: writeRandomGpt2 },
  'bert-base': { size: { ...bertBase, context: 4096 }, write: writeRandomBert },
} as const;
type ModelName = keyof typeof models;
type BackendName = 'native' | 'wasm';

const lengths = (process.env['BENCH_TOKENS'] ?? '64,128,256,512,1024,2048,4096').split(',').map(Number);
/** Which models are read on which backends: `MODEL:BACKEND,…`. */
const cases = (process.env['BENCH_MODEL'] ?? 'gpt2-small:native,bert-base:native,gpt2-small:wasm,bert-base:wasm').split(
  ',',
);
const threads = Number(process.env['BENCH_THREADS'] ?? 2);

interface Measured {
  readonly held: string;
  readonly attentionBytes: number;
  readonly heldBytes: number;
  readonly runMs: number;
  readonly openMs: number;
  readonly overviewMs: number;
  readonly rowMs: number;
  /** Bytes in memory with the model loaded, and at the peak. */
  readonly loadedBytes: number;
  readonly peakBytes: number;
}

/** One text, read by one process; or why it is not. */
type Result = Measured | { readonly failure: string };

const task = process.env['BENCH_LONG_TASK'];
if (task === undefined) await measureAll();
else {
  const { name, backend, length } = JSON.parse(task) as { name: ModelName; backend: BackendName; length: number }; // what measureAll() wrote
  const result: Result = await measure(name, backend, length).catch((error: unknown) => ({
    failure: error instanceof Error ? error.message : String(error),
  }));
  process.send?.(result, () => process.exit(0));
}

function pathOf(name: ModelName): string {
  return join(resolve('out/bench'), `long-${name}.onnx`);
}

function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** Bytes in memory now. */
function residentBytes(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? NaN) * 1024;
}

async function measure(name: ModelName, backend: BackendName, length: number): Promise<Measured> {
  const { size } = models[name];
  const { runtime } = await new Runtimes(
    { native: () => Promise.resolve(native), wasm: () => Promise.resolve(web) },
    threads,
  ).choose(backend, threads);
  const files = await readModelFiles(nodeFileAccess, pathOf(name));
  const session = await AttentionSession.create({ ort: runtime.ort, runtime, files });
  const loadedBytes = residentBytes();
  const lean = new LeanRuns({ ort: runtime.ort, runtime, files }, session, usualLimits);
  if (length > lean.mostPositions) throw new Error(`the text would be cut to ${lean.mostPositions} tokens`);
  const { inputs, numTokens, numPositions } = planInputs(files.analysis.index, session.inputNames).make({
    ids: Array.from({ length }, (_, i) => (i * 7919) % size.vocabulary),
  });
  const timed = async <T>(work: () => Promise<T>): Promise<readonly [T, number]> => {
    const started = performance.now();
    return [await work(), performance.now() - started];
  };
  const [result, runMs] = await timed(() =>
    lean.isFor(numPositions)
      ? lean.run(inputs, { numPositions, numTokens })
      : session.run(inputs, { numPositions, numTokens, outputs: [] }),
  );
  const { layers, components } = arrangeLayers(name, [result]);
  const store = new AttentionStore(Infinity);
  store.add(1, layers);
  const { isCausal } = components[0];
  const selection = { component: 'self', heads: [{ layer: 5, head: 3 }], aggregation: 'mean' } as const;
  const [, openMs] = await timed(() => store.thumbnails({ runId: 1, component: 'self', size: 48, isCausal }));
  const [, overviewMs] = await timed(() => store.overview({ runId: 1, selection, isCausal }));
  const [, rowMs] = await timed(() => store.row({ runId: 1, selection, position: length >> 1, direction: 'reads' }));
  return {
    held: layers[0].held,
    attentionBytes: layers.reduce(
      (sum, { numHeads, numQueries, numKeys }) => sum + 4 * numHeads * numQueries * numKeys,
      0,
    ),
    heldBytes: store.bytes,
    runMs,
    openMs,
    overviewMs,
    rowMs,
    loadedBytes,
    peakBytes: peakBytes(),
  };
}

async function measureAll(): Promise<void> {
  mkdirSync(resolve('out/bench'), { recursive: true });
  for (const each of cases) {
    const [name, backend] = each.split(':') as [ModelName, BackendName]; // as the setting says
    const { size, write } = models[name];
    if (statSync(pathOf(name), { throwIfNoEntry: false }) === undefined)
      write(pathOf(name), size, { isRepeated: true });
    const measured: { readonly length: number; readonly result: Measured }[] = [];
    const rows: (string | number)[][] = [];
    for (const length of lengths) {
      const result = await inProcess({ name, backend, length });
      console.error(
        `${name} ${backend} ${length}: ${'failure' in result ? result.failure : `${ms(result.runMs)} ms, peak ${megabytes(result.peakBytes)} MB`}`,
      );
      if ('failure' in result) {
        rows.push([length, result.failure, ...Array<string>(8).fill('')]);
        continue;
      }
      measured.push({ length, result });
      rows.push([
        length,
        result.held,
        megabytes(result.attentionBytes),
        megabytes(result.heldBytes),
        ms(result.runMs),
        ms(result.openMs),
        ms(result.overviewMs),
        ms(result.rowMs),
        megabytes(result.peakBytes),
        megabytes(result.peakBytes - result.loadedBytes),
      ]);
    }
    const upper = measured.slice(measured.length >> 1);
    const exponent = (of: (result: Measured) => number): string =>
      upper.length < 2
        ? ''
        : `n^${slope(upper.map(({ length, result }) => [Math.log(length), Math.log(Math.max(1e-3, of(result)))] as const)).toFixed(2)}`;
    rows.push([
      'exponent',
      '',
      exponent(({ attentionBytes }) => attentionBytes),
      exponent(({ heldBytes }) => heldBytes),
      exponent(({ runMs }) => runMs),
      exponent(({ openMs }) => openMs),
      exponent(({ overviewMs }) => overviewMs),
      exponent(({ rowMs }) => rowMs),
      exponent(({ peakBytes: peak }) => peak),
      exponent((result) => result.peakBytes - result.loadedBytes),
    ]);
    console.log(
      `\n${name} size (${size.numLayers} layers, ${size.numHeads} heads, width ${size.width}) with random weights, ${backend}, ${threads} thread(s); the file has ${megabytes(statSync(pathOf(name)).size)} MB. A process for each length; «run» is the first run and, for a text whose attention is not held whole, makes its session anew; «pictures», «overview» and «row» are what the panel asks for when it opens, of all heads, of one head, and of one token. The exponents are least squares of the logarithms over the upper half.\n`,
    );
    console.log(
      table(
        [
          'tokens',
          'held',
          'attention MB',
          'held MB',
          'run ms',
          'pictures ms',
          'overview ms',
          'row ms',
          'peak MB',
          'beyond the loaded model MB',
        ],
        rows,
      ),
    );
  }
  process.exit(0);
}

/** The slope of the line through points that is nearest to them. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([a]) => a), mean(([, b]) => b)];
  return mean(([a, b]) => (a - x) * (b - y)) / mean(([a]) => (a - x) ** 2);
}

function inProcess(what: {
  readonly name: ModelName;
  readonly backend: BackendName;
  readonly length: number;
}): Promise<Result> {
  return new Promise((settle) => {
    const child = fork(fileURLToPath(import.meta.url), {
      env: { ...process.env, ...engineEnvironment(process.env), BENCH_LONG_TASK: JSON.stringify(what) },
      execArgv: ['--enable-source-maps'],
    });
    child.on('message', (message) => settle(message as Result)); // what the child sends
    child.on('exit', (code, signal) => settle({ failure: `its process ended with ${signal ?? code}` }));
  });
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
