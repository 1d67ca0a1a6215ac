// Models changed in one field or a few, run by the real engine: each ends in a result or an error of ours, and the engine's process lives on.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ExplorerError } from '../../src/base/errors';
import { EngineSupervisor } from '../../src/host/engine/engineSupervisor';
import { nodeEngineLauncher } from '../../src/host/engine/launchEngine.node';
import { tinyTokenizer } from '../harness/tinyTokenizer';
import { seededRandom } from '../unit/onnx/mutate';
import { allowedCodes, readEverything } from '../unit/onnx/readEverything';
import { below, oneOf } from './fuzz/fuzzTarget';
import { mutateWire } from './fuzz/mutateWire';
import { Ledger, readOrder } from './ledger';

const ledger = new Ledger(readOrder());
const { folder, seed } = ledger.order;
const note = (): void => {};
const supervisor = new EngineSupervisor(nodeEngineLauncher(resolve('dist/engine.node.cjs'), note), {
  debug: note,
  info: note,
  warn: note,
  error: note,
});
/** A model may run for long by what it says; a person would cancel it. */
const patienceMilliseconds = 20_000;
const models = [
  'zoo/gpt2.sdpa.legacy',
  'zoo/gpt2.eager.dynamo',
  'zoo/llama.sdpa.legacy.q4',
  'zoo/llama.sdpa.op23',
  'zoo/bert.sdpa.legacy',
  'zoo/bert.eager.dynamo',
  'zoo/distilbert.eager.legacy',
  'zoo/craft.linear.legacy',
  'pasts/gpt2',
  'pasts/fused',
  'loops/layers.dynamo',
].map((name) => new Uint8Array(readFileSync(`test/fixtures/${name}/model.onnx`)));
/** What a model that is sound to read may still be answered with: it lacks what texts need, or the runtime refuses it. */
const allowed = new Set([
  'answered',
  ...allowedCodes,
  'runtimeFailed',
  'outOfMemory',
  'checksFailed',
  'modelNoAttention',
  'attentionRefused',
  'modelReadsImages',
  'modelTooLarge',
  'tokenizerMismatch',
  'externalDataMissing',
  'externalDataOutside',
  'externalDataInvalid',
  'noTokens',
  'targetStartUnknown',
  'targetNotWritten',
  'cancelled',
]);
/** The engine holds a model by its path, and may still hold one as the next is written: they take turns. */
const paths = ['a', 'b', 'c'].map((name) => resolve(folder, name));
for (const path of paths) {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'tokenizer.json'), tinyTokenizer());
  writeFileSync(
    join(path, 'config.json'),
    JSON.stringify({ n_positions: 64, vocab_size: 99, decoder_start_token_id: 0 }),
  );
}
/** Another backend takes another engine. */
const perBackend = 100;

let failed: ExplorerError | undefined;
let input = ledger.order.from * 4;
while (ledger.goesOn) {
  // Each by its number: as many are made as it takes to find one that can be read.
  const random = seededRandom(seed * 1_000_003 + input++);
  let bytes: Uint8Array = oneOf(random, models);
  for (let i = below(random, 3); i >= 0; i--) bytes = mutateWire(random, bytes);
  if (readEverything(bytes) !== '') continue;
  const path = paths[ledger.at % paths.length];
  writeFileSync(join(path, 'model.onnx'), bytes);
  const backend = Math.floor(ledger.at / perBackend) % 2 === 0 ? 'auto' : 'wasm';
  const code = await explain(path, backend);
  ledger.count(code);
  if (!allowed.has(code)) {
    const kept = resolve(folder, `mutant-${ledger.at}.onnx`);
    writeFileSync(kept, bytes);
    ledger.fail(`${backend}: ${code}`, `${kept}\n${failed?.message ?? ''}\n${failed?.details ?? ''}`);
  }
  ledger.done();
}
ledger.flush();
supervisor.dispose();
process.exit(0);

async function explain(path: string, backend: 'auto' | 'wasm'): Promise<string> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), patienceMilliseconds);
  failed = undefined;
  try {
    const run = await supervisor.explain(
      { model: { path, backend, threads: 1 }, text: 'one two', tokenLimit: 0 },
      controller.signal,
    );
    run.release();
    return 'answered';
  } catch (error) {
    failed = error instanceof ExplorerError ? error : undefined;
    return failed?.code ?? `untyped: ${String(error)}`;
  } finally {
    clearTimeout(timer);
  }
}
