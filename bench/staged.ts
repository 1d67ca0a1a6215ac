// A model run layer by layer, beside the same model run as a whole: time, the first layer, ending a run, one layer again, loading, memory.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as native from 'onnxruntime-node';
import { AttentionSession } from '../src/engine/session/attentionSession';
import { loadWasm } from '../src/engine/runtime/loadWasm.node';
import { readModelFiles } from '../src/engine/files/modelFiles';
import { nodeFileAccess } from '../src/engine/files/nodeFileAccess.node';
import { Runtimes } from '../src/engine/runtime/runtimes';
import { StageInputs } from '../src/engine/stages/stageInputs';
import { planInputs, type ModelInput } from '../src/onnx/inputs/inputs';
import { inChild } from './inChild';
import { bertBase, writeRandomBert } from './randomBert';
import { gpt2Small, writeRandomGpt2 } from './randomGpt2';
import { interleave, median, ms, table } from './statistics';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
/** Processes that only load a model and run it once, for each way. */
const numAlone = Number(process.env['BENCH_ALONE'] ?? 3);
const folder = resolve('out/bench');
/** Threads of a pool turn for a while after their work, before they sleep; what runs next must not pay for them. */
const pauseMs = 300;
/** The positions that the models have. */
const context = 2048;
/** Beyond this many tokens the weights of all layers and the model do not fit into WebAssembly's 4 GB together. */
const longestWasm = 1024;

const models = {
  bert: {
    title: 'BERT-base size',
    path: resolve(folder, `bert-base-${context}.onnx`),
    vocabulary: bertBase.vocabulary,
    write: (path: string) => writeRandomBert(path, { ...bertBase, context }),
  },
  gpt2: {
    title: 'GPT-2-small size',
    path: resolve(folder, `gpt2-small-${context}.onnx`),
    vocabulary: gpt2Small.vocabulary,
    write: (path: string) => writeRandomGpt2(path, { ...gpt2Small, context }),
  },
};
type Kind = keyof typeof models;
type BackendName = 'native' | 'wasm';

/** What one process measures. */
interface Task {
  readonly kind: Kind;
  readonly backend: BackendName;
  readonly threads: number;
  readonly lengths: readonly number[];
  /** Only the memory of runs of this one, and the time to load it. */
  readonly alone?: 'whole' | 'stages';
}

interface Measured {
  readonly whole: Readonly<Record<string, number>>;
  readonly stages: Readonly<Record<string, number>>;
  /** The fastest in stages by the fastest of the whole model. */
  readonly fastest: Readonly<Record<string, number>>;
  readonly firstLayer: Readonly<Record<string, number>>;
  readonly slowestStage: number;
  readonly ended: number;
  readonly layerAgain: number;
  readonly numDifferent: number;
}

interface Alone {
  /** All of it, without the run that loads it. */
  readonly loadMs: number;
  /** From opening the model to the first layer of a text of 64 tokens. */
  readonly firstMs: number;
  /** Bytes beyond the loaded model at the peak of a run. */
  readonly peakBytes: number;
}

const given = process.env['BENCH_STAGED_TASK'];
if (given === undefined) await measureAll();
else {
  const task = JSON.parse(given) as Task; // what measureAll() writes
  const measured = task.alone === undefined ? await measure(task) : await measureAlone(task, task.alone);
  process.send?.(measured, () => process.exit(0));
}

