// Runs of changing lengths and models in one engine, with what a panel asks of each; after every hundred the same run once more, and what the
// engine holds then.
import { resolve } from 'node:path';
import { ExplorerError } from '../../src/base/errors';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import type { RunInfo } from '../../src/model/modelInfo';
import { seededRandom } from '../unit/onnx/mutate';
import { engineMemory, measuredEngine } from './engineMemory';
import { below, oneOf } from './fuzz/fuzzTarget';
import { Ledger, readOrder } from './ledger';
import { measuredModel, source, textModels } from './models';

const ledger = new Ledger(readOrder());
const { order } = ledger;
const backend = order.name === 'runs-wasm' ? 'wasm' : 'auto';
const random = seededRandom(order.seed + order.from);
/** Runs of one model in a row, and between two measurements. */
const perModel = 50;
const perSample = order.isShort ? 25 : 100;

const engine = nodeEngineLauncher(resolve(measuredEngine), () => {}).launch();
const { remote } = engine.connection;
const models = textModels(order.folder);
const pictures = ['plain.jpg', 'rgb.png', 'plain.webp'].map((name) => resolve(`test/fixtures/images/${name}`));
let expected: string | undefined;
let isOver = false;
engine.onExit((why) => {
  if (isOver) return;
  ledger.fail(`the engine ended: ${why}`);
  process.exit(0);
});

while (ledger.goesOn) {
  const path = oneOf(random, [...models, ...models, resolve('media/models/shapes-vit')]);
  for (let i = 0; i < perModel && ledger.goesOn; i++) {
    await (path.endsWith('shapes-vit') ? readPicture(path) : readText(path));
    ledger.done();
    if (ledger.at % perSample === 0) await measure();
  }
}
ledger.flush();
isOver = true;
engine.dispose();
process.exit(0);

async function readText(path: string): Promise<void> {
  const from = below(random, source.length);
  const length = random() < 0.1 ? below(random, 2500) : below(random, 300);
  const isDate = path.includes('date');
  const text = isDate
    ? oneOf(random, ['3 May 2021', 'Dec 12, 1999', '1/2/03', 'x'])
    : source.slice(from, from + length + 1);
  const controller = new AbortController();
  if (random() < 0.02) setTimeout(() => controller.abort(), below(random, 50));
  try {
    await look(
      await remote.explain(
        {
          model: { path, backend, threads: 1 },
          text,
          tokenLimit: random() < 0.5 ? 0 : 16 + below(random, 200),
          ...(path.includes('pasts') || path.includes('code-decoder') ? { isLive: random() < 0.5 } : {}),
        },
        controller.signal,
      ),
    );
  } catch (error) {
    const code = error instanceof ExplorerError ? error.code : String(error);
    if (['cancelled', 'noTokens', 'emptyText'].includes(code)) ledger.count(code);
    else
      ledger.fail(
        `${path}: ${code}`,
        error instanceof ExplorerError ? `${error.message}\n${error.details}` : undefined,
      );
    return;
  }
  ledger.count('texts');
}

async function readPicture(path: string): Promise<void> {
  await look(await remote.explainImage({ model: { path, backend, threads: 1 }, path: oneOf(random, pictures) }));
  ledger.count('pictures');
}

/** Asks what a panel asks, and lets go. */
async function look({ runId, components }: RunInfo): Promise<void> {
  const [{ component, isCausal }] = components;
  const selection = { component, heads: [{ layer: 0, head: 0 }], aggregation: 'mean' } as const;
  await Promise.all([
    remote.pattern({ runId, selection }),
    remote.thumbnails({ runId, component, size: 32, isCausal }),
    remote.row({ runId, selection, position: 0, direction: 'reads' }),
    ...(random() < 0.1 ? [remote.overview({ runId, selection, isCausal })] : []),
  ]);
  await remote.release({ runId });
}

/** Runs what was run at the first measurement: it must give the same numbers, and leave no more behind. */
async function measure(): Promise<void> {
  const { runId } = await remote.explain({
    model: { path: measuredModel, backend, threads: 1 },
    text: source.slice(0, 400),
    tokenLimit: 0,
  });
  const { weights } = await remote.pattern({
    runId,
    selection: { component: 'self', heads: [{ layer: 1, head: 1 }], aggregation: 'mean' },
  });
  await remote.release({ runId });
  const digest = weights.reduce((sum, weight, i) => sum + weight * (1 + (i % 7)), 0).toFixed(3);
  expected ??= digest;
  if (digest !== expected) ledger.fail(`the same run gives other numbers: ${digest} and not ${expected}`);
  const { heapUsed, external, rss } = await engineMemory(engine.pid ?? 0);
  ledger.sample('heap and buffers', heapUsed + external);
  ledger.sample('resident', rss);
  ledger.most('resident MB', rss / 1e6);
}
