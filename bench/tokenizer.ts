// Tokens of 100 kB beside the reference library's Node binding (Rust), of tokenizer.json and of the files that folders without one have.
// bench/tokenizerKinds.py makes the tokenizers and the texts. Each round is a process of its own, in which both encode the same text, the
// one and then the other: «first» by a fresh tokenizer, «later» the fastest of four more. Only ratios of such pairs count.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer as Reference } from 'tokenizers';
import { makeTokenizer, neededFiles } from '../src/tokenizer/pretrained/makeTokenizer';
import { Tokenizer } from '../src/tokenizer/tokenizer';
import { runProcess } from '../scripts/lib/processes.mjs';
import { interval, median, ms, table } from './statistics';

/** Milliseconds on the clock, and those of the processor that the threads took that one waits for (on Linux, where others' load does not count). */
interface Time {
  readonly clock: number;
  readonly processor: number;
}

interface Times {
  readonly load: Time;
  readonly first: Time;
  readonly later: Time;
}

interface Round {
  readonly tokens: number;
  readonly ours: Times;
  readonly reference: Times;
}

const hasSchedule = existsSync('/proc/self/task');
const folder = resolve(process.env['BENCH_TOKENIZERS'] ?? 'out/bench/tokenizers');
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7);
const [, , kind, textName, order] = process.argv;
if (kind === undefined) await compare();
else console.log(JSON.stringify(await measure(kind, textName, order)));

/** Milliseconds that each thread of this process has run, the main one first. */
function threadTimes(): number[] {
  if (!hasSchedule) return [performance.now()];
  return readdirSync('/proc/self/task').map(
    (thread) => Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
  );
}

/**
 * Measures a step. What is ours runs on the main thread; the reference library's work is done by another one, and what comes of it on the main one.
 * V8's threads, which compile and collect meanwhile, are waited for by nobody.
 */
async function timed<T>(side: 'ours' | 'reference', run: () => Promise<T>): Promise<{ time: Time; value: T }> {
  const before = threadTimes();
  const started = performance.now();
  const value = await run();
  const clock = performance.now() - started;
  const [main, ...others] = threadTimes().map((time, i) => time - (before[i] ?? 0));
  return { time: { clock, processor: side === 'ours' ? main : main + Math.max(0, ...others) }, value };
}

/** One round, in this process. */
async function measure(name: string, textName: string, order: string): Promise<Round> {
  const [kindName, how] = name.split(':');
  const text = readFileSync(join(folder, `${textName}.txt`), 'utf8');
  const json = readFileSync(join(folder, kindName, 'reference.json'), 'utf8');
  const sides = {
    ours: async () => {
      const tokenizer = how === 'json' ? Tokenizer.fromJson(json) : open(join(folder, kindName));
      return () => Promise.resolve(tokenizer.encode(text).ids);
    },
    reference: async () => {
      const tokenizer = Reference.fromString(json);
      return async () => {
        const encoding = await tokenizer.encode(text);
        encoding.getOffsets();
        return encoding.getIds();
      };
    },
  };
  const ids: ArrayLike<number>[] = [];
  const times: Partial<Record<'ours' | 'reference', Times>> = {};
  for (const side of order === 'oursFirst' ? (['ours', 'reference'] as const) : (['reference', 'ours'] as const)) {
    const { time: load, value: encode } = await timed<() => Promise<ArrayLike<number>>>(side, sides[side]);
    const each: Time[] = [];
    for (let i = 0; i < 5; i++) {
      const { time, value } = await timed(side, encode);
      each.push(time);
      if (i === 0) ids.push(value);
    }
    const least = (key: keyof Time): number => Math.min(...each.slice(1).map((time) => time[key]));
    times[side] = { load, first: each[0], later: { clock: least('clock'), processor: least('processor') } };
  }
  if (ids[0].length !== ids[1].length || Array.from(ids[0]).some((id, i) => id !== ids[1][i]))
    throw new Error(`${name}, ${textName}: the ids differ`);
  if (times.ours === undefined || times.reference === undefined) throw new Error('not measured');
  return { tokens: ids[0].length, ours: times.ours, reference: times.reference };
}

/** Opens a folder without a tokenizer.json as the engine does. */
function open(path: string): Tokenizer {
  const config = JSON.parse(readFileSync(join(path, 'tokenizer_config.json'), 'utf8')) as Record<string, unknown>;
  const fileNames = readdirSync(path).filter((name) => name !== 'reference.json');
  const files = {
    name: path,
    config,
    specialTokensMap: undefined,
    addedTokens: undefined,
    modelType: undefined,
    modelClass: undefined,
    json: undefined,
    fileNames,
  };
  const read = new Map(neededFiles(files).map((file) => [file, new Uint8Array(readFileSync(join(path, file)))]));
  return makeTokenizer({ ...files, read: (file) => read.get(file) }).tokenizer;
}

async function compare(): Promise<void> {
  if (!existsSync(join(folder, 'kinds.json')))
    await runProcess(process.env['BENCH_PYTHON'] ?? 'python3', [resolve('bench/tokenizerKinds.py'), folder]);
  const made = JSON.parse(readFileSync(join(folder, 'kinds.json'), 'utf8')) as {
    versions: Record<string, string>;
    texts: string[];
    kinds: { name: string; folder: string; files: string[] }[];
  };
  const only = process.env['BENCH_KINDS'] ?? '';
  const rows: (string | number)[][] = [];
  for (const textName of process.env['BENCH_TEXTS']?.split(',') ?? made.texts) {
    for (const { name, folder: kindFolder, files } of made.kinds) {
      if (!name.includes(only)) continue;
      const measured: Record<string, Round[]> = {};
      for (let round = 0; round < rounds; round++) {
        for (const how of ['json', 'files']) {
          const printed = await runProcess(process.execPath, [
            fileURLToPath(import.meta.url),
            `${kindFolder}:${how}`,
            textName,
            round % 2 === 0 ? 'oursFirst' : 'referenceFirst',
          ]);
          (measured[how] ??= []).push(JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Round);
        }
      }
      for (const [how, all] of Object.entries(measured)) {
        const ratio = (key: keyof Times, of: keyof Time): string => {
          const ratios = all.map(({ ours, reference }) => ours[key][of] / reference[key][of]);
          const [low, high] = interval(ratios);
          return `${median(ratios).toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`;
        };
        const clock = (side: 'ours' | 'reference', key: keyof Times): string =>
          ms(median(all.map((round) => round[side][key].clock)));
        const row = [`${name}, ${how === 'json' ? 'tokenizer.json' : files.join(' + ')}`, textName, all[0].tokens];
        for (const key of ['first', 'later'] as const)
          row.push(`${clock('ours', key)} / ${clock('reference', key)}`, ratio(key, 'clock'), ratio(key, 'processor'));
        rows.push(row);
        console.error(row.join(' | '));
      }
    }
  }
  const versions = Object.entries(made.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  console.log(
    `100 kB (UTF-16 units), medians of ${rounds} processes, ratios of pairs with their 95 % interval; tokenizers 0.23.2 for Node, vocabularies made by ${versions}.\n`,
  );
  console.log(
    table(
      [
        'kind',
        'text',
        'tokens',
        'first ms, here / Rust',
        'ratio',
        'of the processor',
        'later ms, here / Rust',
        'ratio',
        'of the processor',
      ],
      rows,
    ),
  );
}