async function measureAll(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const asked = (process.env['BENCH_TOKENS'] ?? '64,256,512,1024,2048').split(',').map(Number);
  const kinds = (process.env['BENCH_MODELS'] ?? 'bert,gpt2').split(',').filter((kind): kind is Kind => kind in models);
  const threads = (process.env['BENCH_THREADS'] ?? '2,1').split(',').map(Number);
  const backends = (process.env['BENCH_BACKENDS'] ?? 'native,wasm').split(',') as BackendName[]; // as the setting says
  console.log(
    `Random weights, 12 layers; medians of ${rounds}, whole and in stages in turn, with ${pauseMs} ms of rest before each. «Whole» is one session and one run, as it was before there were stages; all 144 patterns are copied out and checked. «First layer» is when the weights of the first layer are checked and handed on, as a share of the run in stages. «Ended» is the longest that it takes from wanting a run of the most tokens that the table tells to end, at ${rounds} moments of it, until the next can begin, as a multiple of its slowest stage. «Layer again» is layer 6 alone from what was kept, as a share of the whole run. Loading and memory are those of a process of its own, medians of ${numAlone}; loading is what the first run takes with it, less the next run; «first picture» is from opening the model to the first weights of a text of 64 tokens; memory is the peak of a run of as many tokens beyond the loaded model.`,
  );
  for (const kind of kinds) {
    const { title, path, write } = models[kind];
    if (!existsSync(path)) {
      console.error(`Writing a model of ${title} with random weights, once.`);
      write(path);
    }
    const rows: (string | number)[][] = [];
    const others: (string | number)[][] = [];
    for (const backend of backends) {
      const lengths = backend === 'wasm' ? asked.filter((length) => length <= longestWasm) : asked;
      for (const numThreads of threads) {
        const task = { kind, backend, threads: numThreads, lengths };
        const measured = await inProcess<Measured>(task);
        for (const length of lengths)
          rows.push([
            `${backend}, ${numThreads}`,
            length,
            ms(measured.whole[length]),
            ms(measured.stages[length]),
            (measured.stages[length] / measured.whole[length]).toFixed(3),
            measured.fastest[length].toFixed(3),
            (measured.firstLayer[length] / measured.stages[length]).toFixed(3),
          ]);
        const alone = { whole: [] as Alone[], stages: [] as Alone[] };
        for (let i = 0; i < numAlone; i++)
          for (const way of ['whole', 'stages'] as const)
            alone[way].push(await inProcess<Alone>({ ...task, alone: way }));
        const middle = (way: 'whole' | 'stages', of: (each: Alone) => number): number => median(alone[way].map(of));
        const load = (way: 'whole' | 'stages'): number => middle(way, ({ loadMs }) => loadMs);
        const first = (way: 'whole' | 'stages'): number => middle(way, ({ firstMs }) => firstMs);
        const peak = (way: 'whole' | 'stages'): number => middle(way, ({ peakBytes }) => peakBytes);
        others.push([
          `${backend}, ${numThreads}`,
          ms(measured.slowestStage),
          (measured.ended / measured.slowestStage).toFixed(2),
          (measured.layerAgain / measured.whole[Math.max(...lengths)]).toFixed(3),
          ms(load('whole')),
          ms(load('stages')),
          (load('stages') / load('whole')).toFixed(2),
          `${ms(first('whole'))} / ${ms(first('stages'))}`,
          (first('stages') / first('whole')).toFixed(2),
          (peak('whole') / 1e6).toFixed(0),
          (peak('stages') / 1e6).toFixed(0),
          (peak('stages') / peak('whole')).toFixed(2),
          measured.numDifferent,
        ]);
        console.error(`${title}, ${backend}, ${numThreads}: measured.`);
      }
    }
    console.log(`\n### ${title}\n`);
    console.log(
      table(
        ['backend, threads', 'tokens', 'whole ms', 'stages ms', 'stages ÷ whole', 'of the fastest', 'first layer'],
        rows,
      ),
    );
    console.log('');
    console.log(
      table(
        [
          'backend, threads',
          'slowest stage ms',
          'ended ÷ stage',
          'layer again ÷ whole',
          'load whole ms',
          'load stages ms',
          'ratio',
          'first picture ms, whole / stages',
          'ratio',
          'memory whole MB',
          'memory stages MB',
          'ratio',
          'weights that differ',
        ],
        others,
      ),
    );
  }
  process.exit(0);
}

function inProcess<T>(task: Task): Promise<T> {
  return inChild<T>(import.meta.url, { BENCH_STAGED_TASK: JSON.stringify(task) });
}

interface Opened {
  readonly session: AttentionSession;
  inputsOf(length: number): { readonly inputs: readonly ModelInput[]; readonly numPositions: number };
}

