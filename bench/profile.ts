// Profiles over the sources of this project: beside plain inference of the same batches, a loop in PyTorch, two processes, and ten times as many files.
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'glob';
import * as native from 'onnxruntime-node';
import { nodeFileAccess } from '../src/engine/files/nodeFileAccess.node';
import { patternSummer } from '../src/engine/profile/patternSums';
import { readText } from '../src/engine/profile/readText';
import { toTensor } from '../src/engine/runtime/feeds';
import { ReusedArrays } from '../src/engine/runtime/reusedArrays';
import { Runtimes } from '../src/engine/runtime/runtimes';
import { LoadedModel } from '../src/engine/serve/loadedModel';
import { CodeParser } from '../src/engine/syntax/parseCode';
import { syntaxFilesIn } from '../src/engine/syntax/syntaxFiles.node';
import { WeightKernel } from '../src/engine/runtime/weightKernel';
import { ProfileFold } from '../src/model/profile/profileFold';
import { interleave, median, processorTime, table } from './statistics';

type Fed = Parameters<typeof toTensor>[1];

/** Says to run batches that come, and nothing else. */
const plainKey = 'BENCH_PROFILE_PLAIN';
if (process.env[plainKey] !== undefined) await runPlainly();

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const numTexts = Number(process.env['BENCH_TEXTS'] ?? 60);
const numFiles = Number(process.env['BENCH_FILES'] ?? 10_000);
const length = Number(process.env['BENCH_TOKENS'] ?? 256);
const folder = resolve('out/bench/profile');
const path = resolve('media/models/code-decoder');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const files = globSync('src/**/*.ts', { posix: true }).sort();
/** So many files, from all over the project. */
const filesOf = (count: number): string[] => files.filter((_, i) => (i * count) % files.length < count);
const chosen = filesOf(numTexts);
const texts = chosen.map((file) => readFileSync(file, 'utf8'));
const model = await LoadedModel.load(
  await new Runtimes({ native: () => Promise.resolve(native) }, 1).choose('native', 1),
  nodeFileAccess,
  { path, backend: 'native', threads: 1 },
);
const plain = await native.InferenceSession.create(join(path, 'model.onnx'), { intraOpNumThreads: 1 });
const parser = new CodeParser(syntaxFilesIn(resolve('dist')));
const kernel = WeightKernel.create();
const asked = {
  parser,
  arrays: new ReusedArrays(kernel),
  summer: patternSummer(kernel),
  length,
  overlapLines: 0,
  withTexts: true,
} as const;

/** What a run of the model is fed, in a session of its own. */
const batches: Record<string, native.Tensor>[] = [];
const fold = new ProfileFold();
const chunks: string[] = [];
let numTokens = 0;
const watched = {
  tokens: (text: string, limit: number) => model.tokens(text, limit),
  explain: async (...reading: Parameters<LoadedModel['explain']>) => {
    const explanation = await model.explain(...reading);
    const inputs = model.fed[0].inputs.filter(({ name }) => plain.inputNames.includes(name));
    batches.push(Object.fromEntries(inputs.map((input) => [input.name, toTensor(native, input)])));
    return explanation;
  },
};
for (const text of texts) {
  const { numTokens: own, ...read } = await readText(watched, text, { ...asked, grammar: 'typescript' });
  numTokens += own;
  chunks.push(...(read.texts ?? []));
  fold.add({ hash: '', language: 'typescript', ...read });
}
/** What runs took of the processor, each time, in milliseconds: what others do on the machine is not in it. */
const taken: Record<'plain' | 'profile' | 'withoutRelations', number[]> = {
  plain: [],
  profile: [],
  withoutRelations: [],
};
const noting = (name: keyof typeof taken, run: () => Promise<void>) => async (): Promise<void> => {
  const started = processorTime();
  await run();
  taken[name].push(processorTime() - started);
};
const times = await interleave(rounds, {
  plain: noting('plain', async () => {
    for (const batch of batches) await plain.run(batch);
  }),
  profile: noting('profile', async () => {
    for (const text of texts) await readText(model, text, { ...asked, grammar: 'typescript' });
  }),
  withoutRelations: noting('withoutRelations', async () => {
    for (const text of texts) await readText(model, text, { ...asked, grammar: undefined });
  }),
});
/** Of the clock and of the processor. */
const timesOf = (name: keyof typeof taken): readonly [number, number] => [
  median(times[name]),
  median(taken[name].slice(1)), // the first round is not counted
];
const plainTimes = timesOf('plain');
const row = (what: string, [clock, processor]: readonly [number, number]): string[] => [
  what,
  ((1000 * numTokens) / clock).toFixed(0),
  (plainTimes[0] / clock).toFixed(2),
  (plainTimes[1] / processor).toFixed(2),
];
const rows = [
  row('plain inference', plainTimes),
  row('profile', timesOf('profile')),
  row('profile without relations', timesOf('withoutRelations')),
];

