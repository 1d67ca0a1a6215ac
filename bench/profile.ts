// Profiles over the sources of this project: beside plain inference of the same batches, a loop in PyTorch, two processes, and ten times as many files.
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
import { interleave, median, table } from './statistics';

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
// As many as there should be, from all over the project.
const chosen = files.filter((_, i) => (i * numTexts) % files.length < numTexts);
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
const times = await interleave(rounds, {
  plain: async () => {
    for (const batch of batches) await plain.run(batch);
  },
  profile: async () => {
    for (const text of texts) await readText(model, text, { ...asked, grammar: 'typescript' });
  },
  withoutRelations: async () => {
    for (const text of texts) await readText(model, text, { ...asked, grammar: undefined });
  },
});
const speed = (milliseconds: number): string => ((1000 * numTokens) / milliseconds).toFixed(0);
const plainTime = median(times.plain);
const rows = [
  ['plain inference', speed(plainTime), '1.00'],
  ['profile', speed(median(times.profile)), (plainTime / median(times.profile)).toFixed(2)],
  [
    'profile without relations',
    speed(median(times.withoutRelations)),
    (plainTime / median(times.withoutRelations)).toFixed(2),
  ],
];

writeFileSync(join(folder, 'chunks.json'), JSON.stringify(chunks));
const python = spawnSync(
  process.env['BENCH_PYTHON'] ?? 'python3',
  ['bench/profilePytorch.py', join(folder, 'chunks.json'), '1'],
  { encoding: 'utf8', maxBuffer: 2 ** 26 },
);
let compared = 'PyTorch was left out: it is not there.';
if (python.status === 0) {
  const { seconds, means } = JSON.parse(python.stdout) as {
    seconds: number;
    means: Record<string, readonly number[]>;
  };
  let worst = 0;
  for (const { metric, layer, head, mean } of fold.metricRows()) {
    const wanted = means[metric][layer * 8 + head];
    worst = Math.max(worst, Math.abs(mean - wanted) / Math.max(1, Math.abs(wanted)));
  }
  rows.push(['PyTorch, metrics alone', speed(1000 * seconds), (plainTime / 1000 / seconds).toFixed(2)]);
  compared = `Profile without relations ÷ PyTorch: ${((1000 * seconds) / median(times.withoutRelations)).toFixed(2)}; means of all metrics and heads differ by at most ${worst.toExponential(1)}.`;
} else console.error(python.stderr || 'There is no Python.');
console.log(
  `The bundled code decoder over ${texts.length} TypeScript files of this project, ${chunks.length} chunks of at most ${length} tokens, ${numTokens} tokens; the native runtime on one thread, medians of ${rounds}, in turn. «Plain» runs the same batches in a session of its own that gives the logits, ready made; a profile tokenises, parses, checks and reduces too.\n\n${table(['what', 'tokens a second', '÷ plain'], rows)}\n\n${compared}`,
);

/** Runs the command; resolves to its wall time, in milliseconds. */
function command(...args: readonly string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, ['dist/cli.cjs', 'profile', '--length', String(length), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((settle, fail) =>
    child.once('close', (code) =>
      code === 0 ? settle(performance.now() - started) : fail(new Error(`profile ended with ${code}`)),
    ),
  );
}

const list = join(folder, 'list');
writeFileSync(list, `${chosen.join('\n')}\n`);
let round = 0;
const walls = await interleave(Math.min(rounds, 3), {
  one: () => command('--files-from', list, '--out', join(folder, `one${round}`)),
  two: () =>
    Promise.all(
      [0, 1].map((i) => command('--files-from', list, '--shard', `${i}/2`, '--out', join(folder, `two${round++}`))),
    ),
});
console.log(
  `\nOne process ${(median(walls.one) / 1000).toFixed(1)} s, two at once on half of the list each ${(median(walls.two) / 1000).toFixed(1)} s, from their start to their tables: ${(median(walls.one) / median(walls.two)).toFixed(2)} times as fast.`,
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
  await command('--files-from', `${many}.list`, '--out', `${many}.profile`);
  const { peakBytes } = JSON.parse(readFileSync(join(`${many}.profile`, 'timing.json'), 'utf8')) as {
    peakBytes: number;
  };
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
