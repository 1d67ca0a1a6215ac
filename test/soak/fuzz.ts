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

/** What came of what the thread has read since it last said so. */
interface Batch {
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

/** What a thread is given. */
interface Task {
  readonly order: Order;
  readonly thread: number;
  /** The number of the next input, for all threads; then for each thread that of its own, and how many it has read. */
  readonly place: SharedArrayBuffer;
}

/** Where in that the numbers of a thread stand. */
const placesOf = (thread: number): { readonly own: number; readonly numRead: number } => ({
  own: 1 + 2 * thread,
  numRead: 2 + 2 * thread,
});

if (isMainThread) await supervise(new Ledger(readOrder()));
else await readInputs(workerData as Task /* sent below */);

/** Keeps as many threads at work as the order has jobs; each takes the next input when it is done with one. */
async function supervise(ledger: Ledger): Promise<void> {
  const { jobs } = ledger.order;
  const place = new SharedArrayBuffer(8 * (1 + 2 * jobs));
  new BigInt64Array(place)[0] = BigInt(ledger.at);
  await Promise.all(Array.from({ length: jobs }, (_, thread) => superviseOne(ledger, { thread, place })));
  ledger.flush();
}

async function superviseOne(ledger: Ledger, { thread, place }: Omit<Task, 'order'>): Promise<void> {
  const { order } = ledger;
  const numbers = new BigInt64Array(place);
  const { own, numRead } = placesOf(thread);
  let counted = 0;
  const count = (): void => {
    for (const read = Number(Atomics.load(numbers, numRead)); counted < read; counted++) ledger.done();
  };
  while (ledger.goesOn) {
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: { order, thread, place } satisfies Task,
      // Most of what an input makes is gone when the next one comes.
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: 96, stackSizeMb: 1 },
    });
    await new Promise<void>((ended) => {
      let seen = -1n;
      let since = process.cpuUsage();
      const end = (): void => {
        clearInterval(watch);
        void worker.terminate().then(() => ended());
      };
      const give = (why: string): void => {
        count();
        ledger.fail(why, `input ${Atomics.load(numbers, own)} of seed ${order.seed}`);
        ledger.done();
        end();
      };
      const watch = setInterval(() => {
        const now = Atomics.load(numbers, own);
        if (now !== seen) {
          seen = now;
          since = process.cpuUsage();
        }
        const { user, system } = process.cpuUsage(since);
        if ((user + system) / 1e6 > patienceSeconds * order.jobs && now >= 0n) give('it takes too long');
        else if (process.memoryUsage.rss() > residentBytes * order.jobs) give('it takes too much memory');
      }, 250);
      worker.on('message', ({ counts, slowest, kept, blocks, failure }: Batch) => {
        for (const [code, times] of Object.entries(counts)) ledger.count(code === '' ? 'read' : code, times);
        ledger.most('ms for one', slowest);
        if (kept !== undefined) ledger.most('inputs kept', kept);
        if (blocks !== undefined) ledger.most('blocks of code', blocks);
        count();
        if (failure !== undefined) ledger.fail(failure.what, failure.details);
        if (!ledger.goesOn) end();
      });
      worker.on('error', (error) => give(String(error)));
    });
  }
}

async function readInputs({ order, thread, place }: Task): Promise<void> {
  const numbers = new BigInt64Array(place);
  const { own, numRead } = placesOf(thread);
  const target = fuzzTargets[order.name.replace('guided-', 'fuzz-')]();
  const guided = order.name.startsWith('guided-')
    ? new GuidedChances(
        seededRandom(order.seed + Number(numbers[0])),
        join(order.folder, 'kept.jsonl'),
        import.meta.url,
      )
    : undefined;
  let counts: Record<string, number> = {};
  let [slowest, done, said] = [0, 0, performance.now()];
  let [started, startedAt] = [process.cpuUsage(), performance.now()];
  for (;;) {
    const input = Number(Atomics.add(numbers, 0, 1n));
    Atomics.store(numbers, own, BigInt(input));
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
    // Of several threads, none has taken more of the processor than all, nor more than passed.
    const took = Math.min(
      (now.user + now.system - started.user - started.system) / 1000,
      order.jobs > 1 ? performance.now() - startedAt : Infinity,
    );
    [started, startedAt] = [now, performance.now()];
    Atomics.add(numbers, numRead, 1n);
    if (took > patienceSeconds * 1000)
      failure ??= { what: `it takes too long: ${took.toFixed(0)} ms`, details: `input ${input} of seed ${order.seed}` };
    slowest = Math.max(slowest, took);
    done++;
    if (failure === undefined && done < batch && performance.now() - said < 500) continue;
    parentPort?.postMessage({
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