async function opener({ kind, backend, threads }: Task): Promise<(isStaged: boolean) => Promise<Opened>> {
  const { path, vocabulary } = models[kind];
  const { runtime } = await new Runtimes({ native: () => Promise.resolve(native), wasm: loadWasm }, threads).choose(
    backend,
    threads,
  );
  const files = await readModelFiles(nodeFileAccess, path);
  return async (isStaged) => {
    const session = await AttentionSession.create({ ort: runtime.ort, runtime, files, isStaged });
    const plan = planInputs(files.analysis.index, session.inputNames);
    return {
      session,
      inputsOf: (length) => plan.make({ ids: Array.from({ length }, (_, i) => (i * 7919) % vocabulary) }),
    };
  };
}

async function measureAlone(task: Task, way: 'whole' | 'stages'): Promise<Alone> {
  const open = await opener(task);
  const started = performance.now();
  const { session, inputsOf } = await open(way === 'stages');
  // A stage is loaded when it is first run, so loading is what the first run takes longer than the next one.
  const short = inputsOf(64);
  let firstMs: number | undefined;
  await session.run(short.inputs, {
    numPositions: short.numPositions,
    onLayer: () => (firstMs ??= performance.now() - started),
  });
  const firstRunMs = performance.now() - started;
  const again = performance.now();
  await session.run(short.inputs, { numPositions: short.numPositions });
  const loadMs = firstRunMs - (performance.now() - again);
  const { inputs, numPositions } = inputsOf(Math.max(...task.lengths));
  global.gc?.();
  const loaded = Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? NaN) * 1024;
  await session.run(inputs, { numPositions });
  return { loadMs, firstMs: firstMs ?? firstRunMs, peakBytes: process.resourceUsage().maxRSS * 1024 - loaded };
}

async function measure(task: Task): Promise<Measured> {
  const open = await opener(task);
  const [whole, staged] = [await open(false), await open(true)];
  const times = { whole: {} as Record<string, number>, stages: {} as Record<string, number> };
  const firstLayer: Record<string, number> = {};
  const fastest: Record<string, number> = {};
  let numDifferent = 0;
  for (const length of task.lengths) {
    const { inputs, numPositions } = whole.inputsOf(length);
    const firsts: number[] = [];
    const run = {
      whole: () => whole.session.run(inputs, { numPositions }),
      stages: () => {
        const started = performance.now();
        let isFirst = true;
        return staged.session.run(inputs, {
          numPositions,
          onLayer: () => {
            if (isFirst) firsts.push(performance.now() - started);
            isFirst = false;
          },
        });
      },
    };
    const measured = await interleave(rounds, run, pauseMs);
    times.whole[length] = median(measured.whole);
    times.stages[length] = median(measured.stages);
    fastest[length] = Math.min(...measured.stages) / Math.min(...measured.whole);
    firstLayer[length] = median(firsts.slice(1));
    const [a, b] = [await run.whole(), await run.stages()];
    a.layers.forEach(({ weights }, at) =>
      weights.forEach((weight, i) => {
        if (weight !== b.layers[at].weights[i]) numDifferent++;
      }),
    );
  }
  const { inputs, numPositions } = staged.inputsOf(Math.max(...task.lengths));
  const keeps = new StageInputs(2 ** 31);
  const marks: number[] = [];
  const mark = (): Promise<void> => Promise.resolve(void marks.push(performance.now()));
  const began = performance.now();
  await staged.session.run(inputs, { numPositions, keeps, turn: mark });
  const total = performance.now() - began;
  const slowestStage = Math.max(...marks.map((at, i) => (marks[i + 1] ?? began + total) - at));
  const ended: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const wanted = performance.now() + ((i + 0.5) / rounds) * total;
    await staged.session
      .run(inputs, {
        numPositions,
        turn: () => (performance.now() > wanted ? Promise.reject(new Error('ended')) : Promise.resolve()),
      })
      .catch(() => ended.push(performance.now() - wanted));
  }
  const again: number[] = [];
  const site = staged.session.analysis.sites[6];
  for (let i = 0; i <= rounds; i++) {
    const started = performance.now();
    await staged.session.rerun(site, { kept: keeps, fed: [], tensors: [site.tensor] });
    if (i > 0) again.push(performance.now() - started);
  }
  return {
    ...times,
    fastest,
    firstLayer,
    slowestStage,
    ended: Math.max(0, ...ended),
    layerAgain: median(again),
    numDifferent,
  };
}