writeFileSync(join(folder, 'chunks.json'), JSON.stringify(chunks));
const python = spawnSync(
  process.env['BENCH_PYTHON'] ?? 'python3',
  ['bench/profilePytorch.py', join(folder, 'chunks.json'), '1'],
  { encoding: 'utf8', maxBuffer: 2 ** 26 },
);
let compared = 'PyTorch was left out: it is not there.';
if (python.status === 0) {
  const { seconds, processorSeconds, means } = JSON.parse(python.stdout) as {
    seconds: number;
    processorSeconds: number;
    means: Record<string, readonly number[]>;
  };
  let worst = 0;
  for (const { metric, layer, head, mean } of fold.metricRows()) {
    const wanted = means[metric][layer * 8 + head];
    worst = Math.max(worst, Math.abs(mean - wanted) / Math.max(1, Math.abs(wanted)));
  }
  rows.push(row('PyTorch, metrics alone', [1000 * seconds, 1000 * processorSeconds]));
  const [clock, processor] = timesOf('withoutRelations');
  compared = `Profile without relations ÷ PyTorch: ${((1000 * seconds) / clock).toFixed(2)}, by the processor ${((1000 * processorSeconds) / processor).toFixed(2)}; means of all metrics and heads differ by at most ${worst.toExponential(1)}.`;
} else console.error(python.stderr || 'There is no Python.');
console.log(
  `The bundled code decoder over ${texts.length} TypeScript files of this project, ${chunks.length} chunks of at most ${length} tokens, ${numTokens} tokens; the native runtime on one thread, medians of ${rounds}, in turn. «Plain» runs the same batches in a session of its own that gives the logits, ready made; a profile tokenises, parses, checks and reduces too. «By the processor» is the ratio of the processor's time, of which what else runs on the machine takes nothing.\n\n${table(['what', 'tokens a second', '÷ plain', 'by the processor'], rows)}\n\n${compared}`,
);

interface Timing {
  readonly processorSeconds: number;
  readonly peakBytes: number;
}

