// Feeds made-up files to one of the readers, in a thread that can be ended: an input that takes too long or too much is noted, and the next one comes.
// `fuzz-NAME` takes each input by itself, made from its number; `guided-NAME` goes on from inputs that reached new code.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../unit/onnx/mutate';
import { join } from 'node:path';
import { GuidedChances } from './fuzz/guidedChances';
import { fuzzTargets } from './fuzz/targets';
import { Ledger, readOrder, type Order } from './ledger';

/** No input may take longer than this, in seconds of the processor. */
const patienceSeconds = 5;
/** Nor more megabytes, with all that the reader keeps. */
const heapMegabytes = 512;
const residentBytes = 1.5e9;
const batch = 200;

/** What the thread has done since it last said so. */
interface Batch {
  readonly done: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly slowest: number;
  /** Where it is guided: inputs that reached new code, and blocks of code that were reached. */
  readonly kept?: number;
  readonly blocks?: number;
  readonly failure?: { readonly what: string; readonly details: string };
}

/** The chances of one input: any of them can be made again by its number. */
export function chancesOf(seed: number, input: number): () => number {
  return seededRandom(seed * 1_000_003 + input);
}

if (isMainThread) await supervise(new Ledger(readOrder()));
else await readInputs(workerData as { order: Order; from: number; place: SharedArrayBuffer } /* sent below */);

async function supervise(ledger: Ledger): Promise<void> {
  while (ledger.goesOn) {
    const place = new SharedArrayBuffer(8);
    const current = new BigInt64Array(place);
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: { order: ledger.order, from: ledger.at, place },
      // Most of what an input makes is gone when the next one comes.
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: 96, stackSizeMb: 1 },
    });
    await new Promise<void>((ended) => {
      let seen = -1n;
      let since = process.cpuUsage();
      const give = (why: string): void => {
        clearInterval(watch);
        // The inputs up to this one count as read.
        const at = Number(Atomics.load(current, 0));
        while (ledger.at < at) ledger.done();
        ledger.fail(why, `input ${at} of seed ${ledger.order.seed}`);
        ledger.done();
        void worker.terminate().then(() => ended());
      };
      const watch = setInterval(() => {
        const now = Atomics.load(current, 0);
        if (now !== seen) {
          seen = now;
          since = process.cpuUsage();
        }
        const { user, system } = process.cpuUsage(since);
        if ((user + system) / 1e6 > patienceSeconds && now >= 0n) give('it takes too long');
        else if (process.memoryUsage.rss() > residentBytes) give('it takes too much memory');
      }, 250);
      worker.on('message', ({ done, counts, slowest, kept, blocks, failure }: Batch) => {
        for (const [code, times] of Object.entries(counts)) ledger.count(code === '' ? 'read' : code, times);
        ledger.most('ms for one', slowest);
        if (kept !== undefined) ledger.most('inputs kept', kept);
        if (blocks !== undefined) ledger.most('blocks of code', blocks);
        for (let i = 0; i < done; i++) ledger.done();
        if (failure !== undefined) ledger.fail(failure.what, failure.details);
        if (ledger.goesOn) return;
        clearInterval(watch);
        void worker.terminate().then(() => ended());
      });
      worker.on('error', (error) => give(String(error)));
    });
  }
  ledger.flush();
}

async function readInputs({
  order,
  from,
  place,
}: {
  readonly order: Order;
  readonly from: number;
  readonly place: SharedArrayBuffer;
}): Promise<void> {
  const current = new BigInt64Array(place);
  const target = fuzzTargets[order.name.replace('guided-', 'fuzz-')]();
  const guided = order.name.startsWith('guided-')
    ? new GuidedChances(seededRandom(order.seed + from), join(order.folder, 'kept.jsonl'), import.meta.url)
    : undefined;
  let counts: Record<string, number> = {};
  let [slowest, done, said] = [0, 0, performance.now()];
  let started = process.cpuUsage();
  for (let input = from; ; input++) {
    Atomics.store(current, 0, BigInt(input));
    let failure: Batch['failure'];
    try {
      const outcome = target.run(guided?.next() ?? chancesOf(order.seed, input));
      const code = typeof outcome === 'string' ? outcome : await outcome;
      counts[code] = (counts[code] ?? 0) + 1;
      if (!target.allowed.has(code))
        failure = { what: `the code ${code}`, details: `input ${input} of seed ${order.seed}` };
    } catch (error) {
      failure = {
        what: `untyped: ${String(error)}`.slice(0, 300),
        details: `input ${input} of seed ${order.seed}\n${error instanceof Error ? (error.stack ?? '') : ''}`,
      };
    }
    guided?.learn();
    if (failure !== undefined && guided !== undefined)
      failure = { ...failure, details: `${JSON.stringify(guided.numbers)}\n${failure.details}` };
    const now = process.cpuUsage();
    const took = (now.user + now.system - started.user - started.system) / 1000;
    started = now;
    if (took > patienceSeconds * 1000)
      failure ??= { what: `it takes too long: ${took.toFixed(0)} ms`, details: `input ${input} of seed ${order.seed}` };
    slowest = Math.max(slowest, took);
    done++;
    if (failure === undefined && done < batch && performance.now() - said < 500) continue;
    parentPort?.postMessage({
      done,
      counts,
      slowest,
      ...(guided === undefined ? {} : { kept: guided.numKept, blocks: guided.numBlocks }),
      ...(failure === undefined ? {} : { failure }),
    } satisfies Batch);
    [counts, slowest, done, said] = [{}, 0, 0, performance.now()];
    // Its messages go out, and an order to end comes in, between inputs.
    await new Promise((turn) => setImmediate(turn));
  }
}