/** Runs the command into a folder. */
function command(out: string, ...args: readonly string[]): Promise<Timing> {
  const asking = ['profile', '--length', String(length), '--out', out, ...args];
  const child = spawn(process.execPath, ['dist/cli.cjs', ...asking], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((settle, fail) =>
    child.once('close', (code) =>
      code === 0
        ? settle(JSON.parse(readFileSync(join(out, 'timing.json'), 'utf8')) as Timing)
        : fail(new Error(`profile ended with ${code}`)),
    ),
  );
}

// All of them, as whoever divides a list has many: beside a few the start of a process would count most.
const listed = filesOf(Math.min(files.length, Number(process.env['BENCH_LISTED'] ?? files.length)));
const list = join(folder, 'list');
writeFileSync(list, `${listed.join('\n')}\n`);
// Halves of about as many bytes.
const bySize = listed.toSorted((a, b) => statSync(b).size - statSync(a).size);
const lists = [0, 1].map((half) => {
  const path = join(folder, `half${half}`);
  writeFileSync(path, `${bySize.filter((_, at) => [0, 1, 1, 0][at % 4] === half).join('\n')}\n`);
  return path;
});
let round = 0;
const [ofOne, ofTwo]: [number[], number[]] = [[], []];
const walls = await interleave(Math.min(rounds, 2), {
  one: async () => ofOne.push((await command(join(folder, `one${round}`), '--files-from', list)).processorSeconds),
  two: async () => {
    const both = lists.map((half) => command(join(folder, `two${round++}`), '--files-from', half));
    ofTwo.push(Math.max(...(await Promise.all(both)).map(({ processorSeconds }) => processorSeconds)));
  },
});
const [ofOneTime, ofTwoTime] = [ofOne, ofTwo].map((each) => median(each.slice(1))); // the first round is not counted
console.log(
  `\nOver ${listed.length} files one process takes ${(median(walls.one) / 1000).toFixed(1)} s (${ofOneTime.toFixed(1)} s of the processor), two at once on half of the list each ${(median(walls.two) / 1000).toFixed(1)} s (the longer one ${ofTwoTime.toFixed(1)} s), from their start to their tables: ${(median(walls.one) / median(walls.two)).toFixed(2)} times as fast, ${(ofOneTime / ofTwoTime).toFixed(2)} by the processor.`,
);

const halves = [0, 1].map((i) => batches.filter((_, at) => at % 2 === i));
const machine = await interleave(Math.min(rounds, 3), {
  one: await plainly(batches),
  two: await Promise.all(halves.map(plainly)).then((each) => () => Promise.all(each.map((run) => run()))),
});
console.log(
  `What the machine itself gives: plain inference of all batches ${(median(machine.one) / median(machine.two)).toFixed(2)} times as fast in two processes of one thread as in one, once they are loaded.`,
);

const peaks: string[] = [];
for (const count of [Math.ceil(numFiles / 10), numFiles]) {
  const many = join(folder, `many${count}`);
  mkdirSync(many);
  const names = Array.from({ length: count }, (_, i) => join(many, `${i}.py`));
  names.forEach((name, i) => writeFileSync(name, `def f${i}(a, b):\n    return [a, ${i}, b]\n`));
  writeFileSync(`${many}.list`, names.join('\n'));
  const { peakBytes } = await command(`${many}.profile`, '--files-from', `${many}.list`);
  peaks.push(`${Math.round(peakBytes / 1e6)} MB over ${count} files`);
}
console.log(`\nMost memory of the process: ${peaks.join(', ')}.`);
process.exit(0);

/** A process that has loaded the model, and how to have it run these batches. */
async function plainly(own: readonly Record<string, native.Tensor>[]): Promise<() => Promise<void>> {
  const child = fork(fileURLToPath(import.meta.url), {
    env: { ...process.env, [plainKey]: 'yes' },
    execArgv: [],
    serialization: 'advanced',
  });
  await told(child);
  const fed: readonly Fed[][] = own.map((batch) =>
    Object.entries(batch).map(([name, { type, data, dims }]) => ({ name, type, data, dims }) as Fed),
  ); // no batch has strings
  return async () => {
    child.send(fed);
    await told(child);
  };
}

function told(child: ChildProcess): Promise<void> {
  return new Promise((settle, fail) => {
    child.once('message', () => settle());
    child.once('exit', (code) => fail(new Error(`A process that runs plainly ended with ${code}.`)));
  });
}

/** In a process of its own: loads the model, and runs batches each time that it is sent any. */
async function runPlainly(): Promise<never> {
  const session = await native.InferenceSession.create(resolve('media/models/code-decoder/model.onnx'), {
    intraOpNumThreads: 1,
  });
  process.on('message', (fed: readonly Fed[][]) => {
    void (async () => {
      for (const batch of fed)
        await session.run(Object.fromEntries(batch.map((input) => [input.name, toTensor(native, input)])));
      process.send?.('done');
    })();
  });
  process.send?.('ready');
  return new Promise(() => {});
}
